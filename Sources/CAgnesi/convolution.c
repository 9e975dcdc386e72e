// Convolution and its two adjoints.
#include <limits.h>
#include <string.h>

#include "agnesi.h"
#include "dnn.h"

/// Sizes beyond this are refused, so that sums and products of a few of them do not overflow.
static const int64_t largest = INT32_MAX;

int64_t agnesi_convolution_output(const agnesi_convolution *convolution, int axis) {
  int64_t reach = (convolution->kernel[axis] - 1) * convolution->dilation[axis] + 1;
  int64_t room = convolution->size[axis] + convolution->pad_begin[axis] +
      convolution->pad_end[axis] - reach;
  return room < 0 ? 0 : room / convolution->stride[axis] + 1;
}

static bool in_range(int64_t value, int64_t least) { return value >= least && value <= largest; }

static bool is_valid(const agnesi_convolution *it) {
  if (it->rank < 1 || it->rank > 3 || !in_range(it->groups, 1)) return false;
  if (!in_range(it->batch, 0) || !in_range(it->channels, 0) || !in_range(it->filters, 0)) {
    return false;
  }
  if (it->channels % it->groups != 0 || it->filters % it->groups != 0) return false;
  for (int axis = 0; axis < it->rank; axis++) {
    if (!in_range(it->size[axis], 0) || !in_range(it->kernel[axis], 1)) return false;
    if (!in_range(it->stride[axis], 1) || !in_range(it->dilation[axis], 1)) return false;
    if (!in_range(it->pad_begin[axis], 0) || !in_range(it->pad_end[axis], 0)) return false;
  }
  return true;
}

/// The four tensors' ranks and sizes.
typedef struct tensors {
  agnesi_argument_spec src, weights, bias, dst;
} tensors;

static tensors describe(const agnesi_convolution *it) {
  tensors all = {0};
  int rank = it->rank;
  bool is_grouped = it->groups > 1;
  all.src.rank = all.dst.rank = rank + 2;
  all.weights.rank = rank + 2 + is_grouped;
  all.src.dims[0] = all.dst.dims[0] = it->batch;
  all.src.dims[1] = it->channels;
  all.dst.dims[1] = it->filters;
  // Row-major [filters, channels / groups, …] is row-major [groups, filters / groups, …] as well.
  if (is_grouped) all.weights.dims[0] = it->groups;
  all.weights.dims[is_grouped] = it->filters / it->groups;
  all.weights.dims[is_grouped + 1] = it->channels / it->groups;
  for (int axis = 0; axis < rank; axis++) {
    all.src.dims[2 + axis] = it->size[axis];
    all.weights.dims[is_grouped + 2 + axis] = it->kernel[axis];
    all.dst.dims[2 + axis] = agnesi_convolution_output(it, axis);
  }
  all.bias.rank = 1;
  all.bias.dims[0] = it->filters;
  return all;
}

static bool is_empty(const agnesi_argument_spec *spec) {
  for (int i = 0; i < spec->rank; i++) {
    if (spec->dims[i] == 0) return true;
  }
  return false;
}

/// The arguments in the order of the kind; returns how many.
static int arrange(
    agnesi_convolution_kind kind, tensors *all, bool bias, agnesi_argument_spec *specs) {
  int count = 0;
  switch (kind) {
  case agnesi_convolution_backward_data:
    all->dst.id = DNNL_ARG_DIFF_DST;
    all->weights.id = DNNL_ARG_WEIGHTS;
    all->src.id = DNNL_ARG_DIFF_SRC;
    all->src.is_output = true;
    specs[count++] = all->dst;
    specs[count++] = all->weights;
    specs[count++] = all->src;
    break;
  case agnesi_convolution_backward_weights:
    all->src.id = DNNL_ARG_SRC;
    all->dst.id = DNNL_ARG_DIFF_DST;
    all->weights.id = DNNL_ARG_DIFF_WEIGHTS;
    all->bias.id = DNNL_ARG_DIFF_BIAS;
    all->weights.is_output = all->bias.is_output = true;
    specs[count++] = all->src;
    specs[count++] = all->dst;
    specs[count++] = all->weights;
    if (bias) specs[count++] = all->bias;
    break;
  default:
    all->src.id = DNNL_ARG_SRC;
    all->weights.id = DNNL_ARG_WEIGHTS;
    all->bias.id = DNNL_ARG_BIAS;
    all->dst.id = DNNL_ARG_DST;
    all->dst.is_output = true;
    specs[count++] = all->src;
    specs[count++] = all->weights;
    if (bias) specs[count++] = all->bias;
    specs[count++] = all->dst;
  }
  return count;
}

