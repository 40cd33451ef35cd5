/* SPDX-License-Identifier: MIT */
/* Dot products of two output channels at many positions, requantized and stored; private to the kernels. */
#ifndef SCN_GEMM_2X4_H
#define SCN_GEMM_2X4_H

#include "scn_conv2d_gemm.h"

/*
 * Steps that are fused after the requantization, one or both.
 * post         entry for value 0 of the first channel's table (scn_post_t), the second's 256 bytes after it; or NULL.
 * middle       entry for value 0 of the table of scn_fused_add_t; or NULL.
 * skip         the other operand of the first value that is stored; same layout as the output.
 */
typedef struct {
    const int8_t *post;
    const int32_t *middle;
    int32_t multiplier;
    const int8_t *skip;
} scn_gemm_after_t;

/*
 * x            blocks of four positions, 4-byte aligned: for each pair of taps, one word of two int16 per position.
 * w            int16, 4-byte aligned: for each pair of taps, those of the first channel and those of the second.
 * block_bytes  of x: 16 * pairs of taps, at least 16.
 * requantize   of both channels: scn_requantize.h.
 * after        fused steps, or NULL.
 * to           outputs of position i go to to[i * step] and to[i * step + 1].
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
