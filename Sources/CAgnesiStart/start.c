#include "agnesi_start.h"

// libgomp lets idle threads wait awake for milliseconds. On a quiet machine that gains nothing that
// can be measured; where others want the cores, it takes from them, and from our own threads, what
// they would work in. It reads its settings once, in a constructor that runs before any of ours, and
// the C library fills its environment later than an executable's preinit functions run. So a start
// without the setting starts the program again with it, which takes a millisecond.
#ifdef __linux__
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A program may be started without input and outputs. The next file that it opens would become one of
// them, and what it prints would go there in silence; like this, reading and writing fail as they did.
static void keep_standard_streams(void) {
  for (int stream = 0; stream <= 2; stream++) {
    if (fcntl(stream, F_GETFD) != -1) continue;
    open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY);
  }
}

static bool is_set(char *const *environment, const char *name) {
  size_t length = strlen(name);
  for (; *environment; environment++) {
    if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') return true;
  }
  return false;
}

static void settle(int count, char **arguments, char **environment) {
  (void)count;
  keep_standard_streams();
  if (is_set(environment, "GOMP_SPINCOUNT") || is_set(environment, "OMP_WAIT_POLICY")) return;
  char path[4096];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length <= 0) return;
  path[length] = 0;
  size_t variables = 0;
  while (environment[variables]) variables++;
  char setting[40];
  snprintf(setting, sizeof setting, "GOMP_SPINCOUNT=%d", agnesi_start_spin_count);
  char **extended = calloc(variables + 2, sizeof *extended);
  if (!extended) return;
  memcpy(extended, environment, variables * sizeof *extended);
  extended[variables] = setting;
  execve(path, arguments, extended);
  // It did not start: go on without the setting.
  free(extended);
}

__attribute__((section(".preinit_array"), used)) static void (*const settled)(
    int, char **, char **) = settle;
#endif
