/// The C side of the CPU executor: one thread pool, the step runner, and the libraries behind one
/// calling convention.
///
/// A compiled function is an array of `agnesi_step`. `agnesi_run` works through it without
/// allocating, hashing or calling back into Swift.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agnesi_dnn.h"

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Steps

/// A rendered loop nest. It runs the iterations `begin..<end` of its outermost loop; different
/// ranges may run at the same time on different threads.
///
/// - args: the addresses of its buffers.
/// - sizes: the sizes that it was rendered to take, or a null pointer.
typedef void (*agnesi_kernel)(
    void *const *args, const int64_t *sizes, int64_t begin, int64_t end);

/// A call of a library. It starts its own parallel regions, with at most `threads` threads.
///
/// Returns 0, or another number when it failed.
typedef int (*agnesi_call)(
    void *context, void *const *args, const int64_t *sizes, int threads);

/// One step of a compiled function: either `kernel` or `call` is set.
typedef struct agnesi_step {
  /// Rendered loops, cut into `threads` ranges of `0..<extent`.
  agnesi_kernel kernel;
  /// A library's function, called once with `context`.
  agnesi_call call;
  void *context;
  /// Which slots the arguments are, `slot_count` of them.
  const int32_t *slots;
  /// Bytes added to each slot's address; a null pointer stands for zeros.
  const int64_t *offsets;
  int32_t slot_count;
  /// Passed on to `kernel` or `call`.
  const int64_t *sizes;
  /// The number of iterations of the kernel's outermost loop.
  int64_t extent;
  /// How many threads to use: 1 runs on the calling thread, 0 means `agnesi_threads()`.
  int32_t threads;
  /// Into how many pieces each thread's part of the iterations is cut, so that others can help: 0 and
  /// 1 leave it whole, as a kernel wants that prepares something for each range.
  int32_t pieces;
} agnesi_step;

/// Runs `count` steps in order.
///
/// The ranges that a kernel is cut into depend only on `extent`, `threads` and `pieces`, never on
/// timing or on how many threads the system grants, so that results repeat to the bit.
///
/// - slots: the address of each buffer.
/// - seconds: where to store how long each step took (`count` numbers), or a null pointer.
///
/// Returns -1, or the index of the step that failed.
int64_t agnesi_run(
    const agnesi_step *steps, int64_t count, void *const *slots, double *seconds);

// MARK: The thread pool

/// The number of threads that a new process uses: the physical cores that it may run on (by
/// affinity and, in a container, by quota), and not more than the environment variable
/// `AGNESI_THREADS` says.
int agnesi_default_threads(void);

/// The number of threads for steps that do not name one; at first `agnesi_default_threads()`.
int agnesi_threads(void);

/// Sets the number of threads for kernels, oneDNN and OpenBLAS. Contexts made before keep theirs.
///
/// - count: at least 1; less is taken as 1.
void agnesi_set_threads(int count);

/// Whether OpenBLAS is the OpenMP build, and therefore uses the same threads as everything else.
///
/// Another build works, but keeps threads of its own, which then fight for the cores.
bool agnesi_blas_shares_threads(void);

/// The float32 numbers in a vector of the running processor: 16, 8 or 4.
int agnesi_vector_lanes(void);

/// Makes OpenMP use `count` threads for regions that the calling thread starts.
void agnesi_use_threads(int count);

// MARK: Executors

/// A thread of the runtime's own, on which steps run, whichever thread asks for it.
///
/// OpenMP keeps one pool of threads for each thread that ever started a parallel region, and Swift
/// concurrency calls from many; through an executor there is one pool.
typedef struct agnesi_executor agnesi_executor;

/// The executor that the process shares, made when it is first asked for; a null pointer if the
/// system has no thread to give, which the functions below take for "run in place".
///
/// The first thread that uses it becomes its home: for that thread, functions run in place and a
/// call costs nothing. All other threads hand over to the executor's own. When the home ends, the
/// next thread may become it. So there are at most two pools.
agnesi_executor *agnesi_shared_executor(void);

/// Makes another executor; a null pointer if the system has no thread to give.
agnesi_executor *agnesi_executor_create(void);

/// Waits for the running function, ends the thread and frees the executor.
void agnesi_executor_destroy(agnesi_executor *executor);

/// Runs `function(argument)` on the executor's thread, or on its home, and returns when it has
/// returned.
///
/// Callers from several threads wait for one another. Called by a function that the executor is
/// running, it runs in place. The hand-off takes about half a microsecond when calls follow closely
/// and a core is free, and about 50 when a thread has to be woken.
void agnesi_execute(
    agnesi_executor *executor, void (*function)(void *argument), void *argument);

/// `agnesi_run` on the executor's thread.
int64_t agnesi_run_on(
    agnesi_executor *executor, const agnesi_step *steps, int64_t count, void *const *slots,
    double *seconds);

// MARK: Products of matrices

/// The library that multiplies float32 matrices.
typedef enum agnesi_matmul_library {
  /// The faster of the two for this shape, by the rule in `matmul.c`.
  agnesi_matmul_auto = 0,
  agnesi_matmul_onednn = 1,
  agnesi_matmul_openblas = 2,
} agnesi_matmul_library;

/// C ← alpha · op(A) · op(B) + beta · C, for each of `batch` matrices, all of them row-major.
///
/// op(A) is `m` × `k`, op(B) `k` × `n`, C `m` × `n`. With `beta` = 0, C is not read.
typedef struct agnesi_matmul {
  /// float64 instead of float32.
  bool is_double;
  /// A is stored as `k` × `m`.
  bool transpose_a;
  /// B is stored as `n` × `k`.
  bool transpose_b;
  int32_t library;
  int64_t m, n, k;
  /// The distance between rows as stored, in elements; at least 1 and the length of a row.
  int64_t row_a, row_b, row_c;
  /// The number of products, and the distance between their matrices in elements; a distance of 0
  /// in A or B uses one matrix for all.
  int64_t batch, batch_a, batch_b, batch_c;
  double alpha, beta;
} agnesi_matmul;

/// An `agnesi_call`: `context` is an `agnesi_matmul`, `args` are A, B and C. `sizes` is not read.
///
/// Returns 0, 1 for a description that makes no sense, or 2 when the library refused.
int agnesi_matmul_call(void *context, void *const *args, const int64_t *sizes, int threads);

/// The library and its function that multiply these matrices, such as `oneDNN sgemm`.
const char *agnesi_matmul_implementation(const agnesi_matmul *matmul);

#ifdef __cplusplus
}
#endif
