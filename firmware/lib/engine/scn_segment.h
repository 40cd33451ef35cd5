/*
 * Depth-first execution: a run of operators that each need only a few rows of their input computes row by row, so that
 * whole feature maps never exist. The bits are those of the operators run one after the other; nothing is computed
 * twice.
 *
 * Every stage writes into a line buffer. A line buffer holds rows first .. last - 1 of its map, dense and in order, and
 * forgets from the front what no stage will read again. The host has simulated the schedule below: capacities and
 * offsets are exact, and never short.
 */
#ifndef SCN_SEGMENT_H
#define SCN_SEGMENT_H

#include "scn_engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A map of INT8 to INT8, channel by channel: value q of channel c becomes table[(c * 256 + q + 128) % table size].
 * pixels    times channels: elements; a map without channels has one "channel".
 * table     [channels][256], 4-byte aligned or not.
 */
typedef struct {
    int32_t pixels;
    int32_t channels;
    const int8_t *table;
} scn_map_t;

/* In place: output may be the input. */
void scn_map_s8(const scn_map_t *layer, const int8_t *input, int8_t *output);

/* What a stage does at one time: rows y .. y + rows - 1 of its output from the input rows that they need. */
typedef struct {
    const int8_t *input[2]; /* row input_y of each input; [1] is NULL for one input */
    int8_t *output;         /* row y */
    void *scratch;
    int32_t y;
    int32_t rows;
    int32_t input_y;
    int32_t input_rows;
} scn_rows_t;

typedef void (*scn_stage_run_t)(const void *layer, const scn_rows_t *rows);

/*
 * One operator of a segment.
 * layer           the parameter struct of the whole operator: scn_fused_conv2d_t for scn_conv2d_rows and
 *                 scn_conv2d_narrow_rows, scn_columns_t, scn_planes_t, scn_winograd_t, scn_depthwise_conv2d_t, scn_pool_t, scn_sum_t of one row, scn_add_t of two maps of
 * one shape, scn_map_t of one row. map             applied to every output row as it is made, or NULL; convolutions
 * have their own. inputs, output  numbers of line buffers; inputs[1] is 0xFF for one input. turn            output rows
 * made at a time, at least 1. reach, stride, pad_top   input rows of a window, and how it moves: 1, 1, 0 for
 * element-wise operators.
 */
typedef struct {
    scn_stage_run_t run;
    const void *layer;
    const scn_map_t *map;
    uint8_t inputs[2];
    uint8_t output;
    uint16_t turn;
    int16_t reach;
    int16_t stride;
    int16_t pad_top;
} scn_stage_t;

/* A map's rows: `height` in all, room for `capacity` of them from byte `offset` of the segment's memory. */
typedef struct {
    uint32_t offset;
    uint16_t row_bytes;
    uint16_t height;
    uint16_t capacity;
} scn_line_buffer_t;

/*
 * Line buffer 0 is the input, 1 the output; both lie whole where the caller says, the others in `memory`, as do the
 * buffers' counters (SCN_SEGMENT_STATE_BYTES from its start) and the stages' scratch.
 */
typedef struct {
    const scn_stage_t *stages;        /* a stage stands behind those that it reads */
    const scn_line_buffer_t *buffers; /* the last stage writes number 1 */
    uint32_t scratch_offset;
    uint8_t stage_count;
    uint8_t buffer_count;
} scn_segment_t;

#define SCN_SEGMENT_STATE_BYTES(buffers) (4 * (buffers))

/* memory: 4-byte aligned. */
void scn_segment_run(const scn_segment_t *segment, const int8_t *input, int8_t *output, void *memory);

void scn_conv2d_rows(const void *layer, const scn_rows_t *rows);
void scn_conv2d_narrow_rows(const void *layer, const scn_rows_t *rows);
void scn_columns_rows(const void *layer, const scn_rows_t *rows);
void scn_planes_rows(const void *layer, const scn_rows_t *rows);
void scn_winograd_rows(const void *layer, const scn_rows_t *rows);
void scn_depthwise_conv2d_rows(const void *layer, const scn_rows_t *rows);
void scn_max_pool_rows(const void *layer, const scn_rows_t *rows);
void scn_average_pool_rows(const void *layer, const scn_rows_t *rows);
void scn_sum_rows(const void *layer, const scn_rows_t *rows);
void scn_add_rows(const void *layer, const scn_rows_t *rows);
void scn_map_rows(const void *layer, const scn_rows_t *rows);

#ifdef __cplusplus
}
#endif

#endif
