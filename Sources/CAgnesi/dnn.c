// Contexts: a primitive with everything that it needs to run again and again.
#include "dnn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agnesi.h"

/// An argument as the caller sees it (outer) and as the primitive does (inner).
typedef struct argument {
  bool is_output;
  agnesi_md outer, inner;
  dnnl_memory_t outer_memory, inner_memory;
  /// Converts between the two; null where they are one.
  dnnl_primitive_t reorder;
  dnnl_exec_arg_t reorder_args[2];
  /// Where the outer memory was in the last call.
  void *address;
  /// Where the inner memory is within the scratch memory.
  size_t offset;
  /// Inner memory of its own, whose content is right until it is stale.
  bool is_kept, is_stale;
  void *kept;
  /// What the conversion of kept memory works in; null where it needs nothing.
  dnnl_memory_t work;
  size_t work_bytes;
} argument;

struct agnesi_context {
  pthread_mutex_t lock;
  int threads;
  int count;
  argument arguments[agnesi_max_arguments];
  dnnl_stream_t stream;
  dnnl_primitive_t primitive;
  dnnl_exec_arg_t args[agnesi_max_arguments + 1];
  dnnl_memory_t scratchpad;
  bool has_external_scratch;
  size_t scratch_bytes;
  void *scratch;
  /// Where the scratch memory was in the last call.
  void *scratch_address;
  const char *implementation;
  /// Without a primitive: see `agnesi_context_create_empty`.
  agnesi_empty_bias bias;
};

// MARK: The engine

static dnnl_engine_t engine = NULL;

static void create_engine(void) {
  if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) engine = NULL;
}

dnnl_engine_t agnesi_engine(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, create_engine);
  return engine;
}

void agnesi_dnn_identity(char *text, size_t size) {
  const dnnl_version_t *version = dnnl_version();
  snprintf(
      text, size, "%d.%d.%d isa %d", version->major, version->minor, version->patch,
      (int)dnnl_get_effective_cpu_isa());
}

dnnl_primitive_attr_t agnesi_attributes(bool relu) {
  dnnl_primitive_attr_t attributes = NULL;
  if (dnnl_primitive_attr_create(&attributes) != dnnl_success) return NULL;
  dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
  if (!relu) return attributes;
  dnnl_post_ops_t operations = NULL;
  bool added = dnnl_post_ops_create(&operations) == dnnl_success &&
      agnesi_append_relu(operations) == dnnl_success &&
      dnnl_primitive_attr_set_post_ops(attributes, operations) == dnnl_success;
  if (operations) dnnl_post_ops_destroy(operations);
  if (added) return attributes;
  dnnl_primitive_attr_destroy(attributes);
  return NULL;
}

// MARK: Making

static agnesi_context *allocate(int count, uint32_t flags, int threads) {
  agnesi_context *context = calloc(1, sizeof *context);
  if (!context) return NULL;
  pthread_mutex_init(&context->lock, NULL);
  context->threads = threads;
  context->count = count;
  context->has_external_scratch = (flags & AGNESI_EXTERNAL_SCRATCH) != 0;
  context->implementation = "none";
  return context;
}

void agnesi_context_destroy(agnesi_context *context) {
  if (!context) return;
  for (int i = 0; i < context->count; i++) {
    argument *argument = &context->arguments[i];
    if (argument->reorder) {
      dnnl_primitive_destroy(argument->reorder);
      if (argument->inner_memory) dnnl_memory_destroy(argument->inner_memory);
    }
    free(argument->kept);
    if (argument->work) dnnl_memory_destroy(argument->work);
    if (argument->outer_memory) dnnl_memory_destroy(argument->outer_memory);
    agnesi_md_destroy(argument->outer);
    agnesi_md_destroy(argument->inner);
  }
  if (context->scratchpad) dnnl_memory_destroy(context->scratchpad);
  if (context->primitive) dnnl_primitive_destroy(context->primitive);
  if (context->stream) dnnl_stream_destroy(context->stream);
  free(context->scratch);
  pthread_mutex_destroy(&context->lock);
  free(context);
}

