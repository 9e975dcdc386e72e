#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
// The library's header needs the one of streams before it.
#include <jpeglib.h>

#include "agnesi_pictures.h"

typedef struct encoder {
  struct jpeg_compress_struct library;
  struct jpeg_error_mgr errors;
  jmp_buf failed;
  unsigned char *file;
  unsigned long size;
} encoder;

static void fail(j_common_ptr library) {
  encoder *encoder = library->client_data;
  longjmp(encoder->failed, 1);
}

static void keep_quiet(j_common_ptr library) { (void)library; }

static void encode(
    encoder *encoder, const uint8_t *samples, size_t width, size_t height, size_t channels,
    int quality) {
  j_compress_ptr library = &encoder->library;
  jpeg_create_compress(library);
  jpeg_mem_dest(library, &encoder->file, &encoder->size);
  library->image_width = (JDIMENSION)width;
  library->image_height = (JDIMENSION)height;
  library->input_components = (int)channels;
  library->in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(library);
  jpeg_set_quality(library, quality, TRUE);
  library->optimize_coding = TRUE;
  jpeg_start_compress(library, TRUE);
  while (library->next_scanline < library->image_height) {
    JSAMPROW row = (JSAMPROW)samples + (size_t)library->next_scanline * width * channels;
    jpeg_write_scanlines(library, &row, 1);
  }
  jpeg_finish_compress(library);
}

uint8_t *agnesi_encode_jpeg(
    const uint8_t *samples, size_t width, size_t height, size_t channels, int quality,
    size_t *size) {
  encoder *encoder = calloc(1, sizeof *encoder);
  if (!encoder) return NULL;
  encoder->library.err = jpeg_std_error(&encoder->errors);
  encoder->library.client_data = encoder;
  encoder->errors.error_exit = fail;
  encoder->errors.output_message = keep_quiet;
  uint8_t *result = NULL;
  if (width <= JPEG_MAX_DIMENSION && height <= JPEG_MAX_DIMENSION &&
      setjmp(encoder->failed) == 0) {
    encode(encoder, samples, width, height, channels, quality);
    result = encoder->file;
    *size = encoder->size;
  }
  jpeg_destroy_compress(&encoder->library);
  if (!result) free(encoder->file);
  free(encoder);
  return result;
}
