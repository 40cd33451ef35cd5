/* SPDX-License-Identifier: MIT */
/* ADD, SUB, MUL, DIV, SQUARED_DIFFERENCE, MINIMUM, MAXIMUM, PRELU and QUANTIZE; scn_engine.h states what holds for all kernels. */
#ifndef SCN_ELEMENTWISE_OPS_H
#define SCN_ELEMENTWISE_OPS_H

#include "scn_stage_rows.h"
#include "scn_types.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Two operands over one dense output of four dims (fewer: leading 1s). A stride is the distance in elements between
 * neighbours of an operand along that dim, 0 where it is broadcast.
 */
typedef struct {
    int32_t size[4];
    int32_t stride1[4];
    int32_t stride2[4];
} scn_broadcast_t;

/*
 * ADD. scale1, scale2: input scale / (2 * the larger input scale); output_scale: 2 * the larger input scale /
 * (2^20 * output scale), under 1 as TFLite demands: no shift is positive.
 */
typedef struct {
    scn_broadcast_t shape;
    int32_t zero_point1;
    int32_t zero_point2;
    int32_t output_zero_point;
    scn_multiplier_t scale1;
    scn_multiplier_t scale2;
    scn_multiplier_t output_scale;
    int32_t activation_min;
    int32_t activation_max;
} scn_add_t;

/* In place: output may be an input that is not broadcast. */
void scn_add_s8(const scn_add_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output);

/*
 * ADD of two whole maps whose activation clamps to INT8's own bounds. table and multiplier: like scn_fused_add_t, with
 * v of input1 and s of input2.
 */
typedef struct {
    int32_t elements;
    const int32_t *table;
    int32_t multiplier;
} scn_add_lut_t;

/* In place: output may be an input. */
void scn_add_lut_s8(const scn_add_lut_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output);

/* SUB, input 1 less input 2; members as in scn_add_t. */
typedef scn_add_t scn_sub_t;

/* In place: output may be an input that is not broadcast. */
void scn_sub_s8(const scn_sub_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output);

/* MINIMUM and MAXIMUM of the INT8 values themselves, whatever their scales. */
typedef struct {
    scn_broadcast_t shape;
    bool largest;
} scn_extremum_t;

/* In place: output may be an input that is not broadcast. */
void scn_extremum_s8(const scn_extremum_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output);

/* MUL. scale: input scale 1 * input scale 2 / output scale. */
typedef struct {
    scn_broadcast_t shape;
    int32_t zero_point1;
    int32_t zero_point2;
    int32_t output_zero_point;
    scn_multiplier_t scale;
    int32_t activation_min;
    int32_t activation_max;
} scn_mul_t;

/* In place: output may be an input that is not broadcast. */
void scn_mul_s8(const scn_mul_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output);

/*
 * DIV, input 1 by input 2. scale: input scale 1 / (input scale 2 * output scale), 64 .. 2^23: its shift makes up for the
 * largest divisor, so that no quotient is shifted by more than 31 bits. 0 divides like 1.
 */
typedef scn_mul_t scn_div_t;

/* In place: output may be an input that is not broadcast. */
void scn_div_s8(const scn_div_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output);

/*
 * SQUARED_DIFFERENCE. scale1, scale2: input scale / (2 * the larger input scale); output_scale: (2 * the larger input
 * scale)^2 / (2^14 * output scale), under 1 as TFLite demands: no shift is positive.
 */
typedef struct {
    scn_broadcast_t shape;
    int32_t zero_point1;
    int32_t zero_point2;
    int32_t output_zero_point;
    scn_multiplier_t scale1;
    scn_multiplier_t scale2;
    scn_multiplier_t output_scale;
} scn_squared_difference_t;

/* In place: output may be an input that is not broadcast. */
void scn_squared_difference_s8(const scn_squared_difference_t *layer, const int8_t *input1, const int8_t *input2,
                               int8_t *output);

/*
 * PRELU; operand 2 is alpha.
 * scale        input scale / output scale, for inputs >= zero point.
 * alpha_scale  input scale * alpha scale / output scale, for the others.
 */
typedef struct {
    scn_broadcast_t shape;
    int32_t zero_point;
    int32_t alpha_zero_point;
    int32_t output_zero_point;
    scn_multiplier_t scale;
    scn_multiplier_t alpha_scale;
} scn_prelu_t;

/* In place: output may be the input where that is not broadcast. */
void scn_prelu_s8(const scn_prelu_t *layer, const int8_t *input, const int8_t *alpha, int8_t *output);

/* QUANTIZE of INT8 to INT8. scale: input scale / output scale. */
typedef struct {
    int32_t elements;
    int32_t input_zero_point;
    int32_t output_zero_point;
    scn_multiplier_t scale;
} scn_quantize_t;

/* In place: output may be the input. */
void scn_quantize_s8(const scn_quantize_t *layer, const int8_t *input, int8_t *output);

/* As stages of a segment; layer: scn_add_t of two maps of one shape; scn_add_lut_t of one row. */
void scn_add_rows(const void *layer, const scn_rows_t *rows);
void scn_add_lut_rows(const void *layer, const scn_rows_t *rows);

#ifdef __cplusplus
}
#endif

#endif
