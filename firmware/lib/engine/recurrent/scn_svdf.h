/* SPDX-License-Identifier: MIT */
/* SVDF, a dense layer whose outputs are filtered over time; scn_engine.h states what holds for all kernels. */
#ifndef SCN_SVDF_H
#define SCN_SVDF_H

#include "scn_types.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A step moves every filter's memory on by one value, appends sat((feature * input + feature_bias) * feature_scale), and
 * sums memory times time over the values of each filter and over the `rank` filters of each unit.
 * feature       [filters][inputs]; filters = units * rank.
 * feature_bias  [filters]: minus the input's zero point times the sum of the filter's weights.
 * time          [filters][memory], INT8 for scn_svdf_s8, int16 for scn_svdf_s16, aligned to its type.
 * bias          [units], minus the state's zero point times the sum of the unit's time weights.
 * state_zero_point  of INT8 state; added without saturation, as TFLite Micro does. That of int16 state is 0.
 * All sums wrap.
 */
typedef struct {
    int32_t batches;
    int32_t inputs;
    int32_t units;
    int32_t rank;
    int32_t memory;
    const int8_t *feature;
    const int32_t *feature_bias;
    const void *time;
    const int32_t *bias;
    scn_multiplier_t feature_scale;
    scn_multiplier_t scale;
    int32_t state_zero_point;
    int32_t output_zero_point;
} scn_svdf_t;

/* state  [batches][units * rank][memory], INT8; kept from one step to the next. */
void scn_svdf_s8(const scn_svdf_t *layer, const int8_t *input, int8_t *state, int8_t *output);

/* The same with a state of int16, which lies at `state`, aligned to 2 bytes. */
void scn_svdf_s16(const scn_svdf_t *layer, const int8_t *input, int8_t *state, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
