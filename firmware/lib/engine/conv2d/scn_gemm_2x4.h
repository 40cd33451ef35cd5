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

/* SCN_TWO: the two instructions. SCN_FOUR: the four. SCN_FOUR_LARGE: the same, of sums 2^SCN_SUM_SHIFT times as large. */
typedef enum { SCN_TWO, SCN_FOUR, SCN_FOUR_LARGE } scn_requantize_form_t;

/*
 * x            blocks of four positions, 4-byte aligned: for each pair of taps, one word of two int16 per position.
 * w            int16, 4-byte aligned: for each pair of taps, those of the first channel and those of the second.
 * block_bytes  of x: 16 * pairs of taps, at least 16.
 * requantize   of both channels: scn_requantize.h.
 * form         how sums become INT8: scn_requantize_form_t.
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
    int32_t form;
} scn_gemm_2x4_t;

void scn_gemm_2x4(const scn_gemm_2x4_t *dot);

/*
 * Widens `rows` rows of four windows. Of every four bytes first the even ones, then the odd ones, plus the two halves of
 * `offset`; `to` interleaves the windows word by word.
 *
 * whole      bytes of a row, a multiple of four.
 * rest       words of what a row has beyond: 0, 1 for one byte, 2 for two or three.
 * row_step   from the end of `whole` to the next row.
 */
typedef struct {
    const int8_t *from[4];
    uint32_t offset;
    uint32_t *to;
    int32_t rows;
    int32_t whole;
    int32_t rest;
    int32_t row_step;
} scn_gemm_windows_t;

/* Returns the end of what it wrote. */
uint32_t *scn_gemm_widen_windows(const scn_gemm_windows_t *windows);

/* Widens packed weights, 4-byte aligned, of `words` pairs of taps; each becomes 2^SCN_SUM_SHIFT times as large. */
void scn_gemm_widen_weights(const int8_t *packed, uint32_t *to, int32_t words);

#endif
