/// Convolution and pooling by oneDNN, and the memory layouts that they like best.
///
/// Tensors are float32. *Plain* arrays are row-major: `[batch, channels, spatial…]`, weights
/// `[filters, channels / groups, kernel…]`. Everything here is checked when a context is made;
/// calling it allocates nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Writes the library's version and the instruction set that it uses, such as `2.6.0 isa 63`, of at
/// most `size` bytes with the terminating zero: times that were measured with another are void.
void agnesi_dnn_identity(char *text, size_t size);

// MARK: Layouts

/// How a tensor lies in memory, as chosen by the library: immutable, of one tensor's sizes, counted
/// by references. A null pointer stands for plain.
///
/// Where a layout has more elements than the tensor (channels filled up to a whole block), all
/// elements beyond the tensor are zero. Contexts keep that so; other code that writes such a tensor
/// must, too.
typedef struct agnesi_layout agnesi_layout;

/// Given to a `…_create` function: the layout that the library likes best. Read the choice with
/// `agnesi_context_layout`.
const agnesi_layout *agnesi_layout_any(void);

const agnesi_layout *agnesi_layout_retain(const agnesi_layout *layout);
void agnesi_layout_release(const agnesi_layout *layout);

/// Channels in blocks: `[batch, channels / block, spatial…, block]`, for images of `rank` axes (3 to
/// 5) whose channels fill whole blocks of 8 or 16. The caller releases it; a null pointer if there is
/// no such layout.
const agnesi_layout *agnesi_layout_channel_blocks(int rank, const int64_t *dims, int64_t block);

/// Whether two layouts, of the same sizes, put each element in the same place.
bool agnesi_layout_equal(const agnesi_layout *a, const agnesi_layout *b);

/// The memory that a tensor takes in this layout.
size_t agnesi_layout_bytes(const agnesi_layout *layout);

/// The number b of channels that lie side by side, where element (n, c, y, x) of an activation is
/// at `[n][c / b][y][x][c % b]`: 16 for oneDNN's usual blocks, 1 for plain, all channels for
/// channels-last. 0 where the layout is of no such kind.
///
/// A loop over the whole memory may treat any layout as a flat array when all its operands have
/// equal layouts; a loop that needs the channel's index needs this number.
int64_t agnesi_layout_channel_block(const agnesi_layout *layout);

/// A short text such as `aBcd16b`, in oneDNN's notation, or `opaque`: letters are the axes from the
/// outermost inward, capitals those that are cut into blocks, and the blocks follow.
///
/// Writes at most `size` bytes with the terminating zero.
void agnesi_layout_text(const agnesi_layout *layout, char *text, size_t size);

// MARK: Contexts

/// A prepared library call: the primitive, its scratch memory, and conversions of arguments whose
/// layout differs from what the library uses inside.
typedef struct agnesi_context agnesi_context;

/// Frees a context; a null pointer is fine.
void agnesi_context_destroy(agnesi_context *context);

/// An `agnesi_call` for every kind of context. Calls of one context wait for one another.
///
/// The context's number of threads counts, not `threads`: the library divides its work when the
/// context is made.
int agnesi_context_call(void *context, void *const *args, const int64_t *sizes, int threads);

/// The weights have changed: the next call converts them again, where the context keeps them.
void agnesi_context_refresh(agnesi_context *context);

/// Converts the weights that each context keeps, where they have changed, instead of in its next call.
///
/// - work: memory for it, `agnesi_keep_weights_bytes` of each, aligned to 64 bytes; or a null pointer
///   to allocate some.
///
/// Returns -1, or the number of the context for which memory was short or the library failed.
int64_t agnesi_keep_weights(
    agnesi_context *const *contexts, void *const *weights, int64_t count, void *work);

/// The memory that converting the weights takes, in bytes.
size_t agnesi_keep_weights_bytes(const agnesi_context *context);

/// The number of arguments that a call takes, scratch memory included.
int agnesi_context_argument_count(const agnesi_context *context);

/// The layout of an argument, or a null pointer where it is plain. The caller releases it.
const agnesi_layout *agnesi_context_layout(const agnesi_context *context, int argument);

/// The memory that an argument takes, in bytes.
size_t agnesi_context_argument_bytes(const agnesi_context *context, int argument);

/// Whether a call converts this argument from or to another layout.
bool agnesi_context_needs_reorder(const agnesi_context *context, int argument);

/// The scratch memory of a call, in bytes: part of the context, or its last argument.
size_t agnesi_context_scratch_bytes(const agnesi_context *context);

/// The name of the library's implementation, such as `jit:avx512_core`.
const char *agnesi_context_implementation(const agnesi_context *context);

/// Measures a call on arguments filled with zeros: the shortest of `repeats` after one to warm up.
///
/// Returns seconds, or a negative number if memory is short or the call failed.
double agnesi_context_seconds(agnesi_context *context, int repeats);

