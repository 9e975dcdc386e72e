#include "canvas.h"

#include <stdlib.h>
#include <string.h>

enum { band_height = 16 };

bool agnesi_canvas_begin(
    agnesi_canvas *canvas, agnesi_job *job, uint64_t width, uint64_t height, int orientation) {
  if (width == 0 || height == 0) {
    return agnesi_job_fail(
        job, AGNESI_STATUS_BROKEN, "it is %llu × %llu pixels large", (unsigned long long)width,
        (unsigned long long)height);
  }
  uint64_t most = (uint64_t)job->request->numbers[AGNESI_PICTURE_MOST_PIXELS];
  bool is_turned = orientation >= 5 && orientation <= 8;
  job->answer->numbers[AGNESI_PICTURE_WIDTH] = (int64_t)(is_turned ? height : width);
  job->answer->numbers[AGNESI_PICTURE_HEIGHT] = (int64_t)(is_turned ? width : height);
  if (width > INT32_MAX || height > INT32_MAX || width * height > most) {
    return agnesi_job_fail(job, AGNESI_STATUS_TOO_LARGE, "too many pixels");
  }
  size_t channels = job->request->numbers[AGNESI_PICTURE_CHANNELS] == 1 ? 1 : 3;
  *canvas = (agnesi_canvas){
      .job = job,
      .width = width,
      .height = height,
      .orientation = orientation >= 1 && orientation <= 8 ? orientation : 1,
      .channels = channels};
  if (canvas->orientation != 1) {
    canvas->band = agnesi_job_allocate(job, width * channels * band_height);
    if (!canvas->band) return false;
  }
  canvas->result = agnesi_job_result(job, width * height * channels);
  return canvas->result != NULL;
}

// MARK: - Colours

/// a · b / 255, rounded, of bytes.
static inline uint8_t scaled(unsigned a, unsigned b) {
  unsigned product = a * b + 128;
  return (uint8_t)((product + (product >> 8)) >> 8);
}

static inline uint8_t over_white(unsigned sample, unsigned alpha) {
  return scaled(sample, alpha) + scaled(255, 255 - alpha);
}

