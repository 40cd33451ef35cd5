/* SPDX-License-Identifier: MIT */
/* CONV_2D by direct kernels; scn_engine.h states what holds for all kernels. */
#ifndef SCN_CONV2D_H
#define SCN_CONV2D_H

#include "scn_stage_rows.h"
#include "scn_types.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * CONV_2D.
 * weights  packed by the host: output channels in pairs, the weights of the two channels interleaved,
 *          [ceil(oc / 2)][kernel_h][row][2] where row = kernel_w * ic in (x, channel) order, padded with one 0 if odd;
 *          the partner of a last odd channel is all 0. Python: scenelet.compiler.kernels.direct.pack_conv2d.
 * bias     [oc], int32 at scale input * weight, or NULL.
 * scale    [oc], input scale * weight scale / output scale; a per-tensor scale is repeated.
 */
typedef struct {
    scn_dims_t input;
    scn_dims_t output;
    scn_window_t window;
    const int8_t *weights;
    const int32_t *bias;
    const scn_multiplier_t *scale;
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t activation_min;
    int32_t activation_max;
} scn_conv2d_t;

/* Bytes of the packed weights of one channel pair, and of all. */
#define SCN_CONV2D_PAIR_BYTES(kernel_h, kernel_w, ic) (2 * (kernel_h) * (((kernel_w) * (ic) + 1) / 2 * 2))
#define SCN_CONV2D_WEIGHT_BYTES(kernel_h, kernel_w, ic, oc)                                                            \
    (((oc) + 1) / 2 * SCN_CONV2D_PAIR_BYTES(kernel_h, kernel_w, ic))
/*
 * Scratch: the windows of four output positions, widened to int16. `columns` is kernel_w. Where stride_w and dilation_w
 * are 1 and ic is even, columns outside the input are left out: at most width - 1 + min(output width, 4) remain.
 */
#define SCN_CONV2D_SCRATCH_BYTES(kernel_h, columns, ic) (4 * SCN_CONV2D_PAIR_BYTES(kernel_h, columns, ic))

void scn_conv2d_s8(const scn_conv2d_t *layer, const int8_t *input, int8_t *output, void *scratch);

/*
 * CONV_2D and the element-wise steps that are fused to it.
 * post     applied after the clamp.
 * added    applied after post.
 */
typedef struct {
    scn_conv2d_t conv;
    scn_post_t post;
    scn_fused_add_t added;
} scn_fused_conv2d_t;

/*
 * Output rows y .. y + count - 1 of the only image. All input rows that they depend on must be in `input`, and the
 * rows must fit `output` without overwriting one another; the two must not overlap. Fastest where count is a multiple
 * of 4, or where the output is wider than high. Scratch: SCN_CONV2D_SCRATCH_BYTES.
 */
void scn_conv2d_rows_s8(const scn_fused_conv2d_t *layer, const scn_row_ring_t *input, int32_t y, int32_t count,
                        const scn_row_ring_t *output, void *scratch);

/*
 * The same for layers with few weights, such as the first layer of a network; strides and dilations are 1. Each call
 * widens all weights into the scratch, and each input row once for all output rows that depend on it. Fastest where
 * count is a multiple of 16.
 */
#define SCN_CONV2D_NARROW_SCRATCH_BYTES(kernel_h, kernel_w, ic, oc)                                                    \
    (2 * SCN_CONV2D_WEIGHT_BYTES(kernel_h, kernel_w, ic, oc) + ((kernel_w) * (ic) + 1) / 2 * (15 + (kernel_h)) * 4)

void scn_conv2d_narrow_rows_s8(const scn_fused_conv2d_t *layer, const scn_row_ring_t *input, int32_t y, int32_t count,
                               const scn_row_ring_t *output, void *scratch);

/* As stages of a segment; layer: scn_fused_conv2d_t. */
void scn_conv2d_rows(const void *layer, const scn_rows_t *rows);
void scn_conv2d_narrow_rows(const void *layer, const scn_rows_t *rows);

#ifdef __cplusplus
}
#endif

#endif
