#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// The library's header needs the one of streams before it.
#include <jpeglib.h>

#include <jerror.h>

#include "canvas.h"

typedef struct decoder {
  struct jpeg_decompress_struct library;
  struct jpeg_error_mgr errors;
  jmp_buf failed;
  agnesi_job *job;
  agnesi_canvas canvas;
  uint8_t *row;
} decoder;

static void fail(j_common_ptr library) {
  decoder *decoder = library->client_data;
  char text[JMSG_LENGTH_MAX];
  library->err->format_message(library, text);
  agnesi_files_status status = library->err->msg_code == JERR_OUT_OF_MEMORY ? AGNESI_STATUS_NO_MEMORY
                                                                      : AGNESI_STATUS_BROKEN;
  agnesi_job_fail(decoder->job, status, "damaged JPEG: %s", text);
  longjmp(decoder->failed, 1);
}

/// The library would fill a picture that ends too early with grey. Other oddities it can repair.
static void warn(j_common_ptr library, int level) {
  decoder *decoder = library->client_data;
  if (level >= 0 || library->err->msg_code != JWRN_JPEG_EOF) return;
  agnesi_job_fail(decoder->job, AGNESI_STATUS_BROKEN, "the file ends within the picture");
  longjmp(decoder->failed, 1);
}

static int orientation(const decoder *decoder) {
  for (jpeg_saved_marker_ptr marker = decoder->library.marker_list; marker; marker = marker->next) {
    bool is_exif = marker->data_length > 6 && memcmp(marker->data, "Exif\0\0", 6) == 0;
    if (is_exif) return agnesi_exif_orientation(marker->data, marker->data_length);
  }
  return 1;
}

/// The largest reduction that leaves the shorter side as long as is asked.
static unsigned reduction(const decoder *decoder) {
  int64_t least = decoder->job->request->numbers[AGNESI_PICTURE_LEAST_SIDE];
  if (least <= 0) return 1;
  JDIMENSION width = decoder->library.image_width, height = decoder->library.image_height;
  int64_t side = width < height ? width : height;
  unsigned result = 1;
  while (result < 8 && side / (2 * result) >= least) result *= 2;
  return result;
}

static bool decode(decoder *decoder) {
  j_decompress_ptr library = &decoder->library;
  agnesi_job *job = decoder->job;
  jpeg_create_decompress(library);
  library->mem->max_memory_to_use = (long)job->request->memory;
  jpeg_mem_src(library, job->bytes, job->size);
  jpeg_save_markers(library, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(library, TRUE);
  bool is_ink =
      library->jpeg_color_space == JCS_CMYK || library->jpeg_color_space == JCS_YCCK;
  bool is_grey = library->jpeg_color_space == JCS_GRAYSCALE;
  library->out_color_space = is_ink ? JCS_CMYK : is_grey ? JCS_GRAYSCALE : JCS_RGB;
  library->scale_num = 1;
  library->scale_denom = reduction(decoder);
  jpeg_calc_output_dimensions(library);
  bool is_begun = agnesi_canvas_begin(
      &decoder->canvas, job, library->output_width, library->output_height, orientation(decoder));
  if (!is_begun) return false;
  size_t row_size = (size_t)library->output_width * (size_t)library->output_components;
  decoder->row = agnesi_job_allocate(job, row_size);
  if (!decoder->row) return false;
  agnesi_layout layout = is_ink ? AGNESI_CMYK : is_grey ? AGNESI_GREY : AGNESI_RGB;
  jpeg_start_decompress(library);
  while (library->output_scanline < library->output_height) {
    size_t y = library->output_scanline;
    jpeg_read_scanlines(library, &decoder->row, 1);
    // Programs store light instead of ink in these files, as Adobe's began to.
    for (size_t i = 0; is_ink && i < row_size; i++) decoder->row[i] = 255 - decoder->row[i];
    agnesi_canvas_row(&decoder->canvas, y, decoder->row, layout);
  }
  return true;
}

bool agnesi_decode_jpeg(agnesi_job *job) {
  decoder *decoder = agnesi_job_allocate(job, sizeof *decoder);
  if (!decoder) return false;
  memset(decoder, 0, sizeof *decoder);
  decoder->job = job;
  decoder->library.err = jpeg_std_error(&decoder->errors);
  decoder->library.client_data = decoder;
  decoder->errors.error_exit = fail;
  decoder->errors.emit_message = warn;
  bool is_done = setjmp(decoder->failed) == 0 && decode(decoder);
  jpeg_destroy_decompress(&decoder->library);
  free(decoder->canvas.band);
  free(decoder->row);
  free(decoder);
  return is_done;
}
