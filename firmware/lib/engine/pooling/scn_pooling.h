/* SPDX-License-Identifier: MIT */
/* Pools and MEAN; scn_engine.h states what holds for all kernels. */
#ifndef SCN_POOLING_H
#define SCN_POOLING_H

#include "scn_stage_rows.h"
#include "scn_types.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* MAX_POOL_2D and AVERAGE_POOL_2D. Both leave padding out. Dilations are 1. */
typedef struct {
    scn_dims_t input;
    scn_dims_t output;
    scn_window_t window;
    int32_t activation_min;
    int32_t activation_max;
} scn_pool_t;

/* In place: output may start where the input does if both pads are 0. */
void scn_max_pool_s8(const scn_pool_t *layer, const int8_t *input, int8_t *output);
void scn_average_pool_s8(const scn_pool_t *layer, const int8_t *input, int8_t *output);

/* Output rows y .. y + count - 1 of the only image; input and output must not overlap. */
void scn_max_pool_rows_s8(const scn_pool_t *layer, const scn_row_ring_t *input, int32_t y, int32_t count,
                          const scn_row_ring_t *output);
void scn_average_pool_rows_s8(const scn_pool_t *layer, const scn_row_ring_t *input, int32_t y, int32_t count,
                              const scn_row_ring_t *output);

/*
 * MEAN over any of four dims (fewer: leading 1s). Sums must fit int32: at most 2^23 elements per output.
 * scale       (multiplier, shift) of input scale / output scale, divided by the number of elements per output, n, so:
 *             k = min(floor(log2(n)), 32, 31 + shift); multiplier = floor(multiplier * 2^k / n); shift = shift - k.
 */
typedef struct {
    int32_t size[4];
    bool reduced[4];
    int32_t input_zero_point;
    int32_t output_zero_point;
    scn_multiplier_t scale;
} scn_mean_t;

void scn_mean_s8(const scn_mean_t *layer, const int8_t *input, int8_t *output);

/* As stages of a segment; layer: scn_pool_t. */
void scn_max_pool_rows(const void *layer, const scn_rows_t *rows);
void scn_average_pool_rows(const void *layer, const scn_rows_t *rows);

/*
 * MEAN over height and width, only as the last stage of a segment; layer: scn_mean_t. Its line buffer has as many rows
 * as the input, of 0 bytes each: the call that reads the last input row writes the output. inputs[1] of the stage is a
 * line buffer without rows that has room for an int32 per channel: the sums so far.
 */
void scn_mean_rows(const void *layer, const scn_rows_t *rows);

#ifdef __cplusplus
}
#endif

#endif
