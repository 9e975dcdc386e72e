// Where the rows of a decoded picture go: converted to the wanted colours, standing upright.
#pragma once

#include "../job.h"

/// What the samples of a pixel mean. CMYK is ink: 0 is none.
typedef enum agnesi_layout {
  AGNESI_GREY,
  AGNESI_GREY_ALPHA,
  AGNESI_RGB,
  AGNESI_RGBA,
  /// Colours already multiplied by alpha.
  AGNESI_RGBA_PREMULTIPLIED,
  AGNESI_CMYK,
} agnesi_layout;

typedef struct agnesi_canvas {
  agnesi_job *job;
  /// As stored; `orientation` 5 to 8 exchanges them in the result.
  size_t width, height;
  /// As EXIF numbers it, 1 to 8.
  int orientation;
  size_t channels;
  uint8_t *result;
  /// Converted rows that wait to be turned, from row `band_start` on; NULL where none are turned.
  uint8_t *band;
  size_t band_start;
} agnesi_canvas;

/// Checks the size against the request's limit and makes room for the result.
bool agnesi_canvas_begin(
    agnesi_canvas *canvas, agnesi_job *job, uint64_t width, uint64_t height, int orientation);

/// Row `y` as stored; rows come from the top, each once.
void agnesi_canvas_row(agnesi_canvas *canvas, size_t y, const uint8_t *row, agnesi_layout layout);

/// The orientation that EXIF data give, which may begin with "Exif\0\0"; 1 where they give none.
int agnesi_exif_orientation(const uint8_t *bytes, size_t size);

/// Numbers in a file's bytes.
static inline uint32_t agnesi_little16(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}
static inline uint32_t agnesi_little32(const uint8_t *bytes) {
  return agnesi_little16(bytes) | agnesi_little16(bytes + 2) << 16;
}
static inline uint32_t agnesi_big16(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 8 | (uint32_t)bytes[1];
}
static inline uint32_t agnesi_big32(const uint8_t *bytes) {
  return agnesi_big16(bytes) << 16 | agnesi_big16(bytes + 2);
}

agnesi_job_function agnesi_decode_jpeg, agnesi_decode_png, agnesi_decode_webp, agnesi_decode_gif,
    agnesi_decode_tiff, agnesi_decode_bmp;
