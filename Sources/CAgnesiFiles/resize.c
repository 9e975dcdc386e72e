#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agnesi_pictures.h"

/// Weights have this many bits behind the point: 8 of the sample and 2 to spare are before it.
enum { fraction_bits = 32 - 8 - 2 };

// MARK: - Filters

static double box(double x) { return x > -0.5 && x <= 0.5 ? 1 : 0; }

static double triangle(double x) {
  x = fabs(x);
  return x < 1 ? 1 - x : 0;
}

/// Keys's cubic convolution with a = -1/2.
static double cubic(double x) {
  const double a = -0.5;
  x = fabs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

static double sinc(double x) {
  if (x == 0) return 1;
  x *= M_PI;
  return sin(x) / x;
}

static double lanczos(double x) { return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0; }

static const struct {
  double (*weight)(double);
  double support;
} filters[] = {
    [AGNESI_FILTER_BOX] = {box, 0.5},
    [AGNESI_FILTER_BILINEAR] = {triangle, 1},
    [AGNESI_FILTER_BICUBIC] = {cubic, 2},
    [AGNESI_FILTER_LANCZOS] = {lanczos, 3},
};

/// For each new place that is kept: the first old one that counts, how many do, and their weights.
typedef struct weights {
  size_t most;
  size_t *first, *count;
  int32_t *values;
} weights;

static void release(weights *weights) {
  free(weights->first);
  free(weights->count);
  free(weights->values);
}

/// Of `new` places that `old` ones become, the `kept` from `start` on.
static bool make_weights(
    weights *weights, size_t old, size_t new, size_t start, size_t kept, agnesi_filter filter) {
  double scale = (double)old / (double)new;
  double widening = scale < 1 ? 1 : scale;
  double support = filters[filter].support * widening;
  weights->most = (size_t)ceil(support) * 2 + 1;
  weights->first = calloc(kept, sizeof *weights->first);
  weights->count = calloc(kept, sizeof *weights->count);
  weights->values = calloc(kept, weights->most * sizeof *weights->values);
  double *exact = calloc(weights->most, sizeof *exact);
  bool is_made = weights->first && weights->count && weights->values && exact;
  for (size_t place = 0; is_made && place < kept; place++) {
    double centre = ((double)(start + place) + 0.5) * scale;
    // Truncated, not floored: the first place may be below zero.
    int64_t low = (int64_t)(centre - support + 0.5), high = (int64_t)(centre + support + 0.5);
    if (low < 0) low = 0;
    if (high > (int64_t)old) high = (int64_t)old;
    size_t count = (size_t)(high - low);
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
      exact[i] = filters[filter].weight(((double)low + (double)i - centre + 0.5) * (1 / widening));
      sum += exact[i];
    }
    int32_t *values = weights->values + place * weights->most;
    for (size_t i = 0; i < count; i++) {
      double scaled = (sum != 0 ? exact[i] / sum : exact[i]) * (1 << fraction_bits);
      values[i] = (int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
    weights->first[place] = (size_t)low;
    weights->count[place] = count;
  }
  free(exact);
  return is_made;
}

// MARK: - Passes

// Products of 32-bit lanes have an instruction only in later sets of them.
#if defined __x86_64__ && defined __linux__ && defined __clang__
#define AGNESI_FOR_PROCESSORS __attribute__((target_clones("avx2", "default")))
#else
#define AGNESI_FOR_PROCESSORS
#endif

typedef int32_t lanes __attribute__((vector_size(16)));
typedef uint8_t bytes __attribute__((vector_size(4)));

static inline uint8_t rounded(int32_t sum) {
  sum >>= fraction_bits;
  return sum < 0 ? 0 : sum > 255 ? 255 : (uint8_t)sum;
}

static const int32_t half = 1 << (fraction_bits - 1);

/// Four rows of coloured pixels at once, which share their weights. Reads a byte beyond a pixel.
AGNESI_FOR_PROCESSORS
static void shrink_four_rows(
    const uint8_t *from, size_t row, uint8_t *to, size_t new_row, size_t new_width,
    const size_t *first, const size_t *count, const int32_t *values, size_t most) {
  for (size_t x = 0; x < new_width; x++, values += most) {
    const uint8_t *pixel = from + 3 * first[x];
    lanes sums[4];
    for (int i = 0; i < 4; i++) sums[i] = (lanes){half, half, half, half};
    for (size_t k = 0; k < count[x]; k++, pixel += 3) {
      lanes weight = {values[k], values[k], values[k], values[k]};
      for (int i = 0; i < 4; i++) {
        bytes samples;
        memcpy(&samples, pixel + (size_t)i * row, sizeof samples);
        sums[i] += __builtin_convertvector(samples, lanes) * weight;
      }
    }
    for (size_t i = 0; i < 4; i++) {
      for (size_t channel = 0; channel < 3; channel++) {
        to[i * new_row + 3 * x + channel] = rounded(sums[i][channel]);
      }
    }
  }
}

/// One row of any number of channels, without reading beyond it.
AGNESI_FOR_PROCESSORS
static void shrink_row(
    const uint8_t *from, size_t channels, uint8_t *to, size_t new_width, const size_t *first,
    const size_t *count, const int32_t *values, size_t most) {
  for (size_t x = 0; x < new_width; x++, values += most) {
    for (size_t channel = 0; channel < channels; channel++) {
      const uint8_t *sample = from + channels * first[x] + channel;
      int32_t sum = half;
      for (size_t k = 0; k < count[x]; k++) sum += sample[k * channels] * values[k];
      to[x * channels + channel] = rounded(sum);
    }
  }
}

/// A row of samples from the `count` rows that begin at `from`.
AGNESI_FOR_PROCESSORS
static void shrink_columns(
    const uint8_t *from, size_t row, uint8_t *to, size_t count, const int32_t *values) {
  enum { stretch = 256 };
  int32_t sums[stretch];
  for (size_t start = 0; start < row; start += stretch) {
    size_t length = row - start < stretch ? row - start : stretch;
    for (size_t x = 0; x < length; x++) sums[x] = half;
    for (size_t k = 0; k < count; k++) {
      const uint8_t *samples = from + k * row + start;
      int32_t weight = values[k];
      for (size_t x = 0; x < length; x++) sums[x] += samples[x] * weight;
    }
    for (size_t x = 0; x < length; x++) to[start + x] = rounded(sums[x]);
  }
}

/// The rows from `top` to before `bottom`, of `height` in all.
static void resize_rows(
    const uint8_t *from, size_t width, size_t height, size_t channels, size_t top, size_t bottom,
    uint8_t *to, size_t new_width, const weights *weights) {
  size_t row = width * channels, new_row = new_width * channels, y = top;
  // The last row of the four must not be the picture's last, beyond which nothing may be read.
  for (; channels == 3 && y + 4 <= bottom && y + 4 < height; y += 4, to += 4 * new_row) {
    shrink_four_rows(
        from + y * row, row, to, new_row, new_width, weights->first, weights->count,
        weights->values, weights->most);
  }
  for (; y < bottom; y++, to += new_row) {
    shrink_row(
        from + y * row, channels, to, new_width, weights->first, weights->count, weights->values,
        weights->most);
  }
}

// MARK: - All of it

/// The nearest of `old` places for the `kept` from `start` on of `new` ones, found by adding steps up.
static size_t *nearest_places(size_t old, size_t new, size_t start, size_t kept) {
  size_t *result = calloc(kept, sizeof *result);
  double scale = (double)old / (double)new, place = scale * 0.5;
  for (size_t i = 0; result && i < start + kept; i++, place += scale) {
    size_t whole = (size_t)place;
    if (i >= start) result[i - start] = whole < old ? whole : old - 1;
  }
  return result;
}

static bool pick_nearest(
    const uint8_t *from, size_t width, size_t height, size_t channels, uint8_t *to,
    size_t new_width, size_t new_height, agnesi_rectangle kept) {
  size_t *columns = nearest_places(width, new_width, kept.x, kept.width);
  size_t *rows = nearest_places(height, new_height, kept.y, kept.height);
  bool is_done = columns && rows;
  for (size_t y = 0; is_done && y < kept.height; y++) {
    const uint8_t *row = from + rows[y] * width * channels;
    for (size_t x = 0; x < kept.width; x++) {
      for (size_t channel = 0; channel < channels; channel++) {
        *to++ = row[columns[x] * channels + channel];
      }
    }
  }
  free(columns);
  free(rows);
  return is_done;
}

/// Both passes. The one along rows leaves out the old rows that no kept place is made of.
static bool filter_both_ways(
    const uint8_t *from, size_t width, size_t height, size_t channels, uint8_t *to,
    agnesi_rectangle kept, const weights *across, const weights *down) {
  size_t last = kept.height - 1;
  size_t top = down->first[0], bottom = down->first[last] + down->count[last];
  size_t row = kept.width * channels;
  uint8_t *between = malloc((bottom - top) * row);
  if (!between) return false;
  resize_rows(from, width, height, channels, top, bottom, between, kept.width, across);
  for (size_t y = 0; y < kept.height; y++) {
    shrink_columns(
        between + (down->first[y] - top) * row, row, to + y * row, down->count[y],
        down->values + y * down->most);
  }
  free(between);
  return true;
}

bool agnesi_resize(
    const uint8_t *from, size_t width, size_t height, size_t channels, uint8_t *to,
    size_t new_width, size_t new_height, agnesi_rectangle kept, agnesi_filter filter) {
  if (filter == AGNESI_FILTER_NEAREST) {
    return pick_nearest(from, width, height, channels, to, new_width, new_height, kept);
  }
  weights across = {0}, down = {0};
  bool is_done = make_weights(&across, width, new_width, kept.x, kept.width, filter) &&
                 make_weights(&down, height, new_height, kept.y, kept.height, filter) &&
                 filter_both_ways(from, width, height, channels, to, kept, &across, &down);
  release(&across);
  release(&down);
  return is_done;
}
