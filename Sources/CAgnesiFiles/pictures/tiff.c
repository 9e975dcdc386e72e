#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "canvas.h"

/// The library hands its messages to a function of the process; the worker has one thread.
static agnesi_job *current_job;

static void hear_error(const char *module, const char *format, va_list arguments) {
  (void)module;
  char text[160];
  vsnprintf(text, sizeof text, format, arguments);
  agnesi_job_fail(current_job, AGNESI_STATUS_BROKEN, "damaged TIFF: %s", text);
}

// MARK: - The file in memory

typedef struct source {
  const agnesi_job *job;
  uint64_t position;
} source;

static tmsize_t read(thandle_t handle, void *bytes, tmsize_t size) {
  source *source = handle;
  if (size <= 0 || source->position >= source->job->size) return 0;
  size_t rest = source->job->size - source->position;
  size_t count = (size_t)size < rest ? (size_t)size : rest;
  memcpy(bytes, source->job->bytes + source->position, count);
  source->position += count;
  return (tmsize_t)count;
}

static tmsize_t write(thandle_t handle, void *bytes, tmsize_t size) {
  (void)handle, (void)bytes, (void)size;
  return 0;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence) {
  source *source = handle;
  if (whence == SEEK_CUR) offset += source->position;
  if (whence == SEEK_END) offset += source->job->size;
  return source->position = offset;
}

static int finish(thandle_t handle) {
  (void)handle;
  return 0;
}

static toff_t size(thandle_t handle) { return ((source *)handle)->job->size; }

static int map(thandle_t handle, void **base, toff_t *size) {
  source *source = handle;
  *base = (void *)source->job->bytes;
  *size = source->job->size;
  return 1;
}

static void unmap(thandle_t handle, void *base, toff_t size) { (void)handle, (void)base, (void)size; }

// MARK: - Pixels

/// The library's conversion of everything that it knows into words of 8-bit red, green, blue and
/// alpha (the lowest byte is red), colours multiplied by alpha.
static bool decode(agnesi_job *job, TIFF *library) {
  char text[1024] = "";
  uint32_t width = 0, height = 0;
  uint16_t orientation = 1;
  TIFFGetField(library, TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetField(library, TIFFTAG_IMAGELENGTH, &height);
  TIFFGetFieldDefaulted(library, TIFFTAG_ORIENTATION, &orientation);
  agnesi_canvas canvas;
  if (!agnesi_canvas_begin(&canvas, job, width, height, orientation)) return false;
  TIFFRGBAImage image;
  if (!TIFFRGBAImageOK(library, text) || !TIFFRGBAImageBegin(&image, library, 1, text)) {
    return agnesi_job_fail(job, AGNESI_STATUS_UNKNOWN, "a TIFF of an unknown kind: %.160s", text);
  }
  // Rows as they are stored: the canvas turns them.
  image.req_orientation = image.orientation;
  uint32_t *pixels = agnesi_job_allocate(job, (uint64_t)width * height * sizeof *pixels);
  bool is_done = pixels && TIFFRGBAImageGet(&image, pixels, width, height);
  bool has_alpha = image.alpha != 0;
  TIFFRGBAImageEnd(&image);
  uint8_t *row = is_done ? agnesi_job_allocate(job, (uint64_t)width * 4) : NULL;
  for (size_t y = 0; row && y < height; y++) {
    const uint32_t *from = pixels + y * width;
    for (size_t x = 0; x < width; x++) {
      row[4 * x] = TIFFGetR(from[x]);
      row[4 * x + 1] = TIFFGetG(from[x]);
      row[4 * x + 2] = TIFFGetB(from[x]);
      row[4 * x + 3] = has_alpha ? TIFFGetA(from[x]) : 255;
    }
    agnesi_canvas_row(&canvas, y, row, AGNESI_RGBA_PREMULTIPLIED);
  }
  is_done = row != NULL;
  free(row);
  free(pixels);
  return is_done;
}

bool agnesi_decode_tiff(agnesi_job *job) {
  current_job = job;
  TIFFSetErrorHandler(hear_error);
  TIFFSetWarningHandler(NULL);
  source source = {.job = job};
  TIFF *library =
      TIFFClientOpen("", "r", &source, read, write, seek, finish, size, map, unmap);
  bool is_done = library && decode(job, library);
  if (library) TIFFClose(library);
  // The library may repair what it complains about.
  if (is_done) job->answer->status = AGNESI_STATUS_DONE;
  return is_done;
}
