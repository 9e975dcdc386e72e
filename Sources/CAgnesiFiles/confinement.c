#ifdef __linux__
#define _GNU_SOURCE
#endif
#include "confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

/// /proc/self/statm, which tells how much address space is taken: what the program's libraries take
/// at rest does not count. Opened before opening is no longer allowed.
static int address_space = -1;

#ifdef __linux__
#if defined __x86_64__
#define AGNESI_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define AGNESI_AUDIT_ARCH AUDIT_ARCH_AARCH64
#endif
#endif

#ifdef AGNESI_AUDIT_ARCH
/// What decoding in memory and speaking with the parent take.
static const int allowed_calls[] = {
    SYS_recvmsg, SYS_sendmsg, SYS_read, SYS_pread64, SYS_write, SYS_lseek, SYS_close, SYS_fstat,
    SYS_fcntl, SYS_memfd_create, SYS_ftruncate, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect,
    SYS_madvise, SYS_brk, SYS_futex, SYS_prlimit64, SYS_getrusage, SYS_clock_gettime, SYS_getrandom,
    SYS_sched_getaffinity, SYS_sched_yield, SYS_sysinfo, SYS_getpid, SYS_gettid, SYS_tgkill,
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_exit, SYS_exit_group,
#ifdef SYS_getrlimit
    SYS_getrlimit, SYS_setrlimit,
#endif
#ifdef SYS_newfstatat
    SYS_newfstatat,
#endif
};
enum { allowed_count = sizeof allowed_calls / sizeof *allowed_calls };

/// Where the kernel has no filters, the limits are all there is.
static void refuse_other_calls(void) {
  struct sock_filter program[allowed_count + 6];
  size_t size = 0;
  program[size++] = (struct sock_filter)BPF_STMT(
      BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
  program[size++] =
      (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AGNESI_AUDIT_ARCH, 1, 0);
  program[size++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  program[size++] = (struct sock_filter)BPF_STMT(
      BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (size_t i = 0; i < allowed_count; i++) {
    unsigned char to_end = (unsigned char)(allowed_count - i);
    program[size++] = (struct sock_filter)BPF_JUMP(
        BPF_JMP | BPF_JEQ | BPF_K, (unsigned)allowed_calls[i], to_end, 0);
  }
  // Refused calls fail as for want of permission, so that a library can say so.
  program[size++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  program[size++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog filter = {.len = (unsigned short)size, .filter = program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return;
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}
#else
static void refuse_other_calls(void) {}
#endif

static void close_others(int socket) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, socket + 1, ~0U, 0) == 0) return;
#endif
  struct rlimit limit;
  rlim_t most = 65536;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < most) most = limit.rlim_cur;
  for (int descriptor = socket + 1; descriptor < (int)most; descriptor++) close(descriptor);
}

static void limit_softly(int resource, rlim_t value) {
  struct rlimit limit;
  if (getrlimit(resource, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || value < limit.rlim_max ? value : limit.rlim_max;
  setrlimit(resource, &limit);
}

void agnesi_confine_process(int socket) {
  static const int to_default[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGXCPU};
  for (size_t i = 0; i < sizeof to_default / sizeof *to_default; i++) {
    signal(to_default[i], SIG_DFL);
  }
  // The parent decides what Ctrl-C means; a file that grows too large is an error, not an end.
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  close_others(socket);
#ifdef __linux__
  address_space = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
#endif
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  setrlimit(RLIMIT_NOFILE, &(struct rlimit){16, 16});
  refuse_other_calls();
}

static uint64_t taken_address_space(void) {
  char text[64];
  ssize_t length = address_space < 0 ? -1 : pread(address_space, text, sizeof text - 1, 0);
  if (length <= 0) return 0;
  text[length] = 0;
  return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

void agnesi_confine_job(const agnesi_request *request) {
  uint64_t taken = taken_address_space();
  if (taken > 0) limit_softly(RLIMIT_AS, taken + request->memory);
  limit_softly(RLIMIT_FSIZE, request->memory);
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return;
  const long million = 1000000;
  long parts = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
  // Counted in whole seconds: rounded up.
  rlim_t used = (rlim_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + parts / million + 1);
  limit_softly(RLIMIT_CPU, used + request->seconds);
}

void agnesi_release_job(void) {
  limit_softly(RLIMIT_AS, RLIM_INFINITY);
  limit_softly(RLIMIT_FSIZE, RLIM_INFINITY);
  limit_softly(RLIMIT_CPU, RLIM_INFINITY);
}
