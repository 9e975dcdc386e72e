// What differs between oneDNN 2 and 3, behind one set of names.
//
// In version 2, descriptors of memory are structs that the caller copies; in version 3 they are
// handles. Here both are pointers that `agnesi_md_destroy` frees, and functions of the library that
// take a descriptor take it in either version.
#pragma once

#if __has_include(<oneapi/dnnl/dnnl.h>)
#include <oneapi/dnnl/dnnl.h>
#else
#include <dnnl.h>
#endif
#include <stdbool.h>
#include <stdint.h>

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t agnesi_md;
typedef const_dnnl_memory_desc_t agnesi_const_md;
#else
typedef dnnl_memory_desc_t *agnesi_md;
typedef const dnnl_memory_desc_t *agnesi_const_md;
#endif

/// A row-major float32 array, or one whose layout the library is to choose.
agnesi_md agnesi_md_create(int rank, const int64_t *dims, bool any);
/// Channels in blocks of 8 or 16, of 3 to 5 axes.
agnesi_md agnesi_md_create_channel_blocks(int rank, const int64_t *dims, int64_t block);
agnesi_md agnesi_md_clone(agnesi_const_md md);
void agnesi_md_destroy(agnesi_md md);

/// A descriptor taken apart. Pointers live as long as the descriptor.
typedef struct agnesi_md_parts {
  int rank;
  /// Strides, and the blocks that the axes `block_axes` are cut into, outermost first; false where
  /// the layout cannot be described so.
  bool is_blocked;
  const dnnl_dim_t *dims, *padded, *strides, *blocks, *block_axes;
  int block_count;
} agnesi_md_parts;

agnesi_md_parts agnesi_md_take_apart(agnesi_const_md md);

dnnl_status_t agnesi_append_relu(dnnl_post_ops_t operations);

/// The sizes of a window that slides over 1 to 3 axes. `dilation` is 0 for dense.
typedef struct agnesi_window {
  dnnl_dims_t kernel, stride, dilation, pad_begin, pad_end;
} agnesi_window;

/// The tensors of a convolution, in the forward pass or as their gradients; `bias` may be null.
typedef struct agnesi_convolution_mds {
  agnesi_const_md src, weights, bias, dst;
} agnesi_convolution_mds;

/// The primitive descriptor of a convolution: `hint` is null for the forward pass.
dnnl_status_t agnesi_convolution_pd(
    dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t pass, dnnl_alg_kind_t algorithm,
    const agnesi_convolution_mds *mds, const agnesi_window *window, dnnl_primitive_attr_t attributes,
    const_dnnl_primitive_desc_t hint);

/// The primitive descriptor of a pooling: `hint` is null for the forward pass.
dnnl_status_t agnesi_pooling_pd(
    dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t pass, dnnl_alg_kind_t algorithm,
    agnesi_const_md src, agnesi_const_md dst, const agnesi_window *window,
    dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t hint);
