/* SPDX-License-Identifier: MIT */
/* RESIZE_BILINEAR; scn_engine.h states what holds for all kernels. */
#ifndef SCN_RESIZE_BILINEAR_H
#define SCN_RESIZE_BILINEAR_H

#include "scn_types.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Between input rows or columns low and high; weight: high's part in 1024ths, -512 .. 1023, negative before the first. */
typedef struct {
    int32_t low;
    int32_t high;
    int32_t weight;
} scn_between_t;

/* row, column: one entry for each of the output's. */
typedef struct {
    scn_dims_t input;
    scn_dims_t output;
    const scn_between_t *row;
    const scn_between_t *column;
} scn_resize_bilinear_t;

void scn_resize_bilinear_s8(const scn_resize_bilinear_t *layer, const int8_t *input, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
