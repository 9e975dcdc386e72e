// What the files about oneDNN share: layouts and contexts from the inside.
#pragma once

#include <pthread.h>

#include "agnesi_dnn.h"
#include "compat.h"

enum {
  agnesi_max_arguments = 4,
  agnesi_scratch_alignment = 64,
};

/// The processor, as oneDNN's engine; a null pointer if it could not be made.
dnnl_engine_t agnesi_engine(void);

/// A layout that owns `md`; plain (a null pointer) if it is row-major.
const agnesi_layout *agnesi_layout_adopt(agnesi_md md);

/// The descriptor of a layout: a new one, of these sizes if it is plain or any. A null pointer if
/// the layout belongs to other sizes.
agnesi_md agnesi_layout_md(const agnesi_layout *layout, int rank, const int64_t *dims);

/// One argument of a context that is being made.
typedef struct agnesi_argument_spec {
  /// oneDNN's number of the argument.
  int id;
  bool is_output;
  int rank;
  dnnl_dims_t dims;
  /// Whether its conversion is kept between calls.
  bool is_kept;
  /// As the caller asked for it.
  const agnesi_layout *layout;
} agnesi_argument_spec;

/// Makes a context of a primitive descriptor, which it consumes, and adds the conversions that the
/// arguments need.
agnesi_context *agnesi_context_create(
    dnnl_primitive_desc_t pd, const agnesi_argument_spec *specs, int count, uint32_t flags,
    int threads, agnesi_status *status);

/// What a context without a primitive does with a bias.
typedef enum agnesi_empty_bias {
  agnesi_no_bias,
  /// Argument 2 is copied to every position of the output, …
  agnesi_spread_bias,
  /// … and what is negative becomes zero.
  agnesi_spread_bias_relu,
  /// Argument 3 becomes the sums of argument 1 over all axes but the channels.
  agnesi_sum_to_bias,
} agnesi_empty_bias;

/// Makes a context without a primitive, for convolutions and poolings of tensors without elements:
/// it fills its outputs with zeros, or as `bias` says.
agnesi_context *agnesi_context_create_empty(
    const agnesi_argument_spec *specs, int count, agnesi_empty_bias bias, uint32_t flags,
    agnesi_status *status);

/// The attributes that all primitives here have; the caller destroys them.
dnnl_primitive_attr_t agnesi_attributes(bool relu);

static inline agnesi_context *agnesi_fail(agnesi_status *status, agnesi_status reason) {
  if (status) *status = reason;
  return NULL;
}

static inline agnesi_status agnesi_status_of(dnnl_status_t status) {
  switch (status) {
  case dnnl_success: return agnesi_ok;
  case dnnl_out_of_memory: return agnesi_out_of_memory;
  case dnnl_invalid_arguments: return agnesi_invalid;
  default: return agnesi_unsupported;
  }
}
