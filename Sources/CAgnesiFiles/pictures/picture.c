// Which format a picture has is told by its first bytes, never by its name.
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "canvas.h"

typedef struct format {
  agnesi_job_function *decode;
  size_t offset;
  size_t size;
  const char *bytes;
} format;

static const format formats[] = {
    {agnesi_decode_jpeg, 0, 3, "\xFF\xD8\xFF"},
    {agnesi_decode_png, 0, 8, "\x89PNG\r\n\x1A\n"},
    {agnesi_decode_gif, 0, 6, "GIF87a"},
    {agnesi_decode_gif, 0, 6, "GIF89a"},
    {agnesi_decode_webp, 8, 4, "WEBP"},
    {agnesi_decode_tiff, 0, 4, "II*\0"},
    {agnesi_decode_tiff, 0, 4, "MM\0*"},
    {agnesi_decode_tiff, 0, 4, "II+\0"},
    {agnesi_decode_tiff, 0, 4, "MM\0+"},
    {agnesi_decode_bmp, 0, 2, "BM"},
};

/// Formats that people take for pictures that can be read.
static const struct {
  size_t offset;
  const char *bytes, *name;
} others[] = {
    {4, "ftypheic", "HEIC"}, {4, "ftypheix", "HEIC"}, {4, "ftypmif1", "HEIF"},
    {4, "ftypavif", "AVIF"}, {4, "jP  ", "JPEG 2000"}, {0, "%PDF", "PDF"},
    {0, "8BPS", "Photoshop"}, {0, "\xFF\x0A", "JPEG XL"}, {4, "JXL ", "JPEG XL"},
    {0, "<svg", "SVG"}, {0, "<!DOCTYPE html", "HTML"}, {0, "<!doctype html", "HTML"},
    {0, "<html", "HTML"}, {0, "PK\x03\x04", "zip"}, {0, "version https://git-lfs", "Git LFS"},
};

static bool begins(const agnesi_job *job, size_t offset, const char *bytes, size_t size) {
  return job->size >= offset + size && memcmp(job->bytes + offset, bytes, size) == 0;
}

/// The first bytes as a person can look them up.
static bool refuse(agnesi_job *job) {
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    if (!begins(job, others[i].offset, others[i].bytes, strlen(others[i].bytes))) continue;
    return agnesi_job_fail(
        job, AGNESI_STATUS_UNKNOWN, "it is a %s file, not a JPEG, PNG, WebP, GIF, TIFF or BMP picture",
        others[i].name);
  }
  size_t count = job->size < 12 ? job->size : 12;
  size_t printable = 0;
  while (printable < count && isprint(job->bytes[printable])) printable++;
  bool is_text = printable == count || (printable > 3 && isspace(job->bytes[printable]));
  char shown[64];
  if (is_text) {
    snprintf(shown, sizeof shown, "the text \"%.*s\"", (int)printable, (const char *)job->bytes);
  } else {
    size_t length = (size_t)snprintf(shown, sizeof shown, "the bytes");
    for (size_t i = 0; i < count; i++) {
      length += (size_t)snprintf(shown + length, sizeof shown - length, " %02X", job->bytes[i]);
    }
  }
  return agnesi_job_fail(
      job, AGNESI_STATUS_UNKNOWN,
      "it begins with %s, as no JPEG, PNG, WebP, GIF, TIFF or BMP picture does", shown);
}

bool agnesi_decode_picture(agnesi_job *job) {
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    const format *format = &formats[i];
    if (begins(job, format->offset, format->bytes, format->size)) return format->decode(job);
  }
  return refuse(job);
}
