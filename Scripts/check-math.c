// See check-math.sh.
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "math-source.h"

enum { block = 4096, most_threads = 64 };

static double reference_sigmoid(double x) { return agnesi_sigmoid_f64(x); }
static double reference_softplus(double x) { return agnesi_softplus_f64(x); }

#define FUNCTIONS(_) \
  _(exp, exp) _(exp2, exp2) _(expm1, expm1) _(log, log) _(log2, log2) _(log10, log10) \
  _(log1p, log1p) _(sin, sin) _(cos, cos) _(tan, tan) _(asin, asin) _(acos, acos) _(atan, atan) \
  _(sinh, sinh) _(cosh, cosh) _(tanh, tanh) _(asinh, asinh) _(acosh, acosh) _(atanh, atanh) \
  _(erf, erf) _(erfc, erfc) _(lgamma, agnesi_lgamma_f64) _(sigmoid, reference_sigmoid) \
  _(softplus, reference_softplus) _(sign, agnesi_sign_f64)

#define LOOP(name, reference)                                                \
  static __attribute__((noinline)) void loop_##name(const float *x, float *y) { \
    for (int i = 0; i < block; i++) y[i] = agnesi_##name##_f32(x[i]);        \
  }
FUNCTIONS(LOOP)

static const struct {
  const char *name;
  void (*loop)(const float *, float *);
  double (*reference)(double);
} table[] = {
#define ROW(name, reference) {#name, loop_##name, reference},
    FUNCTIONS(ROW)};

/// The error of y against the exact value, in units in the last place of float32.
static double error_of(float y, double exact) {
  float rounded = (float)exact;
  if (isnan(exact)) return isnan(y) ? 0 : INFINITY;
  if (y == rounded) return y == 0 && !signbit(y) != !signbit(rounded) ? INFINITY : 0;
  if (isnan(y)) return INFINITY;
  // Beyond the largest number, infinity counts as the next one.
  double value = isinf(y) ? copysign(0x1p128, y) : y;
  double near = isinf(exact) ? copysign(0x1p128, exact) : exact;
  if (isinf(rounded) && !isinf(exact)) near = fabs(near) > 0x1p128 ? copysign(0x1p128, near) : near;
  int exponent;
  frexp(fabs(near) < 0x1p-126 ? 0x1p-126 : near, &exponent);
  return fabs(value - near) / ldexp(1, exponent - 24);
}

typedef struct part {
  int row;
  uint64_t first, stride, step;
  double worst;
  float where;
} part;

static void *check(void *pointer) {
  part *part = pointer;
  float x[block], y[block];
  for (uint64_t at = part->first; at < 0x100000000; at += part->step) {
    for (int i = 0; i < block; i++) {
      uint32_t bits = (uint32_t)(at + (uint64_t)i * part->stride);
      memcpy(&x[i], &bits, sizeof bits);
    }
    table[part->row].loop(x, y);
    for (int i = 0; i < block; i++) {
      double error = error_of(y[i], table[part->row].reference((double)x[i]));
      if (error > part->worst) {
        part->worst = error;
        part->where = x[i];
      }
    }
  }
  return NULL;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double nanoseconds(int row) {
  float x[block], y[block];
  for (int i = 0; i < block; i++) x[i] = (float)(i + 1) / block;
  double best = 1;
  for (int i = 0; i < 200; i++) {
    double start = now();
    table[row].loop(x, y);
    double seconds = now() - start;
    best = seconds < best ? seconds : best;
  }
  return best / block * 1e9;
}

int main(int count, char **words) {
  uint64_t stride = count > 1 ? strtoull(words[1], NULL, 10) : 1;
  if (stride < 1) stride = 1;
  const char *limit = getenv("AGNESI_THREADS");
  int threads = limit ? atoi(limit) : 2;
  threads = threads < 1 ? 1 : threads > most_threads ? most_threads : threads;
  int tried = 0, failures = 0;
  for (size_t row = 0; row < sizeof table / sizeof *table; row++) {
    bool wanted = count <= 2;
    for (int i = 2; i < count; i++) wanted |= strcmp(words[i], table[row].name) == 0;
    if (!wanted) continue;
    pthread_t thread[most_threads];
    part parts[most_threads] = {0};
    for (int i = 0; i < threads; i++) {
      parts[i] = (part){(int)row, (uint64_t)i * block * stride, stride,
                        (uint64_t)threads * block * stride, 0, 0};
      pthread_create(&thread[i], NULL, check, &parts[i]);
    }
    part worst = {0};
    for (int i = 0; i < threads; i++) {
      pthread_join(thread[i], NULL);
      if (parts[i].worst >= worst.worst) worst = parts[i];
    }
    bool fails = worst.worst > 2;
    tried++;
    failures += fails;
    printf(
        "%-9s %6.3f ulp at %.9g (%a), %.2f ns%s\n", table[row].name, worst.worst, worst.where,
        worst.where, nanoseconds((int)row), fails ? "  FAILED" : "");
    fflush(stdout);
  }
  printf("%d passed, %d failed\n", tried - failures, failures);
  return failures != 0;
}