static size_t aligned(size_t bytes) {
  size_t mask = agnesi_scratch_alignment - 1;
  return (bytes + mask) & ~mask;
}

static dnnl_status_t create_memory(dnnl_memory_t *memory, agnesi_const_md md) {
  return dnnl_memory_create(memory, md, engine, DNNL_MEMORY_NONE);
}

/// What the conversion needs to work in. Where it runs once, the library should not hold on to that
/// as long as the conversion lives: Winograd's kernels want as much again as they are.
static dnnl_status_t add_work(argument *argument, const_dnnl_primitive_desc_t pd) {
  agnesi_const_md md = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
  argument->work_bytes = md ? aligned(dnnl_memory_desc_get_size(md)) : 0;
  return argument->work_bytes > 0 ? create_memory(&argument->work, md) : dnnl_success;
}

/// Prepares the conversion of an argument whose two descriptors differ.
static dnnl_status_t add_reorder(agnesi_context *context, argument *argument) {
  agnesi_const_md from = argument->is_output ? argument->inner : argument->outer;
  agnesi_const_md to = argument->is_output ? argument->outer : argument->inner;
  dnnl_primitive_desc_t pd = NULL;
  dnnl_primitive_attr_t attributes = argument->is_kept ? agnesi_attributes(false) : NULL;
  if (argument->is_kept && !attributes) return dnnl_out_of_memory;
  dnnl_status_t status =
      dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, attributes);
  if (attributes) dnnl_primitive_attr_destroy(attributes);
  if (status != dnnl_success) return status;
  status = dnnl_primitive_create(&argument->reorder, pd);
  if (status == dnnl_success && argument->is_kept) status = add_work(argument, pd);
  dnnl_primitive_desc_destroy(pd);
  if (status != dnnl_success) return status;
  status = create_memory(&argument->inner_memory, argument->inner);
  if (status != dnnl_success) return status;
  size_t bytes = aligned(dnnl_memory_desc_get_size(argument->inner));
  if (argument->is_kept) {
    argument->kept = aligned_alloc(agnesi_scratch_alignment, bytes);
    if (!argument->kept) return dnnl_out_of_memory;
    argument->is_stale = true;
    status = dnnl_memory_set_data_handle(argument->inner_memory, argument->kept);
    if (status != dnnl_success) return status;
  } else {
    argument->offset = context->scratch_bytes;
    context->scratch_bytes += bytes;
  }
  dnnl_memory_t source =
      argument->is_output ? argument->inner_memory : argument->outer_memory;
  dnnl_memory_t destination =
      argument->is_output ? argument->outer_memory : argument->inner_memory;
  argument->reorder_args[0] = (dnnl_exec_arg_t){DNNL_ARG_FROM, source};
  argument->reorder_args[1] = (dnnl_exec_arg_t){DNNL_ARG_TO, destination};
  return dnnl_success;
}

static dnnl_status_t add_argument(
    agnesi_context *context, int index, const agnesi_argument_spec *spec,
    const_dnnl_primitive_desc_t pd) {
  argument *argument = &context->arguments[index];
  argument->is_output = spec->is_output;
  argument->is_kept = spec->is_kept && !spec->is_output;
  agnesi_const_md inner = dnnl_primitive_desc_query_md(pd, dnnl_query_exec_arg_md, spec->id);
  argument->inner = agnesi_md_clone(inner);
  if (!argument->inner) return dnnl_out_of_memory;
  bool follows = spec->layout == agnesi_layout_any();
  argument->outer = follows ? agnesi_md_clone(inner)
                            : agnesi_layout_md(spec->layout, spec->rank, spec->dims);
  if (!argument->outer) return dnnl_invalid_arguments;
  dnnl_status_t status = create_memory(&argument->outer_memory, argument->outer);
  if (status != dnnl_success) return status;
  argument->inner_memory = argument->outer_memory;
  if (!dnnl_memory_desc_equal(argument->outer, argument->inner)) {
    status = add_reorder(context, argument);
  }
  context->args[index] = (dnnl_exec_arg_t){spec->id, argument->inner_memory};
  return status;
}

