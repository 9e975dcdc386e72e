#include "compat.h"

#include <stdlib.h>

static void row_major(int rank, const int64_t *dims, dnnl_dims_t strides) {
  int64_t stride = 1;
  for (int i = rank - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= dims[i] > 1 ? dims[i] : 1;
  }
}

static dnnl_format_tag_t agnesi_channel_block_tag(int rank, int64_t block) {
  static const dnnl_format_tag_t tags[2][3] = {
      {dnnl_aBc8b, dnnl_aBcd8b, dnnl_aBcde8b}, {dnnl_aBc16b, dnnl_aBcd16b, dnnl_aBcde16b}};
  return tags[block == 16][rank - 3];
}

#if DNNL_VERSION_MAJOR >= 3

agnesi_md agnesi_md_create(int rank, const int64_t *dims, bool any) {
  agnesi_md md = NULL;
  dnnl_dims_t strides;
  row_major(rank, dims, strides);
  dnnl_status_t status =
      any ? dnnl_memory_desc_create_with_tag(&md, rank, dims, dnnl_f32, dnnl_format_tag_any)
          : dnnl_memory_desc_create_with_strides(&md, rank, dims, dnnl_f32, strides);
  return status == dnnl_success ? md : NULL;
}

agnesi_md agnesi_md_create_channel_blocks(int rank, const int64_t *dims, int64_t block) {
  agnesi_md md = NULL;
  dnnl_status_t status = dnnl_memory_desc_create_with_tag(
      &md, rank, dims, dnnl_f32, agnesi_channel_block_tag(rank, block));
  return status == dnnl_success ? md : NULL;
}

agnesi_md agnesi_md_clone(agnesi_const_md md) {
  agnesi_md copy = NULL;
  return md && dnnl_memory_desc_clone(&copy, md) == dnnl_success ? copy : NULL;
}

void agnesi_md_destroy(agnesi_md md) {
  if (md) dnnl_memory_desc_destroy(md);
}

agnesi_md_parts agnesi_md_take_apart(agnesi_const_md md) {
  agnesi_md_parts parts = {0};
  dnnl_format_kind_t kind = dnnl_format_kind_undef;
  const dnnl_dims_t *dims = NULL, *padded = NULL, *strides = NULL, *blocks = NULL, *axes = NULL;
  dnnl_memory_desc_query(md, dnnl_query_ndims_s32, &parts.rank);
  dnnl_memory_desc_query(md, dnnl_query_dims, &dims);
  dnnl_memory_desc_query(md, dnnl_query_padded_dims, &padded);
  dnnl_memory_desc_query(md, dnnl_query_format_kind, &kind);
  parts.dims = dims ? *dims : NULL;
  parts.padded = padded ? *padded : NULL;
  if (kind != dnnl_blocked) return parts;
  dnnl_memory_desc_query(md, dnnl_query_strides, &strides);
  dnnl_memory_desc_query(md, dnnl_query_inner_nblks_s32, &parts.block_count);
  dnnl_memory_desc_query(md, dnnl_query_inner_blks, &blocks);
  dnnl_memory_desc_query(md, dnnl_query_inner_idxs, &axes);
  parts.strides = strides ? *strides : NULL;
  parts.blocks = blocks ? *blocks : NULL;
  parts.block_axes = axes ? *axes : NULL;
  parts.is_blocked = parts.strides && (parts.block_count == 0 || (parts.blocks && axes));
  return parts;
}

dnnl_status_t agnesi_append_relu(dnnl_post_ops_t operations) {
  return dnnl_post_ops_append_eltwise(operations, dnnl_eltwise_relu, 0, 0);
}

dnnl_status_t agnesi_convolution_pd(
    dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t pass, dnnl_alg_kind_t algorithm,
    const agnesi_convolution_mds *mds, const agnesi_window *window, dnnl_primitive_attr_t attributes,
    const_dnnl_primitive_desc_t hint) {
  switch (pass) {
  case dnnl_backward_data:
    return dnnl_convolution_backward_data_primitive_desc_create(
        pd, engine, algorithm, mds->src, mds->weights, mds->dst, window->stride, window->dilation,
        window->pad_begin, window->pad_end, hint, attributes);
  case dnnl_backward_weights:
    return dnnl_convolution_backward_weights_primitive_desc_create(
        pd, engine, algorithm, mds->src, mds->weights, mds->bias, mds->dst, window->stride,
        window->dilation, window->pad_begin, window->pad_end, hint, attributes);
  default:
    return dnnl_convolution_forward_primitive_desc_create(
        pd, engine, pass, algorithm, mds->src, mds->weights, mds->bias, mds->dst, window->stride,
        window->dilation, window->pad_begin, window->pad_end, attributes);
  }
}

