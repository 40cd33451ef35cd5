/* SPDX-License-Identifier: MIT */
/* The interface between the depth-first scheduler (scn_segment.h) and the kernels: one call computes a few rows. */
#ifndef SCN_STAGE_ROWS_H
#define SCN_STAGE_ROWS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One call of a stage: rows y .. y + rows - 1 of its output, from the input rows that they need. Rows lie densely. */
typedef struct {
    const int8_t *input[2]; /* row input_y of the first input, row y of the second; [1] is NULL for one input */
    int8_t *output;         /* row y */
    void *scratch;
    int32_t y;
    int32_t rows;
    int32_t input_y;
    int32_t input_rows;
} scn_rows_t;

/* layer: the parameter struct of the whole operator. */
typedef void (*scn_stage_run_t)(const void *layer, const scn_rows_t *rows);

#ifdef __cplusplus
}
#endif

#endif
