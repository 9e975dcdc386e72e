// Windows bitmaps: the formats that Microsoft documents for BITMAPCOREHEADER to BITMAPV5HEADER, but for
// embedded JPEG and PNG.
#include <stdlib.h>
#include <string.h>

#include "canvas.h"

enum { file_header = 14, uncompressed = 0, runs8 = 1, runs4 = 2, masks = 3, alpha_masks = 6 };

typedef struct bitmap {
  agnesi_job *job;
  size_t width, height;
  bool is_top_down;
  uint32_t bits, compression;
  /// Three bytes each, red first.
  uint8_t colours[256][3];
  /// Red, green, blue, alpha.
  uint32_t masks[4];
  /// Where the pixels begin in the file.
  size_t start;
} bitmap;

static bool broken(agnesi_job *job, const char *reason) {
  return agnesi_job_fail(job, AGNESI_STATUS_BROKEN, "%s", reason);
}

static const char too_short[] = "the file ends within the picture";

static bool read_colours(bitmap *bitmap, size_t place, size_t count, size_t entry) {
  if (bitmap->bits > 8) return true;
  size_t most = (size_t)1 << bitmap->bits;
  if (count == 0 || count > most) count = most;
  for (size_t i = 0; i < count && place + 3 <= bitmap->job->size; i++, place += entry) {
    const uint8_t *colour = bitmap->job->bytes + place;
    for (size_t channel = 0; channel < 3; channel++) {
      bitmap->colours[i][channel] = colour[2 - channel];
    }
  }
  return true;
}

static bool read_old_header(bitmap *bitmap) {
  const uint8_t *header = bitmap->job->bytes + file_header;
  if (bitmap->job->size < file_header + 12) return broken(bitmap->job, too_short);
  bitmap->width = agnesi_little16(header + 4);
  bitmap->height = agnesi_little16(header + 6);
  bitmap->bits = agnesi_little16(header + 10);
  return read_colours(bitmap, file_header + 12, 0, 3);
}

static void read_masks(bitmap *bitmap, size_t header_size) {
  const uint8_t *header = bitmap->job->bytes + file_header;
  if (bitmap->compression == masks || bitmap->compression == alpha_masks) {
    bool has_alpha = header_size >= 56 || bitmap->compression == alpha_masks;
    size_t count = has_alpha ? 4 : 3;
    if (bitmap->job->size < file_header + 40 + count * 4) return;
    for (size_t i = 0; i < count; i++) bitmap->masks[i] = agnesi_little32(header + 40 + 4 * i);
  } else if (bitmap->bits == 16) {
    bitmap->masks[0] = 0x7C00, bitmap->masks[1] = 0x3E0, bitmap->masks[2] = 0x1F;
  } else {
    bitmap->masks[0] = 0xFF0000, bitmap->masks[1] = 0xFF00, bitmap->masks[2] = 0xFF;
  }
}

static bool read_header(bitmap *bitmap) {
  agnesi_job *job = bitmap->job;
  const uint8_t *header = job->bytes + file_header;
  if (job->size < file_header + 4) return broken(job, too_short);
  bitmap->start = agnesi_little32(job->bytes + 10);
  size_t size = agnesi_little32(header);
  if (size == 12) return read_old_header(bitmap);
  if (size < 40 || size > 1024) return broken(job, "damaged BMP: a header of unknown size");
  if (job->size < file_header + size) return broken(job, too_short);
  int64_t height = (int32_t)agnesi_little32(header + 8);
  int64_t width = (int32_t)agnesi_little32(header + 4);
  bitmap->is_top_down = height < 0;
  bitmap->width = width < 0 ? 0 : (size_t)width;
  bitmap->height = (size_t)(height < 0 ? -height : height);
  bitmap->bits = agnesi_little16(header + 14);
  bitmap->compression = agnesi_little32(header + 16);
  read_masks(bitmap, size);
  size_t colours = file_header + size;
  if (size == 40 && bitmap->compression == masks) colours += 12;
  if (size == 40 && bitmap->compression == alpha_masks) colours += 16;
  return read_colours(bitmap, colours, agnesi_little32(header + 32), 4);
}

static bool is_known(const bitmap *bitmap) {
  uint32_t bits = bitmap->bits;
  switch (bitmap->compression) {
    case uncompressed:
      return bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16 || bits == 24 ||
             bits == 32;
    case runs8: return bits == 8 && !bitmap->is_top_down;
    case runs4: return bits == 4 && !bitmap->is_top_down;
    case masks:
    case alpha_masks: return bits == 16 || bits == 32;
    default: return false;
  }
}

// MARK: - Pixels

/// The bits of `mask` in `word`, stretched to a byte.
static uint8_t masked(uint32_t word, uint32_t mask) {
  if (mask == 0) return 0;
  uint32_t highest = mask, value = word & mask;
  while (!(highest & 1)) highest >>= 1, value >>= 1;
  return (uint8_t)((uint64_t)value * 255 / highest);
}

