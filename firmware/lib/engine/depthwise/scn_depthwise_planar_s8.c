/* SPDX-License-Identifier: MIT */
/*
 * DEPTHWISE_CONV_2D by planes: four channels at a time are deinterleaved into planes of int16, padding included, with
 * two neighbours along one axis per word. One multiplication then takes two taps, and each word serves all windows that
 * contain it. Axis a is the axis of the neighbours, b the other one.
 */
#include "scn_depthwise_planar.h"
#include "scn_depthwise_planar_3x3.h"
#include "scn_requantize.h"
#include "scn_simd.h"

enum { CHANNELS = 4 };

/* Input and output along one axis. Input positions are 0 .. size - 1; the first window starts at -pad. */
typedef struct {
    int32_t size, step; /* of the input; elements from one position to the next */
    int32_t outputs, output_step;
    int32_t tap_step;
    int32_t pad;
} axis_t;

typedef struct {
    const scn_depthwise_planar_t *layer;
    axis_t a, b;
    int32_t pairs;    /* words along a, */
    int32_t rows;     /* and along b */
    uint32_t *planes; /* [channel][pair][b] */
    const int8_t *input;
    int8_t *output;
} work_t;

static axis_t planar_axis_x(const scn_depthwise_conv2d_t *layer) {
    return (axis_t){
        .size = layer->input.width,
        .step = layer->input.channels,
        .outputs = layer->output.width,
        .output_step = layer->output.channels,
        .tap_step = layer->output.channels,
        .pad = layer->window.pad_left,
    };
}

static axis_t planar_axis_y(const scn_depthwise_conv2d_t *layer, const scn_rows_t *rows) {
    return (axis_t){
        .size = rows->input_rows,
        .step = layer->input.width * layer->input.channels,
        .outputs = rows->rows,
        .output_step = layer->output.width * layer->output.channels,
        .tap_step = layer->window.width * layer->output.channels,
        .pad = layer->window.pad_top - rows->y + rows->input_y,
    };
}

static work_t planar_work(const scn_depthwise_planar_t *layer, const scn_rows_t *rows) {
    work_t work = {.layer = layer, .planes = rows->scratch, .input = rows->input[0], .output = rows->output};
    work.a = layer->down ? planar_axis_y(&layer->conv, rows) : planar_axis_x(&layer->conv);
    work.b = layer->down ? planar_axis_x(&layer->conv) : planar_axis_y(&layer->conv, rows);
    work.pairs = SCN_DEPTHWISE_PLANAR_PAIRS(work.a.outputs);
    work.rows = SCN_DEPTHWISE_PLANAR_ROWS(work.b.outputs);
    return work;
}

static void planar_clear(const work_t *work) {
    uint32_t *to = work->planes;
    for (const uint32_t *end = to + CHANNELS * work->pairs * work->rows; to < end;) {
        *to++ = 0;
    }
}

/* A pair one of whose members, `inside`, lies inside the input, at all positions of b. Padding is the zero point. */
static SCN_NOINLINE void widen_half(const scn_depthwise_planar_widen_t *widen, const int8_t *inside, uint32_t *to,
                                    bool is_first) {
    const uint32_t offset = widen->offset, outside = 0x01010101u * (uint8_t)-scn_low(offset);
    const int32_t plane_bytes = widen->plane_bytes, step = widen->step;
    for (int32_t count = widen->count; count > 0; --count, inside += step, ++to) {
        const uint32_t quad = scn_load_quad(inside);
        scn_depthwise_planar_store(to, plane_bytes, is_first ? quad : outside, is_first ? outside : quad, offset);
    }
}

static void planar_widen(const work_t *work, const int8_t *input) {
    const axis_t *a = &work->a, *b = &work->b;
    const int32_t zero_point = work->layer->conv.input_zero_point;
    /* Pairs first .. end - 1 lie inside as a whole; a half one may lie before and after them. */
    const int32_t first = (a->pad + 1) / 2, end = scn_min(work->pairs, (a->pad + a->size) / 2);
    scn_depthwise_planar_widen_t widen = {
        .from = input + (2 * first - a->pad) * a->step,
        .second = a->step,
        .step = b->step,
        .to = work->planes + first * work->rows + b->pad,
        .plane_bytes = work->pairs * work->rows * (int32_t)sizeof(uint32_t),
        .count = scn_min(b->size, work->rows - b->pad),
        .pairs = end - first,
        .offset = scn_pair(-zero_point, -zero_point),
    };
    widen.pair_step = 2 * a->step - widen.count * b->step;
    widen.gap_bytes = (work->rows - widen.count) * (int32_t)sizeof(uint32_t);
    if (widen.pairs > 0 && widen.count > 0) {
        scn_depthwise_planar_widen(&widen);
    }
    if (a->pad % 2) {
        widen_half(&widen, input, widen.to - work->rows, false);
    }
    const int32_t last = (a->pad + a->size) / 2;
    if ((a->pad + a->size) % 2 && last < work->pairs) {
        widen_half(&widen, input + (a->size - 1) * a->step, work->planes + last * work->rows + b->pad, true);
    }
}

static void planar_run(const work_t *work, const uint32_t *plane, int32_t channel) {
    const scn_requantize_channel_t requantize = work->layer->requantize[channel];
    const int32_t larger = 1 << scn_weight_shift(requantize.right);
    scn_depthwise_planar_3x3_t run = {
        .multiplier = requantize.multiplier,
        .added = requantize.added,
        .right = requantize.right,
        .to = work->output + channel,
        .step_a = work->a.output_step,
        .step_b = work->b.output_step,
        .bias = requantize.bias,
        .plane = plane,
        .pitch = 4 * work->rows,
        .four_bytes = work->b.outputs / 2 * 8,
        .odd = work->b.outputs % 2,
        .columns = work->a.outputs / 2,
    };
    const int8_t *w = work->layer->conv.weights + channel;
    for (int32_t b = 0; b < 3; ++b, w += work->b.tap_step) {
        const int32_t w0 = larger * w[0], w1 = larger * w[work->a.tap_step], w2 = larger * w[2 * work->a.tap_step];
        run.w01[b] = scn_pair(w0, w1);
        run.w12[b] = scn_pair(w1, w2);
    }
    if (run.columns) {
        scn_depthwise_planar_3x3(&run);
    }
    if (work->a.outputs % 2) {
        run.to += 2 * run.columns * run.step_a;
        run.plane += run.columns * work->rows;
        run.step_a = 0;
        run.columns = 1;
        scn_depthwise_planar_3x3(&run);
    }
}

void scn_depthwise_planar_rows(const void *layer, const scn_rows_t *rows) {
    const work_t work = planar_work(layer, rows);
    planar_clear(&work);
    for (int32_t channel = 0; channel < work.layer->conv.output.channels; channel += CHANNELS) {
        planar_widen(&work, work.input + channel);
        for (int32_t i = 0; i < CHANNELS; ++i) {
            planar_run(&work, work.planes + i * work.pairs * work.rows, channel + i);
        }
    }
}
