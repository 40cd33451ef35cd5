/* SPDX-License-Identifier: MIT */
/* Four dense outputs at a time; private to scn_dense_s8.c and scn_lstm_s8.c. */
#ifndef SCN_DENSE_FOUR_H
#define SCN_DENSE_FOUR_H

#include "scn_dense.h"

/*
 * x           the input, widened: pairs (0, 2), (1, 3) of every four values.
 * w           weights of scn_dense_t, of `groups` groups of four outputs, one after the other.
 * bytes       of x, a multiple of 16.
 * requantize  [groups].
 * to          4 * groups outputs.
 */
typedef struct {
    const uint32_t *x;
    const int16_t *w;
    int32_t bytes;
    const scn_dense_requantize_t *requantize;
    int8_t *to;
    int32_t groups;
} scn_dense_four_t;

void scn_dense_paired(const scn_dense_four_t *dense);
void scn_dense_expanded(const scn_dense_four_t *dense);

/* The same without requantization. starts: [groups][4], as scn_dense_requantize_t's; sums: [groups][4]. */
typedef struct {
    const uint32_t *x;
    const int16_t *w;
    int32_t bytes;
    const int32_t *starts;
    int32_t *sums;
    int32_t groups;
} scn_dense_sums_t;

void scn_dense_paired_sums(const scn_dense_sums_t *dense);
void scn_dense_expanded_sums(const scn_dense_sums_t *dense);

/* `count` values minus a zero point as pairs (0, 2), (1, 3) of every four, padded with zeros to a multiple of eight. */
void scn_dense_widen(const int8_t *values, int32_t count, int32_t zero_point, uint32_t *pairs);

#endif
