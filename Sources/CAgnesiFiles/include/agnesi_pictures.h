/// What is done with pictures in memory, in this process: they are the program's own.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// How a pixel of a resized picture is made of the original's.
typedef enum agnesi_filter : uint32_t {
  AGNESI_FILTER_NEAREST = 0,
  AGNESI_FILTER_BOX = 1,
  AGNESI_FILTER_BILINEAR = 2,
  AGNESI_FILTER_BICUBIC = 3,
  AGNESI_FILTER_LANCZOS = 4,
} agnesi_filter;

/// Pixels of a picture, counted from its upper left corner.
typedef struct agnesi_rectangle {
  size_t x, y, width, height;
} agnesi_rectangle;

/// Resizes 8-bit samples, `channels` (1 or 3) of a pixel adjacent, rows from the top, and writes the
/// pixels of the new picture that are `kept`, at least one; others are not computed. When a side
/// shrinks, the filter is as much wider. First along rows, then along columns, each result rounded to
/// a byte; weights are 32-bit fractions: these are Pillow's definitions, whose results this equals.
/// (Pillow 13 goes along columns first where the height shrinks much more than the width, and rounds
/// differently there.) Returns false where memory did not do.
bool agnesi_resize(
    const uint8_t *from, size_t width, size_t height, size_t channels, uint8_t *to,
    size_t new_width, size_t new_height, agnesi_rectangle kept, agnesi_filter filter);

/// A JPEG file of 8-bit samples, `channels` 1 (grey) or 3 (red, green, blue), `quality` 1 to 100; to be
/// released with `free`. NULL where memory did not do, or a side is longer than 65,500 pixels.
uint8_t *agnesi_encode_jpeg(
    const uint8_t *samples, size_t width, size_t height, size_t channels, int quality,
    size_t *size);
