#include <gif_lib.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"

typedef struct decoder {
  agnesi_job *job;
  size_t position;
  GifFileType *library;
  agnesi_canvas canvas;
  /// The first picture's indices, and the whole screen's pixels.
  uint8_t *indices, *screen;
  /// The index that is not drawn; -1 for none.
  int transparent;
} decoder;

static int read(GifFileType *library, GifByteType *bytes, int size) {
  decoder *decoder = library->UserData;
  size_t rest = decoder->job->size - decoder->position;
  size_t count = (size_t)size < rest ? (size_t)size : rest;
  memcpy(bytes, decoder->job->bytes + decoder->position, count);
  decoder->position += count;
  return (int)count;
}

static bool fail(decoder *decoder, int code) {
  if (decoder->position == decoder->job->size) {
    return agnesi_job_fail(
        decoder->job, AGNESI_STATUS_BROKEN, "the file ends within the picture");
  }
  const char *text = GifErrorString(code);
  return agnesi_job_fail(
      decoder->job, AGNESI_STATUS_BROKEN, "damaged GIF: %s", text ? text : "unknown data");
}

static bool read_extension(decoder *decoder) {
  int code;
  GifByteType *block;
  if (DGifGetExtension(decoder->library, &code, &block) == GIF_ERROR) return false;
  bool is_control = code == GRAPHICS_EXT_FUNC_CODE && block && block[0] >= 4;
  if (is_control) decoder->transparent = block[1] & 1 ? block[4] : -1;
  while (block) {
    if (DGifGetExtensionNext(decoder->library, &block) == GIF_ERROR) return false;
  }
  return true;
}

/// The rows of the first picture, in the order in which they are stored.
static bool read_indices(decoder *decoder) {
  const GifImageDesc *image = &decoder->library->Image;
  size_t width = (size_t)image->Width, height = (size_t)image->Height;
  static const size_t starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
  for (size_t pass = 0; pass < (image->Interlace ? 4 : 1); pass++) {
    size_t step = image->Interlace ? steps[pass] : 1;
    for (size_t y = image->Interlace ? starts[pass] : 0; y < height; y += step) {
      uint8_t *row = decoder->indices + y * width;
      if (DGifGetLine(decoder->library, row, (int)width) == GIF_ERROR) return false;
    }
  }
  return true;
}

/// What the picture leaves free of the screen stays white.
static void draw(decoder *decoder, const ColorMapObject *colours) {
  const GifImageDesc *image = &decoder->library->Image;
  agnesi_canvas *canvas = &decoder->canvas;
  for (size_t y = 0; y < canvas->height; y++) {
    memset(decoder->screen, 255, canvas->width * 3);
    size_t row = y - (size_t)image->Top;
    bool is_inside = y >= (size_t)image->Top && row < (size_t)image->Height;
    for (size_t x = 0; is_inside && x < (size_t)image->Width; x++) {
      int index = decoder->indices[row * (size_t)image->Width + x];
      size_t place = x + (size_t)image->Left;
      if (index == decoder->transparent || place >= canvas->width) continue;
      uint8_t *pixel = decoder->screen + place * 3;
      if (index < colours->ColorCount) {
        const GifColorType *colour = &colours->Colors[index];
        pixel[0] = colour->Red, pixel[1] = colour->Green, pixel[2] = colour->Blue;
      } else {
        memset(pixel, 0, 3);
      }
    }
    agnesi_canvas_row(canvas, y, decoder->screen, AGNESI_RGB);
  }
}

static bool decode_image(decoder *decoder) {
  GifFileType *library = decoder->library;
  if (DGifGetImageDesc(library) == GIF_ERROR) return fail(decoder, library->Error);
  const GifImageDesc *image = &library->Image;
  const ColorMapObject *colours = image->ColorMap ? image->ColorMap : library->SColorMap;
  if (!colours) return agnesi_job_fail(decoder->job, AGNESI_STATUS_BROKEN, "a GIF without colours");
  size_t right = (size_t)image->Left + (size_t)image->Width;
  size_t bottom = (size_t)image->Top + (size_t)image->Height;
  size_t width = (size_t)library->SWidth > right ? (size_t)library->SWidth : right;
  size_t height = (size_t)library->SHeight > bottom ? (size_t)library->SHeight : bottom;
  if (image->Width <= 0 || image->Height <= 0) width = 0;
  if (!agnesi_canvas_begin(&decoder->canvas, decoder->job, width, height, 1)) return false;
  size_t count = (size_t)image->Width * (size_t)image->Height;
  decoder->indices = agnesi_job_allocate(decoder->job, count);
  decoder->screen = agnesi_job_allocate(decoder->job, width * 3);
  if (!decoder->indices || !decoder->screen) return false;
  if (!read_indices(decoder)) return fail(decoder, library->Error);
  draw(decoder, colours);
  return true;
}

static bool decode(decoder *decoder) {
  while (true) {
    GifRecordType type;
    if (DGifGetRecordType(decoder->library, &type) == GIF_ERROR) break;
    if (type == IMAGE_DESC_RECORD_TYPE) return decode_image(decoder);
    if (type == TERMINATE_RECORD_TYPE) {
      return agnesi_job_fail(decoder->job, AGNESI_STATUS_BROKEN, "a GIF without a picture");
    }
    if (type == EXTENSION_RECORD_TYPE && !read_extension(decoder)) break;
  }
  return fail(decoder, decoder->library->Error);
}

bool agnesi_decode_gif(agnesi_job *job) {
  decoder decoder = {.job = job, .transparent = -1};
  int code = 0;
  decoder.library = DGifOpen(&decoder, read, &code);
  bool is_done = decoder.library ? decode(&decoder) : fail(&decoder, code);
  if (decoder.library) DGifCloseFile(decoder.library, &code);
  free(decoder.canvas.band);
  free(decoder.indices);
  free(decoder.screen);
  return is_done;
}
