// The parent's side: workers are started, asked and stopped.
#ifdef __linux__
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#include "agnesi_files.h"
#include "messages.h"

extern char **environ;

/// What the worker's environment has beside the parent's settings of the dynamic linker. Libraries
/// that the program links, and the worker never calls, prepare for one thread.
static const char *const worker_environment[] = {
    AGNESI_WORKER_VARIABLE "=3", "GOMP_SPINCOUNT=1000", "OMP_NUM_THREADS=1",
    "OPENBLAS_NUM_THREADS=1"};
enum { worker_variables = sizeof worker_environment / sizeof *worker_environment };

static bool belongs_to_linker(const char *setting) {
  return strncmp(setting, "LD_", 3) == 0 || strncmp(setting, "DYLD_", 5) == 0;
}

static char **make_environment(void) {
  size_t count = worker_variables;
  for (char **setting = environ; *setting; setting++) count += belongs_to_linker(*setting);
  char **result = calloc(count + 1, sizeof *result);
  if (!result) return NULL;
  memcpy(result, worker_environment, sizeof worker_environment);
  size_t next = worker_variables;
  for (char **setting = environ; *setting && next < count; setting++) {
    if (belongs_to_linker(*setting)) result[next++] = *setting;
  }
  return result;
}

/// On Linux the link works even when the file has been replaced meanwhile.
static const char *own_executable(char *path, uint32_t size) {
#ifdef __APPLE__
  return _NSGetExecutablePath(path, &size) == 0 ? path : NULL;
#else
  (void)path, (void)size;
  return "/proc/self/exe";
#endif
}

static int make_sockets(int sockets[2]) {
#ifdef SOCK_CLOEXEC
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets);
#else
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) return -1;
  int on = 1;
  for (int i = 0; i < 2; i++) {
    fcntl(sockets[i], F_SETFD, FD_CLOEXEC);
    setsockopt(sockets[i], SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
  }
  return 0;
#endif
}

static int spawn(pid_t *process, const char *executable, int socket, char **environment) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  // Nobody hears the worker: what it has to say is in its answers.
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, 0, 1);
  posix_spawn_file_actions_adddup2(&actions, 0, 2);
  posix_spawn_file_actions_adddup2(&actions, socket, agnesi_worker_socket);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  char *arguments[] = {"agnesi-file-worker", NULL};
  int code = posix_spawn(process, executable, &actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return code;
}

int agnesi_worker_start(agnesi_worker *worker, const char *executable) {
  *worker = (agnesi_worker){.process = -1, .socket = -1};
  char path[4096];
  if (!executable) executable = own_executable(path, sizeof path);
  if (!executable) return ENAMETOOLONG;
  int sockets[2];
  if (make_sockets(sockets) != 0) return errno;
  // One that already is the number that the worker expects would stay closed on exec, and those below
  // it are the worker's own input and output, where the program was started without them.
  for (int i = 0; i < 2; i++) {
    if (sockets[i] > agnesi_worker_socket) continue;
    int other = fcntl(sockets[i], F_DUPFD_CLOEXEC, agnesi_worker_socket + 1);
    int code = errno;
    close(sockets[i]);
    if (other < 0) {
      close(sockets[1 - i]);
      return code;
    }
    sockets[i] = other;
  }
  char **environment = make_environment();
  int code = environment ? spawn(&worker->process, executable, sockets[1], environment) : ENOMEM;
  free(environment);
  close(sockets[1]);
  if (code != 0) {
    close(sockets[0]);
    worker->process = -1;
    return code;
  }
  worker->socket = sockets[0];
  return 0;
}

/// How the process ended; it is killed if it has not.
static int reap(agnesi_worker *worker, bool kill_it) {
  int status = 0;
  if (worker->socket >= 0) close(worker->socket);
  worker->socket = -1;
  if (worker->process <= 0) return 0;
  if (kill_it) kill(worker->process, SIGKILL);
  while (waitpid(worker->process, &status, 0) < 0) {
    if (errno != EINTR) {
      status = 0;
      break;
    }
  }
  worker->process = -1;
  return status;
}