static agnesi_window window_of(const agnesi_convolution *it) {
  agnesi_window window = {0};
  for (int axis = 0; axis < it->rank; axis++) {
    window.stride[axis] = it->stride[axis];
    window.dilation[axis] = it->dilation[axis] - 1;
    window.pad_begin[axis] = it->pad_begin[axis];
    // The library wants the padding that the windows reach, not more.
    int64_t reach = (it->kernel[axis] - 1) * it->dilation[axis] + 1;
    int64_t last = (agnesi_convolution_output(it, axis) - 1) * it->stride[axis] + reach;
    int64_t pad_end = last - it->size[axis] - it->pad_begin[axis];
    window.pad_end[axis] = pad_end > 0 ? pad_end : 0;
  }
  return window;
}

/// What a primitive descriptor is made of.
typedef struct request {
  agnesi_convolution_kind kind;
  agnesi_convolution_mds mds;
  agnesi_window window;
  bool relu, inference;
} request;

static dnnl_status_t create_pd(
    const request *request, dnnl_alg_kind_t algorithm, dnnl_primitive_desc_t *pd) {
  dnnl_engine_t engine = agnesi_engine();
  dnnl_primitive_attr_t attributes = agnesi_attributes(request->relu);
  if (!engine || !attributes) {
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    return dnnl_out_of_memory;
  }
  dnnl_primitive_desc_t forward = NULL;
  dnnl_status_t status = agnesi_convolution_pd(
      &forward, engine, request->inference ? dnnl_forward_inference : dnnl_forward_training,
      algorithm, &request->mds, &request->window, attributes, NULL);
  if (request->kind == agnesi_convolution_forward || status != dnnl_success) {
    *pd = forward;
  } else {
    bool backward_data = request->kind == agnesi_convolution_backward_data;
    status = agnesi_convolution_pd(
        pd, engine, backward_data ? dnnl_backward_data : dnnl_backward_weights, algorithm,
        &request->mds, &request->window, attributes, forward);
    dnnl_primitive_desc_destroy(forward);
  }
  dnnl_primitive_attr_destroy(attributes);
  return status;
}

/// Tries the algorithm that was asked for, then the direct one.
static dnnl_status_t find_pd(
    const request *request, agnesi_algorithm algorithm, dnnl_primitive_desc_t *pd) {
  if (algorithm != agnesi_algorithm_direct) {
    dnnl_alg_kind_t kind = algorithm == agnesi_algorithm_winograd ? dnnl_convolution_winograd
                                                                  : dnnl_convolution_auto;
    if (create_pd(request, kind, pd) == dnnl_success) return dnnl_success;
  }
  return create_pd(request, dnnl_convolution_direct, pd);
}

/// Which of the caller's layouts the primitive has to take as they are.
typedef enum binding {
  bind_nothing,
  /// Those that are not plain: a conversion of a large image costs more than the wrong kernel.
  bind_layouts,
  bind_everything,
} binding;

static agnesi_md md_of(const agnesi_argument_spec *spec, binding binding) {
  bool is_bound = binding == bind_everything || (binding == bind_layouts && spec->layout);
  const agnesi_layout *layout = is_bound ? spec->layout : agnesi_layout_any();
  return agnesi_layout_md(layout, spec->rank, spec->dims);
}

/// The layout that the caller gave to the tensor with this number of the library's.
static const agnesi_argument_spec *spec_of(
    const agnesi_argument_spec *specs, int count, const agnesi_argument_spec *tensor) {
  for (int i = 0; i < count; i++) {
    if (specs[i].id == tensor->id) return &specs[i];
  }
  return tensor;
}

