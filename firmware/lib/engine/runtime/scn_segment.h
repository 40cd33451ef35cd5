/* SPDX-License-Identifier: MIT */
/*
 * Depth-first execution of a segment: a run of operators that each need only a few rows of their input. They compute
 * row by row, so that whole feature maps never exist. The bits are those of the operators run one after the other;
 * nothing is computed twice.
 *
 * Every stage writes into a line buffer. A line buffer holds rows first .. last - 1 of its map, dense and in order, and
 * discards rows from the front that no stage will read again. The host has simulated the schedule: capacities and
 * offsets are exact, and never too small.
 */
#ifndef SCN_SEGMENT_H
#define SCN_SEGMENT_H

#include "scn_lut.h"
#include "scn_stage_rows.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One operator of a segment.
 * run        one of the kernels' functions that are declared as stages of a segment.
 * layer      the parameter struct of the whole operator, as declared beside `run`.
 * map        applied to every output row once it is computed, or NULL; convolutions have a post map of their own.
 * inputs     numbers of line buffers; inputs[1] is 0xFF for one input. The second input, such as ADD's, is read row by
 *            row.
 * output     number of a line buffer.
 * stripe     output rows per call, at least 1.
 * reach      input rows of a window; 1 for element-wise operators.
 * stride     input rows from one window to the next; 1 for element-wise operators.
 * pad_top    rows of padding above the first input row; 0 for element-wise operators.
 */
typedef struct {
    scn_stage_run_t run;
    const void *layer;
    const scn_lut_t *map;
    uint8_t inputs[2];
    uint8_t output;
    uint16_t stripe;
    int16_t reach;
    int16_t stride;
    int16_t pad_top;
} scn_stage_t;

/* Rows of a map: `height` in all, room for `capacity` of them from byte `offset` of the segment's memory. */
typedef struct {
    uint32_t offset;
    uint16_t row_bytes;
    uint16_t height;
    uint16_t capacity;
} scn_line_buffer_t;

/*
 * Line buffer 0 is the input, 1 the output, 2 the second input of scn_segment_run_two. These hold whole maps where the
 * caller says. The others lie in `memory`, as do the buffers' counters (SCN_SEGMENT_STATE_BYTES from its start) and the
 * scratch of the stages.
 */
typedef struct {
    const scn_stage_t *stages;        /* a stage comes after those whose output it reads */
    const scn_line_buffer_t *buffers; /* the last stage writes number 1 */
    uint32_t scratch_offset;
    uint8_t stage_count;
    uint8_t buffer_count;
} scn_segment_t;

#define SCN_SEGMENT_STATE_BYTES(buffers) (4 * (buffers))

/* memory: 4-byte aligned. */
void scn_segment_run(const scn_segment_t *segment, const int8_t *input, int8_t *output, void *memory);
/* A segment with two inputs, such as the end of a residual block. */
void scn_segment_run_two(const scn_segment_t *segment, const int8_t *input, const int8_t *second, int8_t *output,
                         void *memory);

#ifdef __cplusplus
}
#endif

#endif
