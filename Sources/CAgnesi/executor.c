// A thread that runs one function at a time for whoever asks.
//
// On two busy cores a hand-off costs 20 to 100 µs (measured; the pool's other threads spin on the
// cores that the two sides need to wake up on), a call in place nothing. The shared executor
// therefore lets the first thread that uses it, in most programs the only one, run in place.
//
// Both sides first spin for the other's answer, since sleeping and waking costs tens of
// microseconds, and then sleep in the kernel. The caller spins only briefly: where there are as many
// threads as cores, it stands in the way of the pool.
#ifdef __linux__
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "agnesi.h"

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <os/os_sync_wait_on_address.h>
#endif

enum {
  // About 5 µs and 50 µs where a pause takes 40 cycles.
  caller_spins = 400,
  executor_spins = 4000,
  stack_bytes = 16 << 20,
};

/// A number that one thread raises and another waits for. Each has a cache line of its own.
typedef struct bell {
  _Alignas(128) _Atomic uint32_t rung;
  _Atomic uint32_t sleepers;
} bell;

struct agnesi_executor {
  bell request, answer;
  void (*function)(void *);
  void *argument;
  bool ends;
  /// Whether a thread may become `home`.
  bool adopts;
  /// The thread that runs in place, as the address of its `current`; guarded by `callers`.
  void *home;
  pthread_mutex_t callers;
  pthread_t thread;
};

/// The executor whose function this thread is running.
static _Thread_local agnesi_executor *current = NULL;

/// Tells when the home of the shared executor ends.
static pthread_key_t home_key;

static void rest(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

static void sleep_while(_Atomic uint32_t *address, uint32_t value) {
#ifdef __linux__
  syscall(SYS_futex, address, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
#else
  os_sync_wait_on_address((void *)address, value, sizeof value, OS_SYNC_WAIT_ON_ADDRESS_NONE);
#endif
}

static void wake(_Atomic uint32_t *address) {
#ifdef __linux__
  syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
#else
  os_sync_wake_by_address_any(
      (void *)address, sizeof(uint32_t), OS_SYNC_WAKE_BY_ADDRESS_NONE);
#endif
}

static void ring(bell *bell) {
  // Ordered before the look at `sleepers`, as the sleeper's note is before its look at `rung`.
  atomic_fetch_add(&bell->rung, 1);
  if (atomic_load(&bell->sleepers) != 0) wake(&bell->rung);
}

static void wait_beyond(bell *bell, uint32_t seen, int spins) {
  for (int i = 0; i < spins; i++) {
    if (atomic_load_explicit(&bell->rung, memory_order_acquire) != seen) return;
    rest();
  }
  atomic_fetch_add(&bell->sleepers, 1);
  while (atomic_load(&bell->rung) == seen) sleep_while(&bell->rung, seen);
  atomic_fetch_sub(&bell->sleepers, 1);
}

static void *serve(void *pointer) {
  agnesi_executor *executor = pointer;
  current = executor;
  for (uint32_t served = 0; true; served++) {
    wait_beyond(&executor->request, served, executor_spins);
    if (executor->ends) return NULL;
    agnesi_use_threads(agnesi_threads());
    executor->function(executor->argument);
    ring(&executor->answer);
  }
}

static agnesi_executor *create(bool adopts) {
  agnesi_executor *executor = aligned_alloc(128, sizeof *executor);
  if (!executor) return NULL;
  *executor = (agnesi_executor){.adopts = adopts};
  pthread_attr_t attributes;
  if (pthread_mutex_init(&executor->callers, NULL) != 0) {
    free(executor);
    return NULL;
  }
  int failure = pthread_attr_init(&attributes);
  if (failure == 0) {
    pthread_attr_setstacksize(&attributes, stack_bytes);
    failure = pthread_create(&executor->thread, &attributes, serve, executor);
    pthread_attr_destroy(&attributes);
  }
  if (failure != 0) {
    pthread_mutex_destroy(&executor->callers);
    free(executor);
    return NULL;
  }
  return executor;
}

agnesi_executor *agnesi_executor_create(void) { return create(false); }

void agnesi_executor_destroy(agnesi_executor *executor) {
  if (!executor) return;
  pthread_mutex_lock(&executor->callers);
  executor->ends = true;
  ring(&executor->request);
  pthread_mutex_unlock(&executor->callers);
  pthread_join(executor->thread, NULL);
  pthread_mutex_destroy(&executor->callers);
  free(executor);
}

// MARK: Calls

/// Another thread may become the home when this one ends.
static void leave_home(void *pointer) {
  agnesi_executor *executor = pointer;
  pthread_mutex_lock(&executor->callers);
  executor->home = NULL;
  pthread_mutex_unlock(&executor->callers);
}

/// Whether the calling thread is the executor's home, having become it if there was none.
static bool at_home(agnesi_executor *executor) {
  if (executor->home) return executor->home == (void *)&current;
  if (!executor->adopts || pthread_setspecific(home_key, executor) != 0) return false;
  executor->home = &current;
  return true;
}

void agnesi_execute(
    agnesi_executor *executor, void (*function)(void *), void *argument) {
  if (!executor || current == executor) {
    function(argument);
    return;
  }
  pthread_mutex_lock(&executor->callers);
  if (at_home(executor)) {
    agnesi_executor *outer = current;
    current = executor;
    agnesi_use_threads(agnesi_threads());
    function(argument);
    current = outer;
  } else {
    executor->function = function;
    executor->argument = argument;
    uint32_t seen = atomic_load_explicit(&executor->answer.rung, memory_order_relaxed);
    ring(&executor->request);
    wait_beyond(&executor->answer, seen, caller_spins);
  }
  pthread_mutex_unlock(&executor->callers);
}

static agnesi_executor *shared = NULL;

static void create_shared(void) {
  shared = create(pthread_key_create(&home_key, leave_home) == 0);
}

agnesi_executor *agnesi_shared_executor(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, create_shared);
  return shared;
}

/// The parameters and the result of `agnesi_run`, to pass them through `agnesi_execute`.
typedef struct job {
  const agnesi_step *steps;
  int64_t count;
  void *const *slots;
  double *seconds;
  int64_t failed;
} job;

static void run_job(void *pointer) {
  job *job = pointer;
  job->failed = agnesi_run(job->steps, job->count, job->slots, job->seconds);
}

int64_t agnesi_run_on(
    agnesi_executor *executor, const agnesi_step *steps, int64_t count, void *const *slots,
    double *seconds) {
  job job = {steps, count, slots, seconds, -1};
  agnesi_execute(executor, run_job, &job);
  return job.failed;
}
