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
 * A map of INT8 to INT8, channel by channel, as scn_post_t says.
 * pixels    times channels: elements; a map without channels has one "channel".
 */
typedef struct {
    int32_t pixels;
    int32_t channels;
    scn_post_t post; /* not empty */
} scn_lut_t;

/* In place: output may be the input. */
void scn_lut_s8(const scn_lut_t *layer, const int8_t *input, int8_t *output);

/*
 * How doubled sums of two output channels become INT8: see scn_requantize.h. The host has proved of every channel that its
 * sums without doubling stay under 2^30, that right is 1 .. 20, and that the activation clamps to INT8's own bounds.
 */
typedef struct {
    int32_t bias0, bias1;                /* doubled */
    int32_t multiplier0, added0, right0; /* added: 2^(right - 1) + output zero point * 2^right */
    int32_t multiplier1, added1, right1;
} scn_requantize_pair_t;

/*
 * CONV_2D by columns: any stride, dilation 1, an even number of output channels. conv.weights, bias and scale are not
 * read. A window's row is a run of kernel_w * ic bytes; of every four of them, the first and third make a pair of taps,
 * the second and fourth another.
 *
 * group     1 or more: blocks of four positions that are gathered at a time.
 * packed    int8 [oc / 2][pairs of taps][2 taps][2 channels], 0 where a run ends; or NULL.
 * expanded  int16, doubled, 4-byte aligned [oc / 2][pairs of taps][2 channels][2 taps]; or NULL.
 *           Python: scenelet.compiler.kernels.gemm.
 * requantize    [oc / 2].
 */
typedef struct {
    scn_conv2d_t conv;
    const int8_t *post; /* like scn_post_t's table */
    scn_fused_add_t added;  /* its skip is not read: it is the stage's second input */
    int32_t group;
    const int8_t *packed;
    const int16_t *expanded;
    const scn_requantize_pair_t *requantize;
} scn_conv2d_gemm_t;

/* Pairs of taps of a window with rows of `run` bytes. */
#define SCN_CONV2D_GEMM_WORDS(kernel_h, run) ((kernel_h) * ((run) / 4 * 2 + ((run) % 4 > 1 ? 2 : (run) % 4)))
/* Scratch: `words` as above; `weights` 1 if packed, else 0; the padded input that one call sees, 0 if pointwise. */
#define SCN_CONV2D_GEMM_SCRATCH_BYTES(words, group, weights, padded) ((words) * ((group)*16 + (weights)*8) + (padded))
#define SCN_CONV2D_GEMM_PADDED_BYTES(rows, columns, ic) (((rows) * (columns) * (ic) + 7) / 4 * 4)

/* How one channel's doubled sums become INT8: like scn_requantize_pair_t. */
typedef struct {
    int32_t bias;
    int32_t multiplier, added, right;
} scn_requantize_channel_t;

/*
 * DEPTHWISE_CONV_2D by planes: depth_multiplier 1, channels in fours, dilation 1, one image. conv.bias and scale are
 * not read.
 *
 * down     words hold two neighbours down, else two across. Along that axis the stride is 1 or 2.
 * requantize   [channels].
 */
typedef struct {
    scn_depthwise_conv2d_t conv;
    bool down;
    const scn_requantize_channel_t *requantize;
} scn_depthwise_planar_t;

/* Words of a window along the axis of neighbours; times the taps of the other axis at most SCN_DEPTHWISE_PLANAR_MOST_WORDS. */
#define SCN_DEPTHWISE_PLANAR_TAP_WORDS(taps, stride) ((stride) == 1 ? (taps) / 2 + 1 : ((taps) + 1) / 2)
#define SCN_DEPTHWISE_PLANAR_MOST_WORDS 32
/* Words that a call for so many outputs sees along that axis. */
#define SCN_DEPTHWISE_PLANAR_PAIRS(outputs, taps, stride)                                                                        \
    (((stride) == 1 ? ((outputs) + 1) / 2 : (outputs)) - 1 + SCN_DEPTHWISE_PLANAR_TAP_WORDS(taps, stride))
/* Scratch: four planes of pairs by the rows of the other axis that a call sees, padding included. */
#define SCN_DEPTHWISE_PLANAR_SCRATCH_BYTES(pairs, rows) (16 * (pairs) * (rows))

/* What a stage does at one time: rows y .. y + rows - 1 of its output from the input rows that they need. */
typedef struct {
    const int8_t *input[2]; /* row input_y of the first, row y of the second; [1] is NULL for one input */
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
 *                 scn_conv2d_narrow_rows, scn_conv2d_gemm_t, scn_depthwise_planar_t, scn_winograd_t, scn_depthwise_conv2d_t,
 * scn_pool_t, scn_add_lut_t of one row, scn_add_t of two maps of one shape, scn_lut_t of one row. map             applied
 * to every output row as it is made, or NULL; convolutions have their own. inputs, output  numbers of line buffers;
 * inputs[1] is 0xFF for one input. stripe          output rows made at a time, at least 1. reach, stride, pad_top input
 * rows of a window, and how it moves: 1, 1, 0 for element-wise operators. The second input, what ADD adds, is read row
 * by row.
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

/* A map's rows: `height` in all, room for `capacity` of them from byte `offset` of the segment's memory. */
typedef struct {
    uint32_t offset;
    uint16_t row_bytes;
    uint16_t height;
    uint16_t capacity;
} scn_line_buffer_t;

/*
 * Line buffer 0 is the input, 1 the output, 2 the second input of scn_segment_run_two; they lie whole where the caller
 * says, the others in `memory`, as do the buffers' counters (SCN_SEGMENT_STATE_BYTES from its start) and the stages'
 * scratch.
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
/* A segment with two inputs, such as the end of a residual block. */
void scn_segment_run_two(const scn_segment_t *segment, const int8_t *input, const int8_t *second, int8_t *output,
                         void *memory);

void scn_conv2d_rows(const void *layer, const scn_rows_t *rows);
void scn_conv2d_narrow_rows(const void *layer, const scn_rows_t *rows);
void scn_conv2d_gemm_rows(const void *layer, const scn_rows_t *rows);
void scn_depthwise_planar_rows(const void *layer, const scn_rows_t *rows);
void scn_winograd_f4x3_rows(const void *layer, const scn_rows_t *rows);
void scn_winograd_f2x3_rows(const void *layer, const scn_rows_t *rows);
void scn_depthwise_conv2d_rows(const void *layer, const scn_rows_t *rows);
void scn_max_pool_rows(const void *layer, const scn_rows_t *rows);
void scn_average_pool_rows(const void *layer, const scn_rows_t *rows);
void scn_add_lut_rows(const void *layer, const scn_rows_t *rows);
void scn_add_rows(const void *layer, const scn_rows_t *rows);
/*
 * MEAN over height and width, the last stage of a segment: as many rows of no bytes as its input has, of which the last
 * one leaves the output. inputs[1] is a line buffer of no rows with room for an int32 a channel: the sums so far.
 */
void scn_mean_rows(const void *layer, const scn_rows_t *rows);
void scn_lut_rows(const void *layer, const scn_rows_t *rows);

#ifdef __cplusplus
}
#endif

#endif