static dnnl_status_t add_scratchpad(agnesi_context *context, const_dnnl_primitive_desc_t pd) {
  agnesi_const_md md = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
  size_t bytes = md ? dnnl_memory_desc_get_size(md) : 0;
  if (bytes == 0) return dnnl_success;
  context->scratch_bytes = aligned(bytes);
  return create_memory(&context->scratchpad, md);
}

static dnnl_status_t allocate_scratch(agnesi_context *context) {
  if (context->has_external_scratch || context->scratch_bytes == 0) return dnnl_success;
  context->scratch = aligned_alloc(agnesi_scratch_alignment, context->scratch_bytes);
  return context->scratch ? dnnl_success : dnnl_out_of_memory;
}

static dnnl_status_t fill_in(
    agnesi_context *context, dnnl_primitive_desc_t pd, const agnesi_argument_spec *specs) {
  dnnl_status_t status = dnnl_stream_create(&context->stream, engine, dnnl_stream_default_flags);
  if (status == dnnl_success) status = add_scratchpad(context, pd);
  for (int i = 0; status == dnnl_success && i < context->count; i++) {
    status = add_argument(context, i, &specs[i], pd);
  }
  if (status == dnnl_success) {
    context->args[context->count] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, context->scratchpad};
    status = dnnl_primitive_create(&context->primitive, pd);
  }
  if (status == dnnl_success) status = allocate_scratch(context);
  if (status != dnnl_success) return status;
  // The text belongs to the primitive's own descriptor, which lives as long as the primitive.
  const_dnnl_primitive_desc_t own = NULL;
  if (dnnl_primitive_get_primitive_desc(context->primitive, &own) == dnnl_success) {
    dnnl_primitive_desc_query(own, dnnl_query_impl_info_str, 0, &context->implementation);
  }
  return dnnl_success;
}

agnesi_context *agnesi_context_create(
    dnnl_primitive_desc_t pd, const agnesi_argument_spec *specs, int count, uint32_t flags,
    int threads, agnesi_status *status) {
  agnesi_context *context = allocate(count, flags, threads);
  dnnl_status_t result = context ? fill_in(context, pd, specs) : dnnl_out_of_memory;
  dnnl_primitive_desc_destroy(pd);
  if (status) *status = agnesi_status_of(result);
  if (result == dnnl_success) return context;
  agnesi_context_destroy(context);
  return NULL;
}

agnesi_context *agnesi_context_create_empty(
    const agnesi_argument_spec *specs, int count, agnesi_empty_bias bias, uint32_t flags,
    agnesi_status *status) {
  agnesi_context *context = allocate(count, flags, 1);
  if (!context) return agnesi_fail(status, agnesi_out_of_memory);
  context->bias = bias;
  for (int i = 0; i < count; i++) {
    bool follows = specs[i].layout == agnesi_layout_any();
    argument *argument = &context->arguments[i];
    argument->is_output = specs[i].is_output;
    argument->outer =
        agnesi_layout_md(follows ? NULL : specs[i].layout, specs[i].rank, specs[i].dims);
    argument->inner = agnesi_md_clone(argument->outer);
    if (!argument->inner) {
      agnesi_context_destroy(context);
      return agnesi_fail(status, agnesi_invalid);
    }
  }
  if (status) *status = agnesi_ok;
  return context;
}

// MARK: Calling

/// Tells the library where an argument is. It writes zeros into the elements beyond the tensor when
/// it is told, so it is told only what is new.
static dnnl_status_t bind(dnnl_memory_t memory, void **last, void *address) {
  if (*last == address) return dnnl_success;
  dnnl_status_t status = dnnl_memory_set_data_handle(memory, address);
  if (status == dnnl_success) *last = address;
  return status;
}

