/* SPDX-License-Identifier: MIT */
/*
 * Values picked by constant indices: GATHER, MIRROR_PAD, RESIZE_NEAREST_NEIGHBOR, SPACE_TO_BATCH_ND and others;
 * scn_engine.h states what holds for all kernels.
 */
#ifndef SCN_PICK_H
#define SCN_PICK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A run that comes from nowhere: it is filled. */
#define SCN_NOWHERE INT32_MIN

/* start: a position in the input; first: the row's first entry in `column`. */
typedef struct {
    int32_t start;
    int32_t first;
} scn_pick_row_t;

/*
 * The output is rows of runs: run c of row r is `run` values from input[row[r].start + column[row[r].first + c]] on, or
 * `fill` where that column is SCN_NOWHERE.
 */
typedef struct {
    int32_t rows;
    int32_t columns;
    int32_t run;
    const scn_pick_row_t *row;
    const int32_t *column;
    int8_t fill;
} scn_pick_t;

void scn_pick_s8(const scn_pick_t *layer, const int8_t *input, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