/// Flags of the `…_create` functions.
enum {
  /// Convolution: a bias is added (forward), or its gradient computed (to weights).
  AGNESI_BIAS = 1,
  /// Convolution forward: negative results become zero. Not a number becomes zero as well.
  AGNESI_RELU = 2,
  /// Forward only, no backward pass will follow: more implementations may be chosen.
  AGNESI_INFERENCE = 4,
  /// The scratch memory is the last argument, aligned to 64 bytes, so that it can be shared with
  /// others; otherwise the context has its own.
  AGNESI_EXTERNAL_SCRATCH = 8,
  /// The library works on the given layouts themselves, without conversions. It may have only a
  /// slow implementation for them, or none.
  AGNESI_EXACT_LAYOUTS = 16,
  /// Convolution: the converted weights stay in the context until `agnesi_context_refresh`, for
  /// weights that seldom change.
  AGNESI_KEEP_WEIGHTS = 32,
};

/// Why a context could not be made.
typedef enum agnesi_status {
  agnesi_ok = 0,
  /// The sizes contradict one another or are out of range.
  agnesi_invalid = 1,
  /// The library has no implementation.
  agnesi_unsupported = 2,
  agnesi_out_of_memory = 3,
} agnesi_status;

// MARK: Convolution

typedef enum agnesi_convolution_kind {
  /// Arguments: source, weights, bias (if `AGNESI_BIAS`), destination.
  agnesi_convolution_forward = 0,
  /// To data. Arguments: gradient of the destination, weights, gradient of the source.
  agnesi_convolution_backward_data = 1,
  /// To weights. Arguments: source, gradient of the destination, gradient of the weights,
  /// gradient of the bias (if `AGNESI_BIAS`).
  agnesi_convolution_backward_weights = 2,
} agnesi_convolution_kind;

typedef enum agnesi_algorithm {
  /// As oneDNN's own rule decides.
  agnesi_algorithm_auto = 0,
  agnesi_algorithm_direct = 1,
  /// Winograd's where the library has it, direct elsewhere. Faster for 3×3 kernels, and less exact.
  agnesi_algorithm_winograd = 2,
} agnesi_algorithm;

/// Cross-correlation: the kernel is not flipped. Sizes may be zero.
typedef struct agnesi_convolution {
  /// The number of spatial axes, 1 to 3.
  int32_t rank;
  int64_t batch, channels, filters, groups;
  int64_t size[3], kernel[3], stride[3];
  int64_t pad_begin[3], pad_end[3];
  /// 1 is an ordinary kernel, 2 leaves out every other position.
  int64_t dilation[3];
} agnesi_convolution;

/// The spatial size of the destination along `axis`: never negative.
int64_t agnesi_convolution_output(const agnesi_convolution *convolution, int axis);

/// Prepares a convolution or one of its two adjoints.
///
/// - layouts: one for each argument in the order above (each plain, any, or one that another
///   context gave); a null pointer means that all are plain.
/// - threads: how many threads will call it; 0 means `agnesi_threads()`.
/// - status: where to store why it failed; may be a null pointer.
///
/// Returns a null pointer if it failed.
agnesi_context *agnesi_convolution_create(
    agnesi_convolution_kind kind, const agnesi_convolution *convolution, uint32_t flags,
    agnesi_algorithm algorithm, const agnesi_layout *const *layouts, int threads,
    agnesi_status *status);

// MARK: Pooling

typedef enum agnesi_pooling_kind {
  /// Arguments: source, destination, and, for a maximum without `AGNESI_INFERENCE`, a workspace
  /// (output) that the adjoint needs.
  agnesi_pooling_forward = 0,
  /// Arguments: gradient of the destination, workspace (only for a maximum), gradient of the source.
  agnesi_pooling_backward = 1,
} agnesi_pooling_kind;

typedef enum agnesi_pooling_algorithm {
  /// The gradient goes to the first of equal maxima. Padding never wins. Not a number is passed
  /// over, and a window of negative infinities gives the most negative finite number.
  agnesi_pooling_maximum = 0,
  /// The mean over the window's positions inside the source.
  agnesi_pooling_average = 1,
  /// The mean over the whole window, padding counted as zeros.
  agnesi_pooling_average_padded = 2,
} agnesi_pooling_algorithm;

typedef struct agnesi_pooling {
  /// The number of spatial axes, 1 to 3.
  int32_t rank;
  int64_t batch, channels;
  int64_t size[3], kernel[3], stride[3];
  int64_t pad_begin[3], pad_end[3];
} agnesi_pooling;

/// The spatial size of the destination along `axis`: never negative.
int64_t agnesi_pooling_output(const agnesi_pooling *pooling, int axis);

/// Prepares pooling or its adjoint; see `agnesi_convolution_create` for the parameters.
///
/// The workspace's layout is always the library's: pass any value for it, and read its size with
/// `agnesi_context_argument_bytes`. Forward and adjoint agree on it when their sizes, the layout of
/// the source and the number of threads do. The destination's layout follows the source's.
agnesi_context *agnesi_pooling_create(
    agnesi_pooling_kind kind, const agnesi_pooling *pooling, agnesi_pooling_algorithm algorithm,
    uint32_t flags, const agnesi_layout *const *layouts, int threads, agnesi_status *status);

// MARK: Conversion

/// Prepares the conversion of a tensor between layouts. Arguments: source, destination.
///
/// One of the two may be plain, not both.
agnesi_context *agnesi_reorder_create(
    const agnesi_layout *from, const agnesi_layout *to, int threads, agnesi_status *status);

#ifdef __cplusplus
}
#endif
