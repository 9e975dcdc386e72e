// The step runner.
#include "agnesi.h"

#include <stdlib.h>
#include <time.h>

#include "pool.h"

enum {
  // Arguments up to this many are gathered on the stack (32 KiB); a kernel of more is so long that
  // one allocation does not matter.
  stack_arguments = 4096,
};

/// A kernel with its arguments, while it is being run in ranges.
typedef struct region {
  const agnesi_step *step;
  void *const *args;
  int64_t ranges;
} region;

static void run_range(void *context, int64_t index) {
  const region *region = context;
  const agnesi_step *step = region->step;
  // The first `longer` ranges have one iteration more.
  int64_t length = step->extent / region->ranges;
  int64_t longer = step->extent % region->ranges;
  int64_t begin = index * length + (index < longer ? index : longer);
  int64_t end = begin + length + (index < longer ? 1 : 0);
  step->kernel(region->args, step->sizes, begin, end);
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
    region region = {step, args, ranges};
    agnesi_parallel(run_range, &region, ranges);
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
