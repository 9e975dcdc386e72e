#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"

typedef struct decoder {
  agnesi_job *job;
  size_t position;
  png_structp library;
  png_infop information;
  agnesi_canvas canvas;
  /// One row, or all of them where the file has them interlaced.
  uint8_t *pixels;
  png_bytep *rows;
} decoder;

static void fail(png_structp library, png_const_charp text) {
  decoder *decoder = png_get_error_ptr(library);
  agnesi_job_fail(decoder->job, AGNESI_STATUS_BROKEN, "damaged PNG: %s", text);
  png_longjmp(library, 1);
}

static void ignore(png_structp library, png_const_charp text) { (void)library, (void)text; }

static void read(png_structp library, png_bytep bytes, size_t size) {
  decoder *decoder = png_get_io_ptr(library);
  if (size > decoder->job->size - decoder->position) {
    agnesi_job_fail(decoder->job, AGNESI_STATUS_BROKEN, "the file ends within the picture");
    png_longjmp(library, 1);
  }
  memcpy(bytes, decoder->job->bytes + decoder->position, size);
  decoder->position += size;
}

/// The chunk may stand behind the pixels, which have to be turned by it.
static int orientation(const agnesi_job *job) {
  size_t place = 8;
  while (job->size >= 12 && place <= job->size - 12) {
    size_t size = agnesi_big32(job->bytes + place);
    if (size > job->size - 12 - place) return 1;
    const uint8_t *name = job->bytes + place + 4;
    if (memcmp(name, "eXIf", 4) == 0) return agnesi_exif_orientation(name + 4, size);
    place += 12 + size;
  }
  return 1;
}

static bool decode(decoder *decoder) {
  png_structp library = decoder->library;
  png_infop information = decoder->information;
  agnesi_job *job = decoder->job;
  const png_uint_32 any_size = 0x7FFFFFFF;
  png_set_user_limits(library, any_size, any_size);
  png_set_chunk_malloc_max(library, 1 << 26);
  png_set_read_fn(library, decoder, read);
  png_read_info(library, information);
  size_t width = png_get_image_width(library, information);
  size_t height = png_get_image_height(library, information);
  if (!agnesi_canvas_begin(&decoder->canvas, job, width, height, orientation(job))) return false;
  png_set_expand(library);
  png_set_strip_16(library);
  int passes = png_set_interlace_handling(library);
  png_read_update_info(library, information);
  static const agnesi_layout layouts[] = {AGNESI_GREY, AGNESI_GREY_ALPHA, AGNESI_RGB, AGNESI_RGBA};
  int channels = png_get_channels(library, information);
  if (channels < 1 || channels > 4) png_error(library, "unknown channels");
  agnesi_layout layout = layouts[channels - 1];
  size_t row_size = png_get_rowbytes(library, information);
  decoder->pixels = agnesi_job_allocate(job, row_size * (passes > 1 ? height : 1));
  if (!decoder->pixels) return false;
  if (passes == 1) {
    for (size_t y = 0; y < height; y++) {
      png_read_row(library, decoder->pixels, NULL);
      agnesi_canvas_row(&decoder->canvas, y, decoder->pixels, layout);
    }
    return true;
  }
  decoder->rows = agnesi_job_allocate(job, height * sizeof *decoder->rows);
  if (!decoder->rows) return false;
  for (size_t y = 0; y < height; y++) decoder->rows[y] = decoder->pixels + y * row_size;
  png_read_image(library, decoder->rows);
  for (size_t y = 0; y < height; y++) {
    agnesi_canvas_row(&decoder->canvas, y, decoder->rows[y], layout);
  }
  return true;
}

bool agnesi_decode_png(agnesi_job *job) {
  decoder *decoder = agnesi_job_allocate(job, sizeof *decoder);
  if (!decoder) return false;
  memset(decoder, 0, sizeof *decoder);
  decoder->job = job;
  decoder->library = png_create_read_struct(PNG_LIBPNG_VER_STRING, decoder, fail, ignore);
  if (decoder->library) decoder->information = png_create_info_struct(decoder->library);
  bool is_done = false;
  if (!decoder->information) {
    agnesi_job_fail(job, AGNESI_STATUS_NO_MEMORY, "libpng could not begin");
  } else {
    is_done = setjmp(png_jmpbuf(decoder->library)) == 0 && decode(decoder);
  }
  png_destroy_read_struct(&decoder->library, &decoder->information, NULL);
  free(decoder->canvas.band);
  free(decoder->rows);
  free(decoder->pixels);
  free(decoder);
  return is_done;
}
