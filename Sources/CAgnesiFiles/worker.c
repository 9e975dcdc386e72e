// The worker's side: serves requests until the parent is gone.
#ifdef __linux__
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agnesi_files.h"
#include "confinement.h"
#include "job.h"
#include "messages.h"

static agnesi_job_function *function_of(agnesi_kind kind) {
  switch (kind) {
    case AGNESI_KIND_PICTURE: return agnesi_decode_picture;
    case AGNESI_KIND_HDF5: return agnesi_read_hdf5;
  }
  return NULL;
}

bool agnesi_job_fail(agnesi_job *job, agnesi_files_status status, const char *format, ...) {
  if (job->answer->status != AGNESI_STATUS_DONE) return false;
  job->answer->status = status;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(job->answer->text, sizeof job->answer->text, format, arguments);
  va_end(arguments);
  return false;
}

void *agnesi_job_allocate(agnesi_job *job, uint64_t size) {
  void *result = size <= job->request->memory ? malloc(size > 0 ? size : 1) : NULL;
  if (!result) {
    agnesi_job_fail(
        job, AGNESI_STATUS_NO_MEMORY, "it takes more than %llu MB of memory",
        (unsigned long long)(job->request->memory >> 20));
  }
  return result;
}

void *agnesi_job_result(agnesi_job *job, uint64_t size) {
  if (size > 0 && size <= job->request->memory && job->result < 0) {
    job->result = agnesi_memory_create(size);
  }
  if (job->result >= 0) {
#ifdef MAP_POPULATE
    // Page by page, small pictures would take as long to touch as to decode.
    const uint64_t small = 1 << 22;
    int flags = MAP_SHARED | (size <= small ? MAP_POPULATE : 0);
#else
    int flags = MAP_SHARED;
#endif
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, job->result, 0);
    if (memory != MAP_FAILED) {
      job->answer->size = size;
      return job->result_memory = memory;
    }
  }
  agnesi_job_fail(
      job, AGNESI_STATUS_NO_MEMORY, "it takes more than %llu MB of memory",
      (unsigned long long)(job->request->memory >> 20));
  return NULL;
}

/// Answers one request; false when nobody waits for the answer.
static bool serve(int socket, agnesi_request *request, int file) {
  agnesi_answer answer = {.status = AGNESI_STATUS_DONE};
  agnesi_job job = {.request = request, .answer = &answer, .result = -1};
  request->text[agnesi_text_size - 1] = 0;
  struct stat status;
  void *bytes = MAP_FAILED;
  if (fstat(file, &status) == 0 && status.st_size > 0) {
    job.size = (size_t)status.st_size;
    bytes = mmap(NULL, job.size, PROT_READ, MAP_PRIVATE, file, 0);
  }
  close(file);
  agnesi_job_function *function = function_of(request->kind);
  if (!function) {
    agnesi_job_fail(
        &job, AGNESI_STATUS_UNKNOWN, "no worker knows requests of kind %u", (unsigned)request->kind);
  } else if (bytes == MAP_FAILED) {
    agnesi_job_fail(&job, AGNESI_STATUS_UNKNOWN, "it cannot be mapped into memory");
  } else {
    job.bytes = bytes;
    agnesi_confine_job(request);
    if (!function(&job)) agnesi_job_fail(&job, AGNESI_STATUS_BROKEN, "its content is damaged");
    agnesi_release_job();
  }
  if (bytes != MAP_FAILED) munmap(bytes, job.size);
  if (job.result_memory) munmap(job.result_memory, answer.size);
  if (answer.status != AGNESI_STATUS_DONE) answer.size = 0;
  bool is_sent = agnesi_message_send(
      socket, &answer, sizeof answer, answer.size > 0 ? job.result : -1);
  if (job.result >= 0) close(job.result);
  return is_sent;
}

/// Runs before `main`. The socket is looked at, so that a variable that somebody set by hand does
/// not turn a program into one that waits for nothing.
__attribute__((constructor)) static void work_if_asked(void) {
  const char *variable = getenv(AGNESI_WORKER_VARIABLE);
  if (!variable) return;
  char expected[8];
  snprintf(expected, sizeof expected, "%d", agnesi_worker_socket);
  struct stat status;
  bool is_asked = strcmp(variable, expected) == 0 && fstat(agnesi_worker_socket, &status) == 0 &&
                  S_ISSOCK(status.st_mode);
  if (!is_asked) {
    unsetenv(AGNESI_WORKER_VARIABLE);
    return;
  }
  agnesi_confine_process(agnesi_worker_socket);
  if (!agnesi_message_send(
          agnesi_worker_socket, AGNESI_WORKER_GREETING, agnesi_greeting_size, -1)) {
    _exit(1);
  }
  agnesi_request request;
  int file;
  while (agnesi_message_receive(agnesi_worker_socket, &request, sizeof request, &file)) {
    if (file < 0 || !serve(agnesi_worker_socket, &request, file)) break;
  }
  _exit(0);
}
