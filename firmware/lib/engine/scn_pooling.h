/* Pools, MEAN and SOFTMAX; scn_engine.h states what holds for all kernels. */
#ifndef SCN_POOLING_H
#define SCN_POOLING_H

#include "scn_types.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* MAX_POOL_2D and AVERAGE_POOL_2D; padding is left out of both. Dilations are 1. */
typedef struct {
    scn_dims_t input;
    scn_dims_t output;
    scn_window_t window;
    int32_t activation_min;
    int32_t activation_max;
} scn_pool_t;

/* In place: output may start where the input does, if both pads are 0. */
void scn_max_pool_s8(const scn_pool_t *layer, const int8_t *input, int8_t *output);
void scn_average_pool_s8(const scn_pool_t *layer, const int8_t *input, int8_t *output);

/* Output rows y .. y + count - 1 of the only image; must not overlap. */
void scn_max_pool_rows_s8(const scn_pool_t *layer, const scn_lines_t *input, int32_t y, int32_t count,
                          const scn_lines_t *output);
void scn_average_pool_rows_s8(const scn_pool_t *layer, const scn_lines_t *input, int32_t y, int32_t count,
                              const scn_lines_t *output);

/*
 * MEAN over any of four dims (fewer: leading 1s). Sums must fit int32: at most 2^23 elements an output.
 * scale       (multiplier, shift) of input scale / output scale, divided by the number of elements an output, n, so:
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

/*
 * SOFTMAX over the last dim, of at most 511 values (TFLite gives up on more); output scale 1/256, zero point -128.
 * scale     beta * input scale * 2^26, at most 2^31 - 1; its shift is not negative.
 * diff_min  differences to the row's maximum below this (negative) bound count as probability 0.
 */
typedef struct {
    int32_t rows;
    int32_t depth;
    scn_multiplier_t scale;
    int32_t diff_min;
} scn_softmax_t;

/* In place: output may be the input. */
void scn_softmax_s8(const scn_softmax_t *layer, const int8_t *input, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
