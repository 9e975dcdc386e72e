#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include "canvas.h"

/// From the list of chunks that the file is.
static int orientation(const agnesi_job *job) {
  size_t place = 12;
  while (place + 8 <= job->size) {
    size_t size = agnesi_little32(job->bytes + place + 4);
    if (size > job->size - place - 8) return 1;
    bool is_exif = memcmp(job->bytes + place, "EXIF", 4) == 0;
    if (is_exif) return agnesi_exif_orientation(job->bytes + place + 8, size);
    place += 8 + size + size % 2;
  }
  return 1;
}

static void draw(agnesi_canvas *canvas, const uint8_t *pixels, agnesi_layout layout) {
  size_t row_size = canvas->width * (layout == AGNESI_RGB ? 3 : 4);
  for (size_t y = 0; y < canvas->height; y++) {
    agnesi_canvas_row(canvas, y, pixels + y * row_size, layout);
  }
}

/// The first picture of several.
static bool decode_animation(agnesi_job *job, agnesi_canvas *canvas) {
  WebPData data = {job->bytes, job->size};
  WebPAnimDecoderOptions options;
  if (!WebPAnimDecoderOptionsInit(&options)) return false;
  options.color_mode = MODE_RGBA;
  WebPAnimDecoder *animation = WebPAnimDecoderNew(&data, &options);
  WebPAnimInfo information;
  uint8_t *pixels = NULL;
  int time;
  bool is_done = animation && WebPAnimDecoderGetInfo(animation, &information) &&
                 information.canvas_width == canvas->width &&
                 information.canvas_height == canvas->height &&
                 WebPAnimDecoderGetNext(animation, &pixels, &time);
  if (is_done) draw(canvas, pixels, AGNESI_RGBA);
  WebPAnimDecoderDelete(animation);
  return is_done ||
         agnesi_job_fail(job, AGNESI_STATUS_BROKEN, "damaged WebP: its first picture cannot be read");
}

static const char *reason(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_NOT_ENOUGH_DATA: return "the file ends within the picture";
    case VP8_STATUS_OUT_OF_MEMORY: return "it takes more memory than is allowed";
    case VP8_STATUS_UNSUPPORTED_FEATURE: return "damaged WebP: unknown feature";
    default: return "damaged WebP: its data make no picture";
  }
}

static bool refuse(agnesi_job *job, VP8StatusCode status) {
  agnesi_files_status kind =
      status == VP8_STATUS_OUT_OF_MEMORY ? AGNESI_STATUS_NO_MEMORY : AGNESI_STATUS_BROKEN;
  return agnesi_job_fail(job, kind, "%s", reason(status));
}

bool agnesi_decode_webp(agnesi_job *job) {
  WebPDecoderConfig configuration;
  if (!WebPInitDecoderConfig(&configuration)) return false;
  VP8StatusCode status = WebPGetFeatures(job->bytes, job->size, &configuration.input);
  if (status != VP8_STATUS_OK) return refuse(job, status);
  agnesi_canvas canvas;
  bool is_begun = agnesi_canvas_begin(
      &canvas, job, (uint64_t)configuration.input.width, (uint64_t)configuration.input.height,
      orientation(job));
  if (!is_begun) return false;
  if (configuration.input.has_animation) return decode_animation(job, &canvas);
  bool has_alpha = configuration.input.has_alpha;
  configuration.output.colorspace = has_alpha ? MODE_RGBA : MODE_RGB;
  status = WebPDecode(job->bytes, job->size, &configuration);
  if (status == VP8_STATUS_OK) {
    draw(&canvas, configuration.output.u.RGBA.rgba, has_alpha ? AGNESI_RGBA : AGNESI_RGB);
  }
  WebPFreeDecBuffer(&configuration.output);
  return status == VP8_STATUS_OK || refuse(job, status);
}
