/* SPDX-License-Identifier: MIT */
/* L2_NORMALIZATION; scn_engine.h states what holds for all kernels. */
#ifndef SCN_L2_NORMALIZATION_H
#define SCN_L2_NORMALIZATION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Rows of `depth` values, at most 33,025, each divided by the root of its sum of squares; output scale 1/128, zero 0. */
typedef struct {
    int32_t rows;
    int32_t depth;
    int32_t input_zero_point;
} scn_l2_normalization_t;

/* In place: output may be the input. */
void scn_l2_normalization_s8(const scn_l2_normalization_t *layer, const int8_t *input, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