bool agnesi_worker_is_gone(const agnesi_worker *worker) {
  struct pollfd entry = {.fd = worker->socket, .events = POLLIN};
  return poll(&entry, 1, 0) > 0 && (entry.revents & POLLHUP) != 0;
}

void agnesi_worker_stop(agnesi_worker *worker) { reap(worker, true); }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/// Waits until there is something to receive, even that the other side is gone.
static bool wait_until(int socket, double deadline) {
  while (true) {
    double rest = deadline - now();
    if (rest <= 0) return false;
    struct pollfd entry = {.fd = socket, .events = POLLIN};
    int ready = poll(&entry, 1, rest > 3600 ? 3600000 : (int)(rest * 1000) + 1);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;
  }
}

static bool fail(agnesi_answer *answer, agnesi_files_status status, int detail) {
  *answer = (agnesi_answer){.status = status, .detail = detail};
  return false;
}

static bool lose(agnesi_worker *worker, agnesi_answer *answer) {
  // The socket is closed a moment before the process has ended; what stays, lied.
  int status = 0;
  for (int tries = 0; tries < 200; tries++) {
    pid_t done = waitpid(worker->process, &status, WNOHANG);
    if (done == worker->process) {
      worker->process = -1;
      break;
    }
    if (done < 0 && errno != EINTR) break;
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
  }
  reap(worker, true);
  int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return fail(answer, signal == SIGXCPU ? AGNESI_STATUS_TOO_SLOW : AGNESI_STATUS_DIED, signal);
}

static bool greet(agnesi_worker *worker) {
  if (worker->is_up) return true;
  char greeting[agnesi_greeting_size];
  int descriptor;
  const double patience = 60;
  if (!wait_until(worker->socket, now() + patience)) return false;
  if (!agnesi_message_receive(worker->socket, greeting, sizeof greeting, &descriptor)) return false;
  if (descriptor >= 0) close(descriptor);
  worker->is_up = memcmp(greeting, AGNESI_WORKER_GREETING, sizeof greeting) == 0;
  return worker->is_up;
}

/// Maps what the worker promised. It can no longer be made smaller while this process reads it.
static const void *map_result(int descriptor, uint64_t size) {
#ifdef __linux__
  if (fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK) != 0) return NULL;
#endif
  struct stat status;
  if (fstat(descriptor, &status) != 0 || (uint64_t)status.st_size < size) return NULL;
#ifdef MAP_POPULATE
  int flags = MAP_SHARED | MAP_POPULATE;
#else
  int flags = MAP_SHARED;
#endif
  void *memory = mmap(NULL, size, PROT_READ, flags, descriptor, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

bool agnesi_worker_ask(
    agnesi_worker *worker, const agnesi_request *request, int descriptor, agnesi_answer *answer,
    const void **result) {
  *result = NULL;
  if (!greet(worker)) {
    reap(worker, true);
    return fail(answer, AGNESI_STATUS_NO_WORKER, 0);
  }
  if (!agnesi_message_send(worker->socket, request, sizeof *request, descriptor)) {
    return lose(worker, answer);
  }
  // The worker counts its own processor time. A worker that waits, or has to share the processor
  // with many others, is given up much later.
  double deadline = now() + 20.0 * request->seconds + 10;
  if (!wait_until(worker->socket, deadline)) {
    reap(worker, true);
    return fail(answer, AGNESI_STATUS_TOO_SLOW, 0);
  }
  int memory;
  if (!agnesi_message_receive(worker->socket, answer, sizeof *answer, &memory)) {
    return lose(worker, answer);
  }
  answer->text[agnesi_text_size - 1] = 0;
  if (answer->size > 0 && answer->size <= request->memory && memory >= 0) {
    *result = map_result(memory, answer->size);
  }
  if (memory >= 0) close(memory);
  bool is_sound = answer->status <= AGNESI_STATUS_NO_MEMORY &&
                  (answer->size > 0) == (*result != NULL);
  if (is_sound) return true;
  if (*result) agnesi_result_release(*result, answer->size);
  *result = NULL;
  reap(worker, true);
  return fail(answer, AGNESI_STATUS_DIED, 0);
}

void agnesi_result_release(const void *result, uint64_t size) {
  if (result) munmap((void *)result, size);
}