/// ITU-R 601's weights in 16-bit fractions.
static inline uint8_t grey_of(unsigned red, unsigned green, unsigned blue) {
  return (uint8_t)((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16);
}

static inline uint8_t light(unsigned ink, unsigned paper) {
  return (uint8_t)(paper - scaled(ink, paper));
}

static inline void put(uint8_t *pixel, size_t channels, uint8_t red, uint8_t green, uint8_t blue) {
  if (channels == 1) {
    *pixel = grey_of(red, green, blue);
  } else {
    pixel[0] = red, pixel[1] = green, pixel[2] = blue;
  }
}

static inline void put_grey(uint8_t *pixel, size_t channels, uint8_t grey) {
  for (size_t channel = 0; channel < channels; channel++) pixel[channel] = grey;
}

static uint8_t capped(unsigned value) { return value > 255 ? 255 : (uint8_t)value; }

static void convert(
    uint8_t *to, size_t channels, const uint8_t *from, size_t width, agnesi_layout layout) {
  switch (layout) {
    case AGNESI_GREY:
      if (channels == 1) {
        memcpy(to, from, width);
        return;
      }
      for (size_t x = 0; x < width; x++) put_grey(to + x * channels, channels, from[x]);
      return;
    case AGNESI_GREY_ALPHA:
      for (size_t x = 0; x < width; x++, from += 2) {
        put_grey(to + x * channels, channels, over_white(from[0], from[1]));
      }
      return;
    case AGNESI_RGB:
      if (channels == 3) {
        memcpy(to, from, width * 3);
        return;
      }
      for (size_t x = 0; x < width; x++, from += 3) to[x] = grey_of(from[0], from[1], from[2]);
      return;
    case AGNESI_RGBA:
      for (size_t x = 0; x < width; x++, from += 4) {
        put(to + x * channels, channels, over_white(from[0], from[3]), over_white(from[1], from[3]),
            over_white(from[2], from[3]));
      }
      return;
    case AGNESI_RGBA_PREMULTIPLIED:
      for (size_t x = 0; x < width; x++, from += 4) {
        unsigned white = 255 - from[3];
        put(to + x * channels, channels, capped(from[0] + white), capped(from[1] + white),
            capped(from[2] + white));
      }
      return;
    case AGNESI_CMYK:
      for (size_t x = 0; x < width; x++, from += 4) {
        unsigned paper = 255 - from[3];
        put(to + x * channels, channels, light(from[0], paper), light(from[1], paper),
            light(from[2], paper));
      }
      return;
  }
}

// MARK: - Turning

/// Copies the band's rows to where they belong: pixel (x, y) as stored goes to
/// `origin + x · across + y · down`.
static void turn_band(agnesi_canvas *canvas, size_t rows) {
  ptrdiff_t channels = (ptrdiff_t)canvas->channels;
  ptrdiff_t width = (ptrdiff_t)canvas->width, height = (ptrdiff_t)canvas->height;
  bool is_turned = canvas->orientation >= 5;
  ptrdiff_t row = (is_turned ? height : width) * channels;
  // Which way the stored rows and columns run in the result.
  static const bool is_leftward[] = {false, false, true, true, false, false, false, true, true};
  static const bool is_upward[] = {false, false, false, true, true, false, true, true, false};
  ptrdiff_t across = is_turned ? row : channels, down = is_turned ? channels : row;
  uint8_t *origin = canvas->result;
  if (is_leftward[canvas->orientation]) origin += (width - 1) * across, across = -across;
  if (is_upward[canvas->orientation]) origin += (height - 1) * down, down = -down;
  origin += (ptrdiff_t)canvas->band_start * down;
  for (ptrdiff_t x = 0; x < width; x++) {
    for (ptrdiff_t y = 0; y < (ptrdiff_t)rows; y++) {
      const uint8_t *from = canvas->band + (y * width + x) * channels;
      uint8_t *to = origin + x * across + y * down;
      for (ptrdiff_t channel = 0; channel < channels; channel++) to[channel] = from[channel];
    }
  }
}

void agnesi_canvas_row(agnesi_canvas *canvas, size_t y, const uint8_t *row, agnesi_layout layout) {
  size_t row_size = canvas->width * canvas->channels;
  if (!canvas->band) {
    convert(canvas->result + y * row_size, canvas->channels, row, canvas->width, layout);
    return;
  }
  size_t place = y % band_height;
  if (place == 0) canvas->band_start = y;
  convert(canvas->band + place * row_size, canvas->channels, row, canvas->width, layout);
  if (place + 1 == band_height || y + 1 == canvas->height) turn_band(canvas, place + 1);
  if (y + 1 == canvas->height) {
    free(canvas->band);
    canvas->band = NULL;
  }
}

// MARK: - EXIF

int agnesi_exif_orientation(const uint8_t *bytes, size_t size) {
  const int upright = 1;
  if (size >= 6 && memcmp(bytes, "Exif\0\0", 6) == 0) bytes += 6, size -= 6;
  if (size < 8) return upright;
  bool is_little = memcmp(bytes, "II*\0", 4) == 0;
  if (!is_little && memcmp(bytes, "MM\0*", 4) != 0) return upright;
  size_t start = is_little ? agnesi_little32(bytes + 4) : agnesi_big32(bytes + 4);
  if (start > size - 2) return upright;
  size_t count = is_little ? agnesi_little16(bytes + start) : agnesi_big16(bytes + start);
  const size_t entry_size = 12;
  for (size_t i = 0; i < count; i++) {
    size_t place = start + 2 + i * entry_size;
    if (place + entry_size > size) return upright;
    const uint8_t *entry = bytes + place;
    uint32_t tag = is_little ? agnesi_little16(entry) : agnesi_big16(entry);
    if (tag != 0x0112) continue;
    uint32_t value = is_little ? agnesi_little16(entry + 8) : agnesi_big16(entry + 8);
    return value >= 1 && value <= 8 ? (int)value : upright;
  }
  return upright;
}