static void convert_masked(const bitmap *bitmap, const uint8_t *from, uint8_t *row) {
  size_t bytes = bitmap->bits / 8;
  for (size_t x = 0; x < bitmap->width; x++, from += bytes) {
    uint32_t word = bytes == 4 ? agnesi_little32(from) : agnesi_little16(from);
    for (size_t i = 0; i < 4; i++) row[4 * x + i] = masked(word, bitmap->masks[i]);
    if (bitmap->masks[3] == 0) row[4 * x + 3] = 255;
  }
}

static void convert_row(const bitmap *bitmap, const uint8_t *from, uint8_t *row) {
  if (bitmap->bits == 16 || bitmap->bits == 32) {
    convert_masked(bitmap, from, row);
    return;
  }
  for (size_t x = 0; x < bitmap->width; x++) {
    uint8_t *pixel = row + 4 * x;
    pixel[3] = 255;
    if (bitmap->bits == 24) {
      pixel[0] = from[3 * x + 2], pixel[1] = from[3 * x + 1], pixel[2] = from[3 * x];
      continue;
    }
    size_t bit = x * bitmap->bits;
    unsigned shift = 8 - bitmap->bits - (unsigned)(bit % 8);
    unsigned index = from[bit / 8] >> shift & ((1U << bitmap->bits) - 1);
    memcpy(pixel, bitmap->colours[index], 3);
  }
}

static bool draw(bitmap *bitmap, agnesi_canvas *canvas, const uint8_t *pixels, size_t row_size) {
  uint8_t *row = agnesi_job_allocate(bitmap->job, bitmap->width * 4);
  if (!row) return false;
  for (size_t y = 0; y < bitmap->height; y++) {
    size_t stored = bitmap->is_top_down ? y : bitmap->height - 1 - y;
    convert_row(bitmap, pixels + stored * row_size, row);
    agnesi_canvas_row(canvas, y, row, AGNESI_RGBA);
  }
  free(row);
  return true;
}

// MARK: - Runs

/// The indices of a picture stored in runs, a byte each; what no run reaches is 0.
static bool expand_runs(const bitmap *bitmap, uint8_t *indices) {
  const uint8_t *next = bitmap->job->bytes + bitmap->start;
  const uint8_t *end = bitmap->job->bytes + bitmap->job->size;
  bool is_small = bitmap->bits == 4;
  size_t x = 0, y = 0;
  while (end - next >= 2) {
    size_t count = next[0], value = next[1];
    next += 2;
    if (count == 0 && value == 0) {
      x = 0, y++;
    } else if (count == 0 && value == 1) {
      return true;
    } else if (count == 0 && value == 2) {
      if (end - next < 2) return false;
      x += next[0], y += next[1];
      next += 2;
    } else {
      bool is_literal = count == 0;
      size_t pixels = is_literal ? value : count;
      size_t bytes = is_small ? (pixels + 1) / 2 : pixels;
      if (is_literal && (size_t)(end - next) < bytes + bytes % 2) return false;
      for (size_t i = 0; i < pixels; i++, x++) {
        unsigned index = is_literal ? next[is_small ? i / 2 : i] : (unsigned)value;
        if (is_small) index = i % 2 == 0 ? index >> 4 : index & 15;
        if (x < bitmap->width && y < bitmap->height) {
          indices[y * bitmap->width + x] = (uint8_t)index;
        }
      }
      if (is_literal) next += bytes + bytes % 2;
    }
    if (y >= bitmap->height) return true;
  }
  return false;
}

static bool draw_runs(bitmap *bitmap, agnesi_canvas *canvas) {
  size_t count = bitmap->width * bitmap->height;
  uint8_t *indices = agnesi_job_allocate(bitmap->job, count);
  if (!indices) return false;
  memset(indices, 0, count);
  bool is_whole = expand_runs(bitmap, indices);
  bitmap->bits = 8;
  bool is_done = is_whole ? draw(bitmap, canvas, indices, bitmap->width)
                          : broken(bitmap->job, too_short);
  free(indices);
  return is_done;
}

bool agnesi_decode_bmp(agnesi_job *job) {
  bitmap bitmap = {.job = job};
  if (!read_header(&bitmap)) return false;
  if (!is_known(&bitmap)) {
    return agnesi_job_fail(
        job, AGNESI_STATUS_UNKNOWN, "a BMP of %u bits a pixel in compression %u is not known",
        bitmap.bits, bitmap.compression);
  }
  // Checked before anything is multiplied that comes from the file.
  agnesi_canvas canvas;
  if (!agnesi_canvas_begin(&canvas, job, bitmap.width, bitmap.height, 1)) return false;
  if (bitmap.start > job->size) return broken(job, too_short);
  if (bitmap.compression == runs8 || bitmap.compression == runs4) {
    return draw_runs(&bitmap, &canvas);
  }
  size_t row_size = (bitmap.width * bitmap.bits + 31) / 32 * 4;
  if ((job->size - bitmap.start) / row_size < bitmap.height) return broken(job, too_short);
  return draw(&bitmap, &canvas, job->bytes + bitmap.start, row_size);
}
