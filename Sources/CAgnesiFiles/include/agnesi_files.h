/// Files from strangers, read in a process of their own.
///
/// A C library that decodes a file cannot promise to survive every file. So the file is decoded by a
/// worker: a second process of the same program, with limits on memory and time and without the right
/// to open files, start programs or use the network. What kills the worker is an error for that file.
///
/// The worker is this program itself, started again: a constructor in this target (worker.c) sees a
/// variable in its environment, serves requests and ends; `main` is never reached. Parent and worker
/// speak over a socket, one request at a time, in messages of fixed size; a request carries the
/// descriptor of the file, an answer the descriptor of shared memory that holds the result.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// What a worker can be asked. A new kind is one line here, one in the table of worker.c, and a
/// function that works as `job.h` describes.
typedef enum agnesi_kind : uint32_t {
  /// A picture as 8-bit samples, standing upright. Numbers of the request: `agnesi_picture_request`;
  /// of the answer: `agnesi_picture_answer`.
  AGNESI_KIND_PICTURE = 1,
  /// What an HDF5 file holds: a table and data, as `agnesi_entry` describes them. Numbers of the answer:
  /// `agnesi_weights_answer`.
  AGNESI_KIND_HDF5 = 2,
} agnesi_kind;

/// How a request ended.
typedef enum agnesi_files_status : uint32_t {
  AGNESI_STATUS_DONE = 0,
  /// The content is not what its format demands.
  AGNESI_STATUS_BROKEN = 1,
  /// Of no format that is known, or of a variant that is not read.
  AGNESI_STATUS_UNKNOWN = 2,
  /// Larger than the request allows; nothing was decoded.
  AGNESI_STATUS_TOO_LARGE = 3,
  /// The memory that the request allows did not do.
  AGNESI_STATUS_NO_MEMORY = 4,
  /// Of the parent's side: the time that the request allows was over.
  AGNESI_STATUS_TOO_SLOW = 5,
  /// Of the parent's side: the worker ended without an answer; `detail` is the signal, or 0.
  AGNESI_STATUS_DIED = 6,
  /// Of the parent's side: no worker came up.
  AGNESI_STATUS_NO_WORKER = 7,
} agnesi_files_status;

enum { agnesi_number_count = 8, agnesi_text_size = 256 };

/// What the worker is asked, as it goes over the socket together with the file's descriptor.
typedef struct agnesi_request {
  agnesi_kind kind;
  /// Processor seconds that the worker may take.
  uint32_t seconds;
  /// Bytes that the worker may take beside the file and what it takes at rest; the result counts.
  uint64_t memory;
  int64_t numbers[agnesi_number_count];
  /// Ends with a zero.
  char text[agnesi_text_size];
} agnesi_request;

/// What the worker answers, as it goes over the socket, with a descriptor where `size` > 0.
typedef struct agnesi_answer {
  agnesi_files_status status;
  int32_t detail;
  /// Bytes of the result.
  uint64_t size;
  int64_t numbers[agnesi_number_count];
  /// Why it failed, as the end of a sentence. Ends with a zero.
  char text[agnesi_text_size];
} agnesi_answer;

/// Places in the numbers of a request for a picture.
typedef enum agnesi_picture_request {
  /// Of the result: 1 for grey; 3 for red, green and blue.
  AGNESI_PICTURE_CHANNELS = 0,
  /// Width times height that is still decoded.
  AGNESI_PICTURE_MOST_PIXELS = 1,
  /// A JPEG may come reduced by 2, 4 or 8 as long as its shorter side keeps as many pixels; 0: never.
  AGNESI_PICTURE_LEAST_SIDE = 2,
} agnesi_picture_request;

/// Places in the numbers of the answer with a picture; where the status is TOO_LARGE, of the refusal.
typedef enum agnesi_picture_answer {
  AGNESI_PICTURE_WIDTH = 0,
  AGNESI_PICTURE_HEIGHT = 1,
} agnesi_picture_answer;

/// Places in the numbers of the answer with weights.
typedef enum agnesi_weights_answer {
  /// Entries of the table, with which the result begins.
  AGNESI_WEIGHTS_ENTRIES = 0,
  AGNESI_WEIGHTS_TABLE_SIZE = 1,
  /// Where in the result the data of unpacked datasets begin.
  AGNESI_WEIGHTS_DATA_START = 2,
} agnesi_weights_answer;

/// An entry of the table is four 32-bit numbers, the kind, the type of elements, a count and the length of
/// the name, then the name, then what the kind says. Nothing is aligned; the small byte comes first.
typedef enum agnesi_entry : uint32_t {
  /// A dataset whose elements lie in the file row by row, the small byte first: `count` sizes of 64 bits,
  /// then where in the file, 64 bits.
  AGNESI_ENTRY_IN_FILE = 0,
  /// The same, but in the data of the result.
  AGNESI_ENTRY_IN_RESULT = 1,
  /// An attribute, `group@attribute`: `count` texts, each a length of 32 bits and the bytes.
  AGNESI_ENTRY_TEXTS = 2,
  /// A dataset of other things than numbers.
  AGNESI_ENTRY_OTHER = 3,
} agnesi_entry;

/// Types of elements.
typedef enum agnesi_element : uint32_t {
  AGNESI_ELEMENT_OTHER = 0,
  AGNESI_ELEMENT_BOOL = 1,
  AGNESI_ELEMENT_INT8 = 2,
  AGNESI_ELEMENT_INT16 = 3,
  AGNESI_ELEMENT_INT32 = 4,
  AGNESI_ELEMENT_INT64 = 5,
  AGNESI_ELEMENT_UINT8 = 6,
  AGNESI_ELEMENT_UINT16 = 7,
  AGNESI_ELEMENT_UINT32 = 8,
  AGNESI_ELEMENT_UINT64 = 9,
  AGNESI_ELEMENT_FLOAT16 = 10,
  AGNESI_ELEMENT_BFLOAT16 = 11,
  AGNESI_ELEMENT_FLOAT32 = 12,
  AGNESI_ELEMENT_FLOAT64 = 13,
} agnesi_element;

// MARK: - The parent's side

/// A process that decodes. Used by one thread at a time.
typedef struct agnesi_worker {
  pid_t process;
  int socket;
  /// It has said that it is one.
  bool is_up;
} agnesi_worker;

/// Starts a worker and does not wait for it. `executable` is the program to start; NULL: this one.
/// Returns 0, or the system's error number.
int agnesi_worker_start(agnesi_worker *worker, const char *executable);

/// The process has ended by itself, as far as can be seen without waiting.
bool agnesi_worker_is_gone(const agnesi_worker *worker);

/// Asks `worker`, with the file that `descriptor` has open, and waits for the answer. The result is
/// `answer->size` bytes at `*result`, to be released with `agnesi_result_release`; NULL without one.
/// Returns false where the worker is of no further use; it has been stopped then.
bool agnesi_worker_ask(
    agnesi_worker *worker, const agnesi_request *request, int descriptor, agnesi_answer *answer,
    const void **result);

void agnesi_result_release(const void *result, uint64_t size);

/// Ends the process, whatever it is doing.
void agnesi_worker_stop(agnesi_worker *worker);

/// A descriptor of memory that holds a copy of `size` > 0 bytes; -1 with `errno` set on failure.
int agnesi_memory_with(const void *bytes, size_t size);
