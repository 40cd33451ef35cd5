/* SPDX-License-Identifier: MIT */
/* Maps of INT8 to INT8, fused from any element-wise steps; scn_engine.h states what holds for all kernels. */
#ifndef SCN_LUT_H
#define SCN_LUT_H

#include "scn_stage_rows.h"
#include "scn_types.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A map of INT8 to INT8 per channel: see scn_post_t.
 * pixels    pixels * channels elements in all; a map that is the same for all channels has one "channel".
 */
typedef struct {
    int32_t pixels;
    int32_t channels;
    scn_post_t post; /* not empty */
} scn_lut_t;

/* In place: output may be the input. */
void scn_lut_s8(const scn_lut_t *layer, const int8_t *input, int8_t *output);

/* As a stage of a segment; layer: scn_lut_t of one row. */
void scn_lut_rows(const void *layer, const scn_rows_t *rows);

#ifdef __cplusplus
}
#endif

#endif
