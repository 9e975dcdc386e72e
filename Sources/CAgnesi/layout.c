// Memory layouts as values.
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dnn.h"

struct agnesi_layout {
  _Atomic int64_t references;
  agnesi_md md;
};

static const agnesi_layout any_layout;

const agnesi_layout *agnesi_layout_any(void) { return &any_layout; }

static bool is_counted(const agnesi_layout *layout) {
  return layout && layout != &any_layout;
}

const agnesi_layout *agnesi_layout_retain(const agnesi_layout *layout) {
  if (is_counted(layout)) {
    atomic_fetch_add_explicit(
        &((agnesi_layout *)layout)->references, 1, memory_order_relaxed);
  }
  return layout;
}

void agnesi_layout_release(const agnesi_layout *layout) {
  if (!is_counted(layout)) return;
  agnesi_layout *own = (agnesi_layout *)layout;
  if (atomic_fetch_sub_explicit(&own->references, 1, memory_order_acq_rel) != 1) return;
  agnesi_md_destroy(own->md);
  free(own);
}

static bool is_plain(agnesi_const_md md) {
  agnesi_md_parts parts = agnesi_md_take_apart(md);
  if (!parts.is_blocked) return false;
  agnesi_md plain = agnesi_md_create(parts.rank, parts.dims, false);
  bool equal = plain && dnnl_memory_desc_equal(plain, md);
  agnesi_md_destroy(plain);
  return equal;
}

const agnesi_layout *agnesi_layout_adopt(agnesi_md md) {
  agnesi_layout *layout = md && !is_plain(md) ? malloc(sizeof *layout) : NULL;
  if (!layout) {
    agnesi_md_destroy(md);
    return NULL;
  }
  atomic_init(&layout->references, 1);
  layout->md = md;
  return layout;
}

agnesi_md agnesi_layout_md(const agnesi_layout *layout, int rank, const int64_t *dims) {
  if (!is_counted(layout)) return agnesi_md_create(rank, dims, layout == &any_layout);
  agnesi_md_parts parts = agnesi_md_take_apart(layout->md);
  if (rank != 0) {
    if (parts.rank != rank) return NULL;
    if (memcmp(parts.dims, dims, (size_t)rank * sizeof *dims) != 0) return NULL;
  }
  return agnesi_md_clone(layout->md);
}

const agnesi_layout *agnesi_layout_channel_blocks(int rank, const int64_t *dims, int64_t block) {
  if (rank < 3 || rank > 5 || (block != 8 && block != 16) || dims[1] % block != 0) return NULL;
  return agnesi_layout_adopt(agnesi_md_create_channel_blocks(rank, dims, block));
}

bool agnesi_layout_equal(const agnesi_layout *a, const agnesi_layout *b) {
  if (a == b) return true;
  return is_counted(a) && is_counted(b) && dnnl_memory_desc_equal(a->md, b->md);
}

size_t agnesi_layout_bytes(const agnesi_layout *layout) {
  return is_counted(layout) ? dnnl_memory_desc_get_size(layout->md) : 0;
}

/// Whether the elements stand as in `[n][c / block][spatial…][c % block]`.
static bool has_channel_blocks(const agnesi_md_parts *parts, int64_t block) {
  int64_t stride = block;
  for (int axis = parts->rank - 1; axis >= 2; axis--) {
    if (parts->strides[axis] != stride && parts->dims[axis] != 1) return false;
    stride *= parts->dims[axis];
  }
  int64_t blocks = parts->padded[1] / block;
  // Channels-last has no inner block: its only block is never stepped over.
  bool is_whole = blocks == 1 && parts->block_count == 0;
  if (is_whole ? parts->strides[1] != 1 : blocks != 1 && parts->strides[1] != stride) return false;
  return parts->dims[0] == 1 || parts->strides[0] == stride * blocks;
}

int64_t agnesi_layout_channel_block(const agnesi_layout *layout) {
  if (!layout) return 1;
  if (!is_counted(layout)) return 0;
  agnesi_md_parts parts = agnesi_md_take_apart(layout->md);
  if (!parts.is_blocked || parts.rank < 3 || parts.block_count > 1) return 0;
  if (parts.block_count == 1 && parts.block_axes[0] != 1) return 0;
  int64_t block = parts.block_count == 1 ? parts.blocks[0] : parts.dims[1];
  if (block > 0 && has_channel_blocks(&parts, block)) return block;
  return 0;
}

/// Whether the axis is one of those cut into blocks.
static bool is_cut(const agnesi_md_parts *parts, int axis) {
  for (int i = 0; i < parts->block_count; i++) {
    if (parts->block_axes[i] == axis) return true;
  }
  return false;
}

void agnesi_layout_text(const agnesi_layout *layout, char *text, size_t size) {
  if (size == 0) return;
  if (!is_counted(layout)) {
    snprintf(text, size, "%s", layout ? "any" : "plain");
    return;
  }
  agnesi_md_parts parts = agnesi_md_take_apart(layout->md);
  if (!parts.is_blocked) {
    snprintf(text, size, "opaque");
    return;
  }
  int order[DNNL_MAX_NDIMS];
  for (int i = 0; i < parts.rank; i++) {
    int place = i;
    while (place > 0 && parts.strides[order[place - 1]] < parts.strides[i]) {
      order[place] = order[place - 1];
      place--;
    }
    order[place] = i;
  }
  size_t length = 0;
  for (int i = 0; i < parts.rank && length + 1 < size; i++) {
    text[length++] = (char)((is_cut(&parts, order[i]) ? 'A' : 'a') + order[i]);
  }
  text[length] = 0;
  for (int i = 0; i < parts.block_count && length + 1 < size; i++) {
    int added = snprintf(
        text + length, size - length, "%d%c", (int)parts.blocks[i],
        (char)('a' + (int)parts.block_axes[i]));
    if (added < 0) return;
    length += (size_t)added;
  }
}