/// Finds a primitive that takes the layouts as `binding` says.
static dnnl_status_t find_bound(
    const tensors *all, const agnesi_argument_spec *specs, int count, bool bias, binding binding,
    request *request, agnesi_algorithm algorithm, dnnl_primitive_desc_t *pd) {
  agnesi_md src = md_of(spec_of(specs, count, &all->src), binding);
  agnesi_md weights = md_of(spec_of(specs, count, &all->weights), binding);
  agnesi_md dst = md_of(spec_of(specs, count, &all->dst), binding);
  agnesi_md bias_md = bias ? agnesi_md_create(1, all->bias.dims, false) : NULL;
  dnnl_status_t status = dnnl_invalid_arguments;
  if (src && weights && dst && (bias_md || !bias)) {
    request->mds = (agnesi_convolution_mds){src, weights, bias_md, dst};
    status = find_pd(request, algorithm, pd);
  }
  agnesi_md_destroy(src);
  agnesi_md_destroy(weights);
  agnesi_md_destroy(dst);
  agnesi_md_destroy(bias_md);
  return status;
}

/// Whether the library has no kernel for this, only loops that say what is meant.
static bool is_reference(const_dnnl_primitive_desc_t pd) {
  const char *name = NULL;
  if (dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&name) != dnnl_success) {
    return false;
  }
  return name && strncmp(name, "ref", 3) == 0;
}

agnesi_context *agnesi_convolution_create(
    agnesi_convolution_kind kind, const agnesi_convolution *convolution, uint32_t flags,
    agnesi_algorithm algorithm, const agnesi_layout *const *layouts, int threads,
    agnesi_status *status) {
  if (!is_valid(convolution)) return agnesi_fail(status, agnesi_invalid);
  if (threads < 1) threads = agnesi_threads();
  bool bias = (flags & AGNESI_BIAS) != 0 && kind != agnesi_convolution_backward_data;
  bool relu = (flags & AGNESI_RELU) != 0 && kind == agnesi_convolution_forward;
  tensors all = describe(convolution);
  agnesi_argument_spec specs[agnesi_max_arguments];
  int count = arrange(kind, &all, bias, specs);
  for (int i = 0; i < count; i++) {
    specs[i].layout = layouts ? layouts[i] : NULL;
    specs[i].is_kept = (flags & AGNESI_KEEP_WEIGHTS) != 0 && specs[i].id == DNNL_ARG_WEIGHTS;
  }
  if (is_empty(&all.src) || is_empty(&all.weights) || is_empty(&all.dst)) {
    agnesi_empty_bias rule = agnesi_sum_to_bias;
    if (kind == agnesi_convolution_forward) {
      rule = relu ? agnesi_spread_bias_relu : agnesi_spread_bias;
    }
    return agnesi_context_create_empty(
        specs, count, bias ? rule : agnesi_no_bias, flags, status);
  }
  request request = {
      .kind = kind,
      .window = window_of(convolution),
      .relu = relu,
      .inference = (flags & AGNESI_INFERENCE) != 0 && kind == agnesi_convolution_forward,
  };
  bool exact = (flags & AGNESI_EXACT_LAYOUTS) != 0;
  agnesi_use_threads(threads);
  dnnl_primitive_desc_t pd = NULL;
  dnnl_status_t result = find_bound(
      &all, specs, count, bias, exact ? bind_everything : bind_layouts, &request, algorithm, &pd);
  if (!exact && (result != dnnl_success || is_reference(pd))) {
    // Without AVX-512, blocks of channels have no kernel for the gradients of dilated kernels: another layout
    // has, and bringing images into it costs little beside loops.
    dnnl_primitive_desc_t free_pd = NULL;
    dnnl_status_t free_result =
        find_bound(&all, specs, count, bias, bind_nothing, &request, algorithm, &free_pd);
    if (result == dnnl_success && free_result == dnnl_success && is_reference(free_pd)) {
      dnnl_primitive_desc_destroy(free_pd);
    } else if (free_result == dnnl_success) {
      if (result == dnnl_success) dnnl_primitive_desc_destroy(pd);
      pd = free_pd;
      result = free_result;
    }
  }
  if (result != dnnl_success) return agnesi_fail(status, agnesi_status_of(result));
  return agnesi_context_create(pd, specs, count, flags, threads, status);
}
