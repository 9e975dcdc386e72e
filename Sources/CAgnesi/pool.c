// The pool is OpenMP's, because oneDNN and OpenBLAS use it: kernels of our own join by calling the
// entry point that gcc's generated code calls. Elsewhere, the system's queues do the same.
//
// A thread that has come to the end of a region first spins for the others, for milliseconds. Where
// other processes want the same cores, that keeps the stragglers from running: with one competitor
// on two cores, a product of 0.2 ms took 7 ms, and with GOMP_SPINCOUNT=1000 in the environment
// 0.6 ms. libgomp reads that variable when it is loaded, so only whoever starts the process can
// set it.
#ifdef __linux__
#define _GNU_SOURCE
#endif
#include "pool.h"

#include <cblas.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "agnesi.h"

#ifdef __linux__
#include <sched.h>

extern int omp_get_max_threads(void);
extern void omp_set_num_threads(int count);
extern int omp_get_num_threads(void);
extern int omp_get_thread_num(void);
extern void GOMP_parallel(
    void (*body)(void *data), void *data, unsigned threads, unsigned flags);
#else
#include <dispatch/dispatch.h>
#include <sys/sysctl.h>

// Which OpenMP the libraries bring, if any, is not known when this is built.
extern int omp_get_max_threads(void) __attribute__((weak_import));
extern void omp_set_num_threads(int count) __attribute__((weak_import));
#endif

// MARK: Regions

#ifdef __linux__
typedef struct team {
  void (*body)(void *, int64_t);
  void *context;
  int64_t count;
} team;

static void member(void *data) {
  const team *team = data;
  // The system may grant fewer threads than asked for; all indices are run nevertheless.
  int64_t stride = omp_get_num_threads();
  for (int64_t i = omp_get_thread_num(); i < team->count; i += stride) {
    team->body(team->context, i);
  }
}

void agnesi_parallel(void (*body)(void *, int64_t), void *context, int64_t count) {
  team team = {body, context, count};
  GOMP_parallel(member, &team, (unsigned)(count < INT_MAX ? count : INT_MAX), 0);
}
#else
typedef struct team {
  void (*body)(void *, int64_t);
  void *context;
} team;

static void member(void *data, size_t index) {
  const team *team = data;
  team->body(team->context, (int64_t)index);
}

void agnesi_parallel(void (*body)(void *, int64_t), void *context, int64_t count) {
  team team = {body, context};
  dispatch_apply_f((size_t)count, DISPATCH_APPLY_AUTO, &team, member);
}
#endif

// MARK: How many threads

#ifdef __linux__
/// A whole number in a file of one line, or -1.
static long number_in(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) return -1;
  long number;
  if (fscanf(file, "%ld", &number) != 1) number = -1;
  fclose(file);
  return number;
}

/// The cores that the processors of the affinity mask belong to.
static int physical_cores(void) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  struct core {
    long package, core;
  } seen[CPU_SETSIZE];
  int count = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    char path[96];
    const char *format = "/sys/devices/system/cpu/cpu%d/topology/%s";
    snprintf(path, sizeof path, format, cpu, "physical_package_id");
    long package = number_in(path);
    snprintf(path, sizeof path, format, cpu, "core_id");
    long core = number_in(path);
    bool known = false;
    for (int i = 0; i < count && core >= 0; i++) {
      known = known || (seen[i].package == package && seen[i].core == core);
    }
    if (!known) seen[count++] = (struct core){package, core};
  }
  return count > 0 ? count : 1;
}

/// The number of processors that a container's quota pays for.
static int quota(void) {
  FILE *file = fopen("/sys/fs/cgroup/cpu.max", "r");
  if (!file) return INT_MAX;
  long granted, period;
  int fields = fscanf(file, "%ld %ld", &granted, &period);
  fclose(file);
  if (fields != 2 || granted <= 0 || period <= 0) return INT_MAX;
  return (int)((granted + period - 1) / period);
}
#else
static int physical_cores(void) {
  int count = 0;
  size_t size = sizeof count;
  // The fast cores where there are two kinds: work is divided evenly.
  if (sysctlbyname("hw.perflevel0.physicalcpu", &count, &size, NULL, 0) != 0 || count < 1) {
    size = sizeof count;
    if (sysctlbyname("hw.physicalcpu", &count, &size, NULL, 0) != 0 || count < 1) count = 1;
  }
  return count;
}

static int quota(void) { return INT_MAX; }
#endif

int agnesi_default_threads(void) {
  int count = physical_cores();
  int paid = quota();
  if (paid < count) count = paid;
  const char *text = getenv("AGNESI_THREADS");
  if (text) {
    char *end;
    long limit = strtol(text, &end, 10);
    if (end != text && limit >= 1 && limit < count) count = (int)limit;
  }
  return count;
}

static _Atomic int thread_count = 0;

int agnesi_threads(void) {
  int count = atomic_load_explicit(&thread_count, memory_order_relaxed);
  if (count > 0) return count;
  int unset = 0;
  count = agnesi_default_threads();
  // Another thread may have been faster, with a number that somebody chose.
  return atomic_compare_exchange_strong(&thread_count, &unset, count) ? count : unset;
}

void agnesi_set_threads(int count) {
  atomic_store(&thread_count, count < 1 ? 1 : count);
  agnesi_use_threads(count);
}

void agnesi_use_threads(int count) {
  if (count < 1) count = 1;
#ifdef __APPLE__
  if (&omp_get_max_threads == NULL || &omp_set_num_threads == NULL) return;
#endif
  // OpenMP's number belongs to the calling thread; OpenBLAS and oneDNN ask OpenMP at each call.
  if (omp_get_max_threads() != count) omp_set_num_threads(count);
}

int agnesi_vector_lanes(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return 16;
  return __builtin_cpu_supports("avx2") ? 8 : 4;
#else
  return 4;
#endif
}

bool agnesi_blas_shares_threads(void) {
#ifdef OPENBLAS_OPENMP
  return openblas_get_parallel() == OPENBLAS_OPENMP;
#else
  return true;
#endif
}
