// Pooling, its adjoint, and plain conversions between layouts.
#include <string.h>

#include "agnesi.h"
#include "dnn.h"

static const int64_t largest = INT32_MAX;

int64_t agnesi_pooling_output(const agnesi_pooling *pooling, int axis) {
  int64_t room = pooling->size[axis] + pooling->pad_begin[axis] + pooling->pad_end[axis] -
      pooling->kernel[axis];
  return room < 0 ? 0 : room / pooling->stride[axis] + 1;
}

static bool in_range(int64_t value, int64_t least) { return value >= least && value <= largest; }

static bool is_valid(const agnesi_pooling *it) {
  if (it->rank < 1 || it->rank > 3) return false;
  if (!in_range(it->batch, 0) || !in_range(it->channels, 0)) return false;
  for (int axis = 0; axis < it->rank; axis++) {
    if (!in_range(it->size[axis], 0) || !in_range(it->kernel[axis], 1)) return false;
    if (!in_range(it->stride[axis], 1)) return false;
    // A window without any element of the source has no maximum and no mean.
    if (!in_range(it->pad_begin[axis], 0) || it->pad_begin[axis] >= it->kernel[axis]) return false;
    if (!in_range(it->pad_end[axis], 0) || it->pad_end[axis] >= it->kernel[axis]) return false;
  }
  return true;
}

static agnesi_window window_of(const agnesi_pooling *it) {
  agnesi_window window = {0};
  for (int axis = 0; axis < it->rank; axis++) {
    window.kernel[axis] = it->kernel[axis];
    window.stride[axis] = it->stride[axis];
    window.pad_begin[axis] = it->pad_begin[axis];
    int64_t last = (agnesi_pooling_output(it, axis) - 1) * it->stride[axis] + it->kernel[axis];
    int64_t pad_end = last - it->size[axis] - it->pad_begin[axis];
    window.pad_end[axis] = pad_end > 0 ? pad_end : 0;
  }
  return window;
}

static dnnl_alg_kind_t algorithm_of(agnesi_pooling_algorithm algorithm) {
  switch (algorithm) {
  case agnesi_pooling_average: return dnnl_pooling_avg_exclude_padding;
  case agnesi_pooling_average_padded: return dnnl_pooling_avg_include_padding;
  default: return dnnl_pooling_max;
  }
}

/// The specification of the source and the destination; false if one of them is empty.
static bool describe(
    const agnesi_pooling *it, agnesi_argument_spec *src, agnesi_argument_spec *dst) {
  src->rank = dst->rank = it->rank + 2;
  src->dims[0] = dst->dims[0] = it->batch;
  src->dims[1] = dst->dims[1] = it->channels;
  bool has_elements = it->batch > 0 && it->channels > 0;
  for (int axis = 0; axis < it->rank; axis++) {
    src->dims[2 + axis] = it->size[axis];
    dst->dims[2 + axis] = agnesi_pooling_output(it, axis);
    has_elements = has_elements && it->size[axis] > 0 && dst->dims[2 + axis] > 0;
  }
  return has_elements;
}

/// Makes the descriptor of the forward pass, and of the adjoint if that is wanted.
static dnnl_status_t create_pd(
    const agnesi_pooling *pooling, dnnl_alg_kind_t algorithm, bool inference, bool backward,
    agnesi_const_md src, agnesi_const_md dst, dnnl_primitive_desc_t *pd) {
  dnnl_engine_t engine = agnesi_engine();
  dnnl_primitive_attr_t attributes = agnesi_attributes(false);
  if (!engine || !attributes) {
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    return dnnl_out_of_memory;
  }
  agnesi_window window = window_of(pooling);
  dnnl_primitive_desc_t forward = NULL;
  dnnl_status_t status = agnesi_pooling_pd(
      &forward, engine, inference ? dnnl_forward_inference : dnnl_forward_training, algorithm, src,
      dst, &window, attributes, NULL);
  if (status != dnnl_success || !backward) {
    *pd = forward;
  } else {
    agnesi_const_md chosen = dnnl_primitive_desc_query_md(forward, dnnl_query_dst_md, 0);
    status = agnesi_pooling_pd(
        pd, engine, dnnl_backward_data, algorithm, src, chosen, &window, attributes, forward);
    dnnl_primitive_desc_destroy(forward);
  }
  dnnl_primitive_attr_destroy(attributes);
  return status;
}

