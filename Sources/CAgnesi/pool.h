// Parallel regions on the process's one pool of threads.
#pragma once

#include <stdint.h>

/// Runs `body(context, 0)` … `body(context, count - 1)`, each once, on at most `count` threads.
void agnesi_parallel(void (*body)(void *context, int64_t index), void *context, int64_t count);
