// The step runner.
#include "agnesi.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "pool.h"

enum {
  // Arguments up to this many are gathered on the stack (32 KiB); a kernel of more is so long that
  // one allocation does not matter.
  stack_arguments = 4096,
  // No kernel runs on more threads.
  most_queues = 256,
};

/// The iterations that one thread begins with: it takes them piece by piece, and others that have come
/// to the end of theirs help. A cache line of its own.
typedef struct queue {
  _Alignas(64) _Atomic int64_t next;
  int64_t end;
} queue;

/// A kernel with its arguments, while threads run it.
typedef struct region {
  const agnesi_step *step;
  void *const *args;
  queue *queues;
  int64_t count;
  /// Iterations that are taken at once.
  int64_t piece;
} region;

static void run_queues(void *context, int64_t index) {
  const region *region = context;
  for (int64_t i = 0; i < region->count; i++) {
    queue *queue = &region->queues[(index + i) % region->count];
    while (true) {
      int64_t begin = atomic_fetch_add_explicit(&queue->next, region->piece, memory_order_relaxed);
      if (begin >= queue->end) break;
      int64_t rest = queue->end - begin;
      int64_t end = begin + (rest < region->piece ? rest : region->piece);
      region->step->kernel(region->args, region->step->sizes, begin, end);
    }
  }
}

/// Whoever works beside other processes, or with cores of two speeds, does not wait for the thread
/// that has the least time: threads share what is left. Each begins at the same iterations in every
/// step, so that it finds in its cache what it wrote before.
static void run_shared(const agnesi_step *step, void *const *args, int64_t threads) {
  int64_t count = threads < most_queues ? threads : most_queues;
  queue queues[count];
  int64_t length = step->extent / count;
  int64_t longer = step->extent % count;
  int64_t end = 0;
  for (int64_t i = 0; i < count; i++) {
    atomic_init(&queues[i].next, end);
    end += length + (i < longer ? 1 : 0);
    queues[i].end = end;
  }
  int64_t piece = (length + (longer > 0 ? 1 : 0)) / (step->pieces > 1 ? step->pieces : 1);
  // Whole vectors, where iterations are elements.
  if (piece > 64) piece = (piece + 63) / 64 * 64;
  region region = {step, args, queues, count, piece > 0 ? piece : 1};
  agnesi_parallel(run_queues, &region, count);
}

static int run_with(const agnesi_step *step, void *const *args) {
  int threads = step->threads > 0 ? step->threads : agnesi_threads();
  if (step->call) return step->call(step->context, args, step->sizes, threads);
  if (!step->kernel) return 1;
  if (step->extent <= 0) return 0;
  int64_t ranges = threads < step->extent ? threads : step->extent;
  if (ranges == 1) {
    step->kernel(args, step->sizes, 0, step->extent);
  } else {
    run_shared(step, args, ranges);
  }
  return 0;
}

static void gather(const agnesi_step *step, void *const *slots, void **args) {
  for (int32_t i = 0; i < step->slot_count; i++) {
    uintptr_t address = (uintptr_t)slots[step->slots[i]];
    args[i] = (void *)(step->offsets ? address + (uintptr_t)step->offsets[i] : address);
  }
}

static int run_step(const agnesi_step *step, void *const *slots) {
  int32_t count = step->slot_count > 0 ? step->slot_count : 0;
  if (count <= stack_arguments) {
    void *args[count + 1];
    gather(step, slots, args);
    return run_with(step, args);
  }
  void **args = malloc((size_t)count * sizeof *args);
  if (!args) return 1;
  gather(step, slots, args);
  int failure = run_with(step, args);
  free(args);
  return failure;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int64_t agnesi_run(
    const agnesi_step *steps, int64_t count, void *const *slots, double *seconds) {
  double start = seconds ? now() : 0;
  for (int64_t i = 0; i < count; i++) {
    if (run_step(&steps[i], slots) != 0) return i;
    if (seconds) {
      double end = now();
      seconds[i] = end - start;
      start = end;
    }
  }
  return -1;
}
