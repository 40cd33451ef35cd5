/* SPDX-License-Identifier: MIT */
/*
 * CONV_2D with few weights: sixteen vertical positions at a time. One column of the input, as wide as the kernel, is
 * widened to words of two horizontal neighbours that follow one another from top to bottom. The taps of a position are
 * then consecutive words, and those of the next position start one word later: no window is copied.
 */
#include "scn_conv2d.h"
#include "scn_conv2d_output.h"
#include "scn_dot_column.h"
#include "scn_row_ring.h"
#include "scn_simd.h"
#include "scn_window.h"

#include <string.h>

enum { ROWS = 16, POSITIONS = 4 };

typedef struct {
    const scn_conv2d_t *layer;
    const scn_row_ring_t *input;
    const scn_row_ring_t *output;
    scn_conv2d_output_t stage;
    scn_dot_column_t dot;
    int32_t runs; /* of all taps; dot.runs are those of them that lie inside the input */
    int32_t first_run;
    uint32_t *weights; /* scratch: [pair of output channels][run][tap][output channel] */
    uint32_t *column;  /* scratch: [run][row] */
    int32_t rows;      /* of `column` */
    int32_t count;     /* positions, 1 .. ROWS */
    int8_t *to[ROWS];  /* their outputs in column 0 */
} work_t;

static void narrow_widen_weights(const work_t *work) {
    const int8_t *from = work->layer->weights;
    const int32_t runs = work->runs, taps = work->dot.taps;
    uint32_t *pair = work->weights;
    for (int32_t channel = 0; channel < work->layer->output.channels; channel += 2) {
        for (int32_t i = 0; i < runs * taps; ++i) {
            const uint32_t quad = scn_load_quad(from);
            uint32_t *to = pair + (i % runs * taps + i / runs) * 2;
            to[0] = scn_even(quad);
            to[1] = scn_odd(quad);
            from += 4;
        }
        pair += 2 * runs * taps;
    }
}

/* The part of a row that lies inside the input: elements first .. last - 1, at `from`. */
typedef struct {
    const int8_t *from;
    int32_t first;
    int32_t last;
    int32_t zero_point;
} row_t;

static int32_t value_at(const row_t *row, int32_t e) {
    return e >= row->first && e < row->last ? row->from[e - row->first] - row->zero_point : 0;
}

/* Widen one input row of a column; taps outside the input become 0. */
static void narrow_widen_row(const work_t *work, int32_t number, int32_t in_y, scn_span_t taps) {
    const scn_conv2d_t *layer = work->layer;
    const int32_t channels = layer->input.channels;
    uint32_t *to = work->column + number;
    row_t row = {NULL, 0, 0, layer->input_zero_point};
    if (in_y >= 0 && in_y < layer->input.height) {
        row.from = scn_ring_row(work->input, in_y) + (taps.start + taps.first) * channels;
        row.first = taps.first * channels;
        row.last = taps.last * channels;
    }
    for (int32_t e = 0; e < 2 * work->runs; e += 2) {
        *to = scn_pair(value_at(&row, e), value_at(&row, e + 1));
        to += work->rows;
    }
}

static void narrow_multiply_pair(work_t *work, int32_t channel, int32_t offset) {
    const scn_conv2d_t *layer = work->layer;
    const bool both = channel + 1 < layer->output.channels;
    const int32_t bias = scn_conv2d_bias(layer, channel), partner_bias = both ? scn_conv2d_bias(layer, channel + 1) : 0;
    int32_t first[ROWS], second[ROWS];
    work->dot.x = work->column + work->first_run * work->rows;
    for (int32_t i = 0; i < work->count; i += POSITIONS) {
        int32_t sum[] = {bias, bias, bias, bias, partner_bias, partner_bias, partner_bias, partner_bias};
        scn_dot_column_2x4(&work->dot, sum);
        memcpy(first + i, sum, sizeof sum / 2);
        memcpy(second + i, sum + POSITIONS, sizeof sum / 2);
        work->dot.x += POSITIONS;
    }
    scn_conv2d_store(&work->stage, channel, first, work->to, offset + channel, work->count);
    if (both) {
        scn_conv2d_store(&work->stage, channel + 1, second, work->to, offset + channel + 1, work->count);
    }
}

/* Rows y .. y + work->count - 1 of output column x. */
static void narrow_run_column(work_t *work, int32_t y, int32_t x) {
    const scn_conv2d_t *layer = work->layer;
    const scn_span_t taps = scn_span_x(&layer->window, &layer->input, x);
    const int32_t blocks = (work->count + POSITIONS - 1) / POSITIONS;
    for (int32_t row = 0; row < blocks * POSITIONS - 1 + layer->window.height; ++row) {
        narrow_widen_row(work, row, y + row - layer->window.pad_top, taps);
    }
    work->first_run = scn_min(taps.first * layer->input.channels / 2, work->runs - 1);
    work->dot.runs = scn_max((taps.last * layer->input.channels + 1) / 2 - work->first_run, 1);
    work->dot.w = work->weights + 2 * work->first_run * work->dot.taps;
    for (int32_t channel = 0; channel < layer->output.channels; channel += 2) {
        narrow_multiply_pair(work, channel, x * layer->output.channels);
        work->dot.w += 2 * work->runs * work->dot.taps;
    }
}

static work_t narrow_work(const scn_fused_conv2d_t *layer, const scn_row_ring_t *input, const scn_row_ring_t *output,
                          void *scratch) {
    const scn_conv2d_t *conv = &layer->conv;
    const scn_window_t *window = &conv->window;
    work_t work = {.layer = conv, .input = input, .output = output, .weights = scratch};
    work.stage = scn_conv2d_output(conv, layer->post, layer->added, output->data);
    work.rows = ROWS - 1 + window->height;
    work.runs = (window->width * conv->input.channels + 1) / 2;
    work.dot.taps = window->height;
    work.dot.run_bytes = work.rows * 4;
    work.column = work.weights + (conv->output.channels + 1) / 2 * 2 * work.runs * work.dot.taps;
    return work;
}

void scn_conv2d_narrow_rows_s8(const scn_fused_conv2d_t *layer, const scn_row_ring_t *input, int32_t y, int32_t count,
                               const scn_row_ring_t *output, void *scratch) {
    work_t work = narrow_work(layer, input, output, scratch);
    narrow_widen_weights(&work);
    for (const int32_t end = y + count; y < end; y += ROWS) {
        work.count = scn_min(ROWS, end - y);
        for (int32_t i = 0; i < work.count; ++i) {
            work.to[i] = scn_ring_row(output, y + i);
        }
        for (int32_t x = 0; x < layer->conv.output.width; ++x) {
            narrow_run_column(&work, y, x);
        }
    }
}
