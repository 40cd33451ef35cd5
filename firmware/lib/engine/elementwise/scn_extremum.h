/* SPDX-License-Identifier: MIT */
/* REDUCE_MAX and REDUCE_MIN; scn_engine.h states what holds for all kernels. */
#ifndef SCN_EXTREMUM_H
#define SCN_EXTREMUM_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The largest value, or the smallest, over the reduced ones of four dims (fewer: leading 1s). */
typedef struct {
    int32_t size[4];
    bool reduced[4];
    bool largest;
} scn_reduce_extremum_t;

void scn_reduce_extremum_s8(const scn_reduce_extremum_t *layer, const int8_t *input, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
