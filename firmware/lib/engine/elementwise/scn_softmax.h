/* SPDX-License-Identifier: MIT */
/* SOFTMAX; scn_engine.h states what holds for all kernels. */
#ifndef SCN_SOFTMAX_H
#define SCN_SOFTMAX_H

#include "scn_types.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * SOFTMAX over the last dim, of at most 511 values (TFLite refuses more); output scale 1/256, zero point -128.
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

/* The same with an output of int16: scale 1/65536, zero point -32768. Not in place; `output` is aligned to 2 bytes. */
void scn_softmax_s8_s16(const scn_softmax_t *layer, const int8_t *input, void *output);

/*
 * LOG_SOFTMAX over the last dim, of at most 1023 values; output scale 1/16, zero point 127.
 * scale, diff_min  as in scn_softmax_t, with beta 1.
 * inverse          the reciprocal of scale, under 1.
 */
typedef struct {
    int32_t rows;
    int32_t depth;
    scn_multiplier_t scale;
    scn_multiplier_t inverse;
    int32_t diff_min;
} scn_log_softmax_t;

/* In place: output may be the input. */
void scn_log_softmax_s8(const scn_log_softmax_t *layer, const int8_t *input, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