static dnnl_status_t bind_scratch(agnesi_context *context, void *address) {
  if (context->scratch_bytes == 0 || context->scratch_address == address) return dnnl_success;
  if (!address) return dnnl_invalid_arguments;
  dnnl_status_t status = dnnl_success;
  if (context->scratchpad) status = dnnl_memory_set_data_handle(context->scratchpad, address);
  for (int i = 0; status == dnnl_success && i < context->count; i++) {
    argument *argument = &context->arguments[i];
    if (!argument->reorder || argument->is_kept) continue;
    char *place = (char *)address + argument->offset;
    status = dnnl_memory_set_data_handle(argument->inner_memory, place);
  }
  if (status == dnnl_success) context->scratch_address = address;
  return status;
}

/// Converts what is kept if it is stale, in `work`, or, if that is a null pointer, in memory of its
/// own.
static dnnl_status_t keep(agnesi_context *context, argument *argument, void *work) {
  if (!argument->is_stale) return dnnl_success;
  void *own = NULL;
  if (argument->work) {
    if (!work) work = own = aligned_alloc(agnesi_scratch_alignment, argument->work_bytes);
    if (!work) return dnnl_out_of_memory;
    dnnl_status_t status = dnnl_memory_set_data_handle(argument->work, work);
    if (status != dnnl_success) {
      free(own);
      return status;
    }
  }
  dnnl_exec_arg_t args[] = {
      argument->reorder_args[0], argument->reorder_args[1],
      {DNNL_ARG_SCRATCHPAD, argument->work}};
  dnnl_status_t status = dnnl_primitive_execute(
      argument->reorder, context->stream, argument->work ? 3 : 2, args);
  free(own);
  if (status == dnnl_success) argument->is_stale = false;
  return status;
}

static dnnl_status_t convert(agnesi_context *context, bool outputs) {
  dnnl_status_t status = dnnl_success;
  for (int i = 0; status == dnnl_success && i < context->count; i++) {
    argument *argument = &context->arguments[i];
    if (!argument->reorder || argument->is_output != outputs) continue;
    if (argument->is_kept) {
      status = keep(context, argument, NULL);
    } else {
      status = dnnl_primitive_execute(
          argument->reorder, context->stream, 2, argument->reorder_args);
    }
  }
  return status;
}

static dnnl_status_t execute(agnesi_context *context, void *const *args) {
  agnesi_use_threads(context->threads);
  dnnl_status_t status = bind_scratch(
      context, context->has_external_scratch ? args[context->count] : context->scratch);
  for (int i = 0; status == dnnl_success && i < context->count; i++) {
    if (!args[i]) return dnnl_invalid_arguments;
    argument *argument = &context->arguments[i];
    status = bind(argument->outer_memory, &argument->address, args[i]);
  }
  if (status == dnnl_success) status = convert(context, false);
  if (status == dnnl_success) {
    int count = context->count + (context->scratchpad ? 1 : 0);
    status = dnnl_primitive_execute(context->primitive, context->stream, count, context->args);
  }
  if (status == dnnl_success) status = convert(context, true);
  return status;
}

/// Calls `body` for each row of a plain `[batch, channels, spatial…]` array.
static void for_rows(
    agnesi_const_md md, float *values, float *bias,
    void (*body)(float *row, int64_t length, float *bias)) {
  agnesi_md_parts parts = agnesi_md_take_apart(md);
  int64_t length = 1;
  for (int axis = 2; axis < parts.rank; axis++) length *= parts.dims[axis];
  for (int64_t row = 0; row < parts.dims[0] * parts.dims[1]; row++) {
    body(values + row * length, length, bias + row % parts.dims[1]);
  }
}

static void spread(float *row, int64_t length, float *bias) {
  for (int64_t i = 0; i < length; i++) row[i] = *bias;
}

