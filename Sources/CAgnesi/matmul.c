// Products of matrices by oneDNN and OpenBLAS.
//
// Which library multiplies float32, measured on two AVX-512 cores (oneDNN 2.6.3, OpenBLAS 0.3.21):
// oneDNN reaches 200 to 230 GFLOP/s where OpenBLAS reaches 140 to 180, for all but two kinds:
// - up to about 64³ multiplications OpenBLAS takes 20 to 80 % of the time, because it looks less far
//   before it begins, and asks no other thread to help;
// - few rows of a product with both operands transposed: oneDNN falls to 20 GFLOP/s, OpenBLAS to 60.
#include <cblas.h>
#include <limits.h>
#include <string.h>

#include "agnesi.h"
#include "compat.h"
#include "pool.h"

static const double small_product = 1 << 18;
static const int64_t few_rows = 64;
// Products this small are too short to be divided among threads, so a batch of them is.
static const double divisible_product = 1 << 20;

static double multiplications(const agnesi_matmul *it) {
  return (double)it->m * (double)it->n * (double)it->k;
}

static bool uses_onednn(const agnesi_matmul *it) {
  if (it->library == agnesi_matmul_onednn) return true;
  if (it->library == agnesi_matmul_openblas) return false;
  if (multiplications(it) <= small_product) return false;
  return !(it->transpose_a && it->transpose_b && it->m < few_rows);
}

const char *agnesi_matmul_implementation(const agnesi_matmul *it) {
  if (it->is_double) return "OpenBLAS dgemm";
  return uses_onednn(it) ? "oneDNN sgemm" : "OpenBLAS sgemm";
}

static bool is_valid(const agnesi_matmul *it) {
  int64_t sizes[] = {it->m, it->n, it->k, it->row_a, it->row_b, it->row_c};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    if (sizes[i] < 0 || sizes[i] > INT_MAX) return false;
  }
  int64_t length_a = it->transpose_a ? it->m : it->k;
  int64_t length_b = it->transpose_b ? it->k : it->n;
  if (it->row_a < length_a || it->row_b < length_b || it->row_c < it->n) return false;
  return it->batch >= 0 && (it->batch < 2 || it->batch_c != 0 || it->m == 0 || it->n == 0);
}

/// C ← beta · C, for products without terms.
static void scale(const agnesi_matmul *it, void *c) {
  for (int64_t row = 0; row < it->m; row++) {
    for (int64_t column = 0; column < it->n; column++) {
      int64_t place = row * it->row_c + column;
      if (it->is_double) {
        double *value = (double *)c + place;
        *value = it->beta == 0 ? 0 : *value * it->beta;
      } else {
        float *value = (float *)c + place;
        *value = it->beta == 0 ? 0 : *value * (float)it->beta;
      }
    }
  }
}

static int at_least_one(int64_t row) { return row > 0 ? (int)row : 1; }

static int multiply(const agnesi_matmul *it, const void *a, const void *b, void *c) {
  if (it->k == 0) {
    scale(it, c);
    return 0;
  }
  int row_a = at_least_one(it->row_a), row_b = at_least_one(it->row_b);
  int row_c = at_least_one(it->row_c);
  if (!it->is_double && uses_onednn(it)) {
    dnnl_status_t status = dnnl_sgemm(
        it->transpose_a ? 'T' : 'N', it->transpose_b ? 'T' : 'N', it->m, it->n, it->k,
        (float)it->alpha, a, row_a, b, row_b, (float)it->beta, c, row_c);
    return status == dnnl_success ? 0 : 2;
  }
  CBLAS_TRANSPOSE op_a = it->transpose_a ? CblasTrans : CblasNoTrans;
  CBLAS_TRANSPOSE op_b = it->transpose_b ? CblasTrans : CblasNoTrans;
  int m = (int)it->m, n = (int)it->n, k = (int)it->k;
  if (it->is_double) {
    cblas_dgemm(
        CblasRowMajor, op_a, op_b, m, n, k, it->alpha, a, row_a, b, row_b, it->beta, c, row_c);
  } else {
    cblas_sgemm(
        CblasRowMajor, op_a, op_b, m, n, k, (float)it->alpha, a, row_a, b, row_b,
        (float)it->beta, c, row_c);
  }
  return 0;
}

/// A batch while it is being divided among threads.
typedef struct share {
  const agnesi_matmul *matmul;
  void *const *args;
  int64_t threads;
} share;

static int multiply_range(const agnesi_matmul *it, void *const *args, int64_t begin, int64_t end) {
  int64_t size = it->is_double ? (int64_t)sizeof(double) : (int64_t)sizeof(float);
  int failure = 0;
  for (int64_t i = begin; i < end && failure == 0; i++) {
    const char *a = (const char *)args[0] + i * it->batch_a * size;
    const char *b = (const char *)args[1] + i * it->batch_b * size;
    char *c = (char *)args[2] + i * it->batch_c * size;
    failure = multiply(it, a, b, c);
  }
  return failure;
}

static void multiply_share(void *context, int64_t index) {
  const share *share = context;
  int64_t batch = share->matmul->batch;
  // Small products fail only for descriptions that were refused before.
  (void)multiply_range(
      share->matmul, share->args, batch * index / share->threads,
      batch * (index + 1) / share->threads);
}

int agnesi_matmul_call(void *context, void *const *args, const int64_t *sizes, int threads) {
  (void)sizes;
  const agnesi_matmul *it = context;
  if (!is_valid(it)) return 1;
  if (it->m == 0 || it->n == 0 || it->batch == 0) return 0;
  if (threads < 1) threads = agnesi_threads();
  int64_t shares = threads < it->batch ? threads : it->batch;
  if (shares > 1 && multiplications(it) <= divisible_product) {
    // Enough batch for every thread; the libraries start no regions inside of one.
    share share = {it, args, shares};
    agnesi_parallel(multiply_share, &share, shares);
    return 0;
  }
  agnesi_use_threads(threads);
  return multiply_range(it, args, 0, it->batch);
}
