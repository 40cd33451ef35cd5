/* SPDX-License-Identifier: MIT */
/* CONV_2D as a matrix product over gathered windows (im2col GEMM); scn_engine.h states what holds for all kernels. */
#ifndef SCN_CONV2D_GEMM_H
#define SCN_CONV2D_GEMM_H

#include "scn_conv2d.h"
#include "scn_stage_rows.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * How the sums of two output channels become INT8: see scn_requantize.h. The host has proved that the activation clamps
 * to INT8's own bounds, and either
 * - right0 is 0: the two instructions give TFLite's result for both channels. Sums and biases are 2^SCN_SUM_SHIFT times
 *   as large; or
 * - right0 and right1 are 1 .. 20, and the sums without doubling stay under 2^30. Biases are doubled; where packed
 *   weights are widened 2^SCN_SUM_SHIFT times as large, biases are so too, and the sums stay under 2^23.
 */
typedef struct {
    int32_t bias0, bias1;
    int32_t multiplier0, added0, right0; /* right over 0: added is 2^(right - 1) + output zero point * 2^right */
    int32_t multiplier1, added1, right1;
} scn_requantize_pair_t;

/*
 * CONV_2D with any stride, dilation 1 and an even number of output channels. conv.weights, bias and scale are not read.
 * A row of a window is a run of kernel_w * ic bytes; of every four of them, the first and third form one pair of taps,
 * the second and fourth another.
 *
 * post        like the table of scn_post_t, or NULL.
 * added       its skip is not read: it is the stage's second input.
 * group       1 or more: blocks of four positions that are gathered at a time.
 * packed      int8 [oc / 2][pairs of taps][2 taps][2 channels], 0 where a run ends; or NULL.
 * doubled     whether packed weights are doubled where they are widened, else 2^SCN_SUM_SHIFT times as large.
 * expanded    int16, 4-byte aligned [oc / 2][pairs of taps][2 channels][2 taps]; or NULL. As large as the pair's
 *             constants say: 2^SCN_SUM_SHIFT times where right0 is 0, else doubled.
 *             Python: scenelet.compiler.kernels.gemm.
 * requantize  [oc / 2].
 */
typedef struct {
    scn_conv2d_t conv;
    const int8_t *post;
    scn_fused_add_t added;
    int32_t group;
    const int8_t *packed;
    bool doubled;
    const int16_t *expanded;
    const scn_requantize_pair_t *requantize;
} scn_conv2d_gemm_t;

/* Pairs of taps of a window with rows of `run` bytes. */
#define SCN_CONV2D_GEMM_WORDS(kernel_h, run) ((kernel_h) * ((run) / 4 * 2 + ((run) % 4 > 1 ? 2 : (run) % 4)))
/* Scratch: `words` as above; `weights` 1 if packed, else 0; the padded input of one call, 0 if pointwise. */
#define SCN_CONV2D_GEMM_SCRATCH_BYTES(words, group, weights, padded) ((words) * ((group)*16 + (weights)*8) + (padded))
#define SCN_CONV2D_GEMM_PADDED_BYTES(rows, columns, ic) (((rows) * (columns) * (ic) + 7) / 4 * 4)

/* As a stage of a segment; layer: scn_conv2d_gemm_t. */
void scn_conv2d_gemm_rows(const void *layer, const scn_rows_t *rows);

#ifdef __cplusplus
}
#endif

#endif