static void spread_relu(float *row, int64_t length, float *bias) {
  for (int64_t i = 0; i < length; i++) row[i] = *bias > 0 ? *bias : 0;
}

static void add_up(float *row, int64_t length, float *bias) {
  for (int64_t i = 0; i < length; i++) *bias += row[i];
}

static void fill(const agnesi_context *context, void *const *args) {
  for (int i = 0; i < context->count; i++) {
    size_t bytes = agnesi_context_argument_bytes(context, i);
    if (context->arguments[i].is_output && bytes > 0) memset(args[i], 0, bytes);
  }
  switch (context->bias) {
  case agnesi_no_bias: break;
  case agnesi_spread_bias: for_rows(context->arguments[3].outer, args[3], args[2], spread); break;
  case agnesi_spread_bias_relu:
    for_rows(context->arguments[3].outer, args[3], args[2], spread_relu);
    break;
  case agnesi_sum_to_bias: for_rows(context->arguments[1].outer, args[1], args[3], add_up); break;
  }
}

int agnesi_context_call(void *pointer, void *const *args, const int64_t *sizes, int threads) {
  (void)sizes;
  (void)threads;
  agnesi_context *context = pointer;
  if (!context->primitive) {
    fill(context, args);
    return 0;
  }
  pthread_mutex_lock(&context->lock);
  dnnl_status_t status = execute(context, args);
  pthread_mutex_unlock(&context->lock);
  return (int)status;
}

static argument *kept_argument(agnesi_context *context) {
  for (int i = 0; i < context->count; i++) {
    if (context->arguments[i].is_kept && context->arguments[i].reorder) {
      return &context->arguments[i];
    }
  }
  return NULL;
}

static int keep_weights(agnesi_context *context, void *weights, void *work) {
  argument *argument = kept_argument(context);
  if (!argument) return 0;
  pthread_mutex_lock(&context->lock);
  agnesi_use_threads(context->threads);
  dnnl_status_t status = bind(argument->outer_memory, &argument->address, weights);
  if (status == dnnl_success) status = keep(context, argument, work);
  pthread_mutex_unlock(&context->lock);
  return (int)status;
}

size_t agnesi_keep_weights_bytes(const agnesi_context *context) {
  const argument *argument = kept_argument((agnesi_context *)context);
  return argument ? argument->work_bytes : 0;
}

int64_t agnesi_keep_weights(
    agnesi_context *const *contexts, void *const *weights, int64_t count, void *work) {
  for (int64_t i = 0; i < count; i++) {
    if (keep_weights(contexts[i], weights[i], work) != 0) return i;
  }
  return -1;
}

void agnesi_context_refresh(agnesi_context *context) {
  pthread_mutex_lock(&context->lock);
  for (int i = 0; i < context->count; i++) context->arguments[i].is_stale = true;
  pthread_mutex_unlock(&context->lock);
}

// MARK: Questions

int agnesi_context_argument_count(const agnesi_context *context) {
  return context->count + (context->has_external_scratch ? 1 : 0);
}

const agnesi_layout *agnesi_context_layout(const agnesi_context *context, int argument) {
  if (argument < 0 || argument >= context->count) return NULL;
  return agnesi_layout_adopt(agnesi_md_clone(context->arguments[argument].outer));
}

size_t agnesi_context_argument_bytes(const agnesi_context *context, int argument) {
  if (argument == context->count && context->has_external_scratch) return context->scratch_bytes;
  if (argument < 0 || argument >= context->count) return 0;
  return dnnl_memory_desc_get_size(context->arguments[argument].outer);
}

bool agnesi_context_needs_reorder(const agnesi_context *context, int argument) {
  if (argument < 0 || argument >= context->count) return false;
  return context->arguments[argument].reorder != NULL;
}

size_t agnesi_context_scratch_bytes(const agnesi_context *context) {
  return context->scratch_bytes;
}

const char *agnesi_context_implementation(const agnesi_context *context) {
  return context->implementation;
}