dnnl_status_t agnesi_pooling_pd(
    dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t pass, dnnl_alg_kind_t algorithm,
    agnesi_const_md src, agnesi_const_md dst, const agnesi_window *window,
    dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t hint) {
  if (pass == dnnl_backward_data) {
    return dnnl_pooling_backward_primitive_desc_create(
        pd, engine, algorithm, src, dst, window->stride, window->kernel, window->dilation,
        window->pad_begin, window->pad_end, hint, attributes);
  }
  return dnnl_pooling_forward_primitive_desc_create(
      pd, engine, pass, algorithm, src, dst, window->stride, window->kernel, window->dilation,
      window->pad_begin, window->pad_end, attributes);
}

#else  // Version 2: an operation is described by a struct first.

agnesi_md agnesi_md_create(int rank, const int64_t *dims, bool any) {
  agnesi_md md = calloc(1, sizeof *md);
  if (!md) return NULL;
  dnnl_dims_t strides;
  row_major(rank, dims, strides);
  dnnl_status_t status =
      any ? dnnl_memory_desc_init_by_tag(md, rank, dims, dnnl_f32, dnnl_format_tag_any)
          : dnnl_memory_desc_init_by_strides(md, rank, dims, dnnl_f32, strides);
  if (status == dnnl_success) return md;
  free(md);
  return NULL;
}

agnesi_md agnesi_md_create_channel_blocks(int rank, const int64_t *dims, int64_t block) {
  agnesi_md md = calloc(1, sizeof *md);
  if (!md) return NULL;
  dnnl_status_t status = dnnl_memory_desc_init_by_tag(
      md, rank, dims, dnnl_f32, agnesi_channel_block_tag(rank, block));
  if (status == dnnl_success) return md;
  free(md);
  return NULL;
}

agnesi_md agnesi_md_clone(agnesi_const_md md) {
  agnesi_md copy = md ? malloc(sizeof *copy) : NULL;
  if (copy) *copy = *md;
  return copy;
}

void agnesi_md_destroy(agnesi_md md) { free(md); }

agnesi_md_parts agnesi_md_take_apart(agnesi_const_md md) {
  const dnnl_blocking_desc_t *blocking = &md->format_desc.blocking;
  return (agnesi_md_parts){
      .rank = md->ndims,
      .is_blocked = md->format_kind == dnnl_blocked,
      .dims = md->dims,
      .padded = md->padded_dims,
      .strides = blocking->strides,
      .blocks = blocking->inner_blks,
      .block_axes = blocking->inner_idxs,
      .block_count = blocking->inner_nblks,
  };
}

dnnl_status_t agnesi_append_relu(dnnl_post_ops_t operations) {
  return dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_relu, 0, 0);
}

dnnl_status_t agnesi_convolution_pd(
    dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t pass, dnnl_alg_kind_t algorithm,
    const agnesi_convolution_mds *mds, const agnesi_window *window, dnnl_primitive_attr_t attributes,
    const_dnnl_primitive_desc_t hint) {
  dnnl_convolution_desc_t description;
  dnnl_status_t status;
  switch (pass) {
  case dnnl_backward_data:
    status = dnnl_dilated_convolution_backward_data_desc_init(
        &description, algorithm, mds->src, mds->weights, mds->dst, window->stride, window->dilation,
        window->pad_begin, window->pad_end);
    break;
  case dnnl_backward_weights:
    status = dnnl_dilated_convolution_backward_weights_desc_init(
        &description, algorithm, mds->src, mds->weights, mds->bias, mds->dst, window->stride,
        window->dilation, window->pad_begin, window->pad_end);
    break;
  default:
    status = dnnl_dilated_convolution_forward_desc_init(
        &description, pass, algorithm, mds->src, mds->weights, mds->bias, mds->dst, window->stride,
        window->dilation, window->pad_begin, window->pad_end);
  }
  if (status != dnnl_success) return status;
  return dnnl_primitive_desc_create(pd, &description, attributes, engine, hint);
}

dnnl_status_t agnesi_pooling_pd(
    dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t pass, dnnl_alg_kind_t algorithm,
    agnesi_const_md src, agnesi_const_md dst, const agnesi_window *window,
    dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t hint) {
  dnnl_pooling_desc_t description;
  dnnl_status_t status =
      pass == dnnl_backward_data
          ? dnnl_pooling_backward_desc_init(
                &description, algorithm, src, dst, window->stride, window->kernel, window->pad_begin,
                window->pad_end)
          : dnnl_pooling_forward_desc_init(
                &description, pass, algorithm, src, dst, window->stride, window->kernel,
                window->pad_begin, window->pad_end);
  if (status != dnnl_success) return status;
  return dnnl_primitive_desc_create(pd, &description, attributes, engine, hint);
}

#endif
