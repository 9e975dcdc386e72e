// What a kind of request is made of: a function that reads the file's bytes and leaves a result.
//
// It runs in the worker, alone, in one thread, and may crash, leak, or run out of memory or time:
// that costs this file. It must not open anything: the file's bytes are all there is.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agnesi_files.h"

typedef struct agnesi_job {
  const agnesi_request *request;
  agnesi_answer *answer;
  /// The file, mapped; at least one byte. Read only.
  const uint8_t *bytes;
  size_t size;
  /// The memory of the result; -1 before there is one.
  int result;
  void *result_memory;
} agnesi_job;

/// Does what is asked, or calls `agnesi_job_fail` and returns false.
typedef bool agnesi_job_function(agnesi_job *job);

/// The result's memory, filled with zeros; once for each job. NULL after having failed the job.
void *agnesi_job_result(agnesi_job *job, uint64_t size);

/// Memory that is released with the job's process or by `free`; NULL after having failed the job.
void *agnesi_job_allocate(agnesi_job *job, uint64_t size);

/// Says why the job fails, as the end of a sentence; the first reason stays. Returns false.
bool agnesi_job_fail(agnesi_job *job, agnesi_files_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

agnesi_job_function agnesi_decode_picture;
agnesi_job_function agnesi_read_hdf5;