/// The arguments in the order of the kind; returns how many.
static int arrange(
    bool backward, bool workspace, agnesi_argument_spec src, agnesi_argument_spec dst,
    agnesi_argument_spec *specs) {
  src.id = backward ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC;
  dst.id = backward ? DNNL_ARG_DIFF_DST : DNNL_ARG_DST;
  src.is_output = backward;
  dst.is_output = !backward;
  agnesi_argument_spec space = dst;
  space.id = DNNL_ARG_WORKSPACE;
  int count = 0;
  specs[count++] = backward ? dst : src;
  if (workspace && backward) specs[count++] = space;
  specs[count++] = backward ? src : dst;
  if (workspace && !backward) specs[count++] = space;
  return count;
}

agnesi_context *agnesi_pooling_create(
    agnesi_pooling_kind kind, const agnesi_pooling *pooling, agnesi_pooling_algorithm algorithm,
    uint32_t flags, const agnesi_layout *const *layouts, int threads, agnesi_status *status) {
  if (!is_valid(pooling)) return agnesi_fail(status, agnesi_invalid);
  if (threads < 1) threads = agnesi_threads();
  bool backward = kind == agnesi_pooling_backward;
  bool inference = (flags & AGNESI_INFERENCE) != 0 && !backward;
  bool workspace = algorithm == agnesi_pooling_maximum && !inference;
  agnesi_argument_spec src = {0}, dst = {0};
  bool has_elements = describe(pooling, &src, &dst);
  agnesi_argument_spec specs[agnesi_max_arguments];
  int count = arrange(backward, workspace, src, dst, specs);
  for (int i = 0; i < count; i++) {
    bool is_workspace = specs[i].id == DNNL_ARG_WORKSPACE;
    specs[i].layout =
        is_workspace ? agnesi_layout_any() : layouts ? layouts[i] : NULL;
  }
  if (!has_elements) return agnesi_context_create_empty(specs, count, agnesi_no_bias, flags, status);
  // The primitive works in the source's layout; "any" has nothing to go by and means plain.
  agnesi_argument_spec *source = &specs[backward ? count - 1 : 0];
  if (source->layout == agnesi_layout_any()) source->layout = NULL;
  agnesi_md src_md = agnesi_layout_md(source->layout, src.rank, src.dims);
  agnesi_md dst_md = agnesi_md_create(dst.rank, dst.dims, true);
  dnnl_primitive_desc_t pd = NULL;
  dnnl_status_t result = dnnl_invalid_arguments;
  if (src_md && dst_md) {
    agnesi_use_threads(threads);
    result = create_pd(
        pooling, algorithm_of(algorithm), inference, backward, src_md, dst_md, &pd);
  }
  agnesi_md_destroy(src_md);
  agnesi_md_destroy(dst_md);
  if (result != dnnl_success) return agnesi_fail(status, agnesi_status_of(result));
  return agnesi_context_create(pd, specs, count, flags, threads, status);
}

// MARK: Conversion

agnesi_context *agnesi_reorder_create(
    const agnesi_layout *from, const agnesi_layout *to, int threads, agnesi_status *status) {
  const agnesi_layout *any = agnesi_layout_any();
  if ((!from && !to) || from == any || to == any) return agnesi_fail(status, agnesi_invalid);
  if (threads < 1) threads = agnesi_threads();
  dnnl_engine_t engine = agnesi_engine();
  dnnl_primitive_attr_t attributes = agnesi_attributes(false);
  agnesi_md known = agnesi_layout_md(from ? from : to, 0, NULL);
  if (!engine || !attributes || !known) {
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    agnesi_md_destroy(known);
    return agnesi_fail(status, agnesi_out_of_memory);
  }
  agnesi_md_parts parts = agnesi_md_take_apart(known);
  agnesi_argument_spec specs[2] = {
      {.id = DNNL_ARG_FROM, .rank = parts.rank, .layout = from},
      {.id = DNNL_ARG_TO, .rank = parts.rank, .layout = to, .is_output = true},
  };
  for (int i = 0; i < parts.rank; i++) specs[0].dims[i] = specs[1].dims[i] = parts.dims[i];
  agnesi_md source = agnesi_layout_md(from, parts.rank, parts.dims);
  agnesi_md destination = agnesi_layout_md(to, parts.rank, parts.dims);
  dnnl_primitive_desc_t pd = NULL;
  dnnl_status_t result = dnnl_invalid_arguments;
  if (source && destination) {
    agnesi_use_threads(threads);
    result = dnnl_reorder_primitive_desc_create(
        &pd, source, engine, destination, engine, attributes);
  }
  agnesi_md_destroy(source);
  agnesi_md_destroy(destination);
  agnesi_md_destroy(known);
  dnnl_primitive_attr_destroy(attributes);
  if (result != dnnl_success) return agnesi_fail(status, agnesi_status_of(result));
  return agnesi_context_create(pd, specs, 2, 0, threads, status);
}
