/* SPDX-License-Identifier: MIT */
/* Inner products of two output channels at many positions, rescaled and stored; private to the kernels. */
#ifndef SCN_GEMM_2X4_H
#define SCN_GEMM_2X4_H

#include "scn_conv2d_gemm.h"

/*
 * What follows the rescaling, one or both.
 * post         the first channel's output value for 0, the second's 256 bytes behind it; or NULL: scn_post_t.
 * middle       of the table of scn_fused_add_t, where the other value is 0; or NULL.
 * skip         what is added to the first value that is stored; the others' lie like those.
 */
typedef struct {
    const int8_t *post;
    const int32_t *middle;
    int32_t multiplier;
    const int8_t *skip;
} scn_gemm_after_t;

/*
 * x            blocks of four positions, 4-byte aligned: for each pair of taps, one word of two int16 a position.
 * w            int16, 4-byte aligned: for each pair of taps, those of the first channel and those of the second.
 * block_bytes  of x: 16 * pairs of taps, at least 16.
 * requantize       bias, bias, then multiplier, added, right of either channel: scn_requantize.h.
 * after        what follows, or NULL.
 * to           position i's outputs go to to[i * step] and to[i * step + 1].
 */
typedef struct {
    const uint32_t *w;
    int32_t block_bytes;
    const uint32_t *x;
    const scn_requantize_pair_t *requantize;
    int8_t *to;
    int32_t step;
    int32_t blocks;
    const scn_gemm_after_t *after;
} scn_gemm_2x4_t;

void scn_gemm_2x4(const scn_gemm_2x4_t *dot);

#endif
