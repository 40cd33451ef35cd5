/* SPDX-License-Identifier: MIT */
/*
 * DEPTHWISE_CONV_2D by fours of channels: the inputs of four channels are widened with their padding, position by
 * position as they lie, so that a tap takes no more than its products, and each window is a run of positions. Axis a is
 * the axis of the inner loop, b the other one.
 */
#include "scn_depthwise_quads.h"
#include "scn_depthwise_quads_run.h"
#include "scn_requantize.h"
#include "scn_simd.h"

enum { CHANNELS = 4, WORDS = 2, BIASES = 8 };

/* Input and output along one axis. Input positions are 0 .. size - 1; the first window starts at -pad. */
typedef struct {
    int32_t size, step; /* of the input; elements from one position to the next */
    int32_t outputs, output_step;
    int32_t taps, tap_step; /* elements from one tap to the next in the weights */
    int32_t stride, dilation, pad;
    int32_t extent; /* positions that the windows see */
} axis_t;

typedef struct {
    const scn_depthwise_quads_t *layer;
    axis_t a, b;
    uint32_t *inputs;    /* [b][a][WORDS] */
    uint32_t *constants; /* scn_depthwise_quads_run_t */
    const int8_t *input;
    int8_t *output;
} work_t;

static axis_t quads_axis_x(const scn_depthwise_conv2d_t *layer) {
    const scn_window_t *window = &layer->window;
    return (axis_t){
        .size = layer->input.width,
        .step = layer->input.channels,
        .outputs = layer->output.width,
        .output_step = layer->output.channels,
        .taps = window->width,
        .tap_step = layer->output.channels,
        .stride = window->stride_w,
        .dilation = window->dilation_w,
        .pad = window->pad_left,
        .extent = SCN_DEPTHWISE_QUADS_EXTENT(layer->output.width, window->width, window->stride_w, window->dilation_w),
    };
}

static axis_t quads_axis_y(const scn_depthwise_conv2d_t *layer, const scn_rows_t *rows) {
    const scn_window_t *window = &layer->window;
    return (axis_t){
        .size = rows->input_rows,
        .step = layer->input.width * layer->input.channels,
        .outputs = rows->rows,
        .output_step = layer->output.width * layer->output.channels,
        .taps = window->height,
        .tap_step = window->width * layer->output.channels,
        .stride = window->stride_h,
        .dilation = window->dilation_h,
        .pad = window->pad_top - rows->y * window->stride_h + rows->input_y,
        .extent = SCN_DEPTHWISE_QUADS_EXTENT(rows->rows, window->height, window->stride_h, window->dilation_h),
    };
}

static work_t quads_work(const scn_depthwise_quads_t *layer, const scn_rows_t *rows) {
    work_t work = {.layer = layer, .inputs = rows->scratch, .input = rows->input[0], .output = rows->output};
    work.a = layer->down ? quads_axis_y(&layer->conv, rows) : quads_axis_x(&layer->conv);
    work.b = layer->down ? quads_axis_x(&layer->conv) : quads_axis_y(&layer->conv, rows);
    work.constants = work.inputs + work.a.extent * work.b.extent * WORDS;
    return work;
}

static void quads_clear(const work_t *work) {
    for (uint32_t *to = work->inputs; to < work->constants; to += WORDS) {
        to[0] = 0;
        to[1] = 0;
    }
}

/* Channels first .. first + 3 of the output at an input pixel. */
static uint32_t spread(const int8_t *pixel, int32_t first, int32_t multiplier) {
    uint32_t quad = 0;
    for (int i = 0; i < CHANNELS; ++i) {
        quad |= (uint32_t)(uint8_t)pixel[(first + i) / multiplier] << (8 * i);
    }
    return quad;
}

static void widen_spread(const work_t *work, const int8_t *from, uint32_t *to, int32_t count, int32_t channel) {
    const int32_t multiplier = work->layer->conv.depth_multiplier, step = work->a.step;
    const uint32_t offset = scn_pair(-work->layer->conv.input_zero_point, -work->layer->conv.input_zero_point);
    for (; count > 0; --count, from += step, to += WORDS) {
        const uint32_t quad = spread(from, channel, multiplier);
        to[0] = scn_widen_even(offset, quad);
        to[1] = scn_widen_odd(offset, quad);
    }
}

static void widen_inputs(const work_t *work, int32_t channel) {
    const axis_t *a = &work->a, *b = &work->b;
    const int32_t rows = scn_min(b->size, b->extent - b->pad), count = scn_min(a->size, a->extent - a->pad);
    const int8_t *from = work->input;
    const uint32_t offset = scn_pair(-work->layer->conv.input_zero_point, -work->layer->conv.input_zero_point);
    uint32_t *to = work->inputs + (b->pad * a->extent + a->pad) * WORDS;
    for (int32_t row = 0; row < rows && count > 0; ++row, from += b->step, to += a->extent * WORDS) {
        if (work->layer->conv.depth_multiplier > 1) {
            widen_spread(work, from, to, count, channel);
        } else {
            scn_depthwise_quads_widen(to, from + channel, a->step, count, offset);
        }
    }
}

static void prepare_constants(const work_t *work, int32_t channel, const scn_requantize_channel_t *by) {
    const bool in_two = by->right == 0;
    uint32_t *to = work->constants;
    for (int i = 0; i < CHANNELS; ++i) {
        to[i] = to[i + CHANNELS] = (uint32_t)by[i].bias;
    }
    to += BIASES;
    for (int32_t b = 0; b < work->b.taps; ++b) {
        const int8_t *from = work->layer->conv.weights + b * work->b.tap_step + channel;
        for (int32_t a = work->a.taps; a > 0; --a, from += work->a.tap_step, to += WORDS) {
            const uint32_t quad = scn_load_quad(from);
            if (in_two) { /* a byte becomes the upper byte of an int16 */
                to[0] = quad << 8 & 0xFF00FF00u;
                to[1] = quad & 0xFF00FF00u;
            } else {
                to[0] = scn_add_pair(scn_even(quad), scn_even(quad));
                to[1] = scn_add_pair(scn_odd(quad), scn_odd(quad));
            }
        }
    }
    for (int i = 0; i < CHANNELS; ++i) {
        *to++ = (uint32_t)by[i].multiplier;
        *to++ = (uint32_t)by[i].added;
        if (!in_two) {
            *to++ = (uint32_t)by[i].right;
        }
    }
}

static void run_pairs(const scn_depthwise_quads_run_t *run, int32_t stride) {
    if (stride == 1) {
        scn_depthwise_quads_pairs(run);
    } else {
        scn_depthwise_quads_pairs_2(run);
    }
}

static void quads_run(const work_t *work, int32_t channel, bool in_two) {
    const axis_t *a = &work->a, *b = &work->b;
    const int32_t position = WORDS * (int32_t)sizeof(uint32_t);
    const int32_t pairs = a->stride <= 2 && a->dilation == 1 ? a->outputs / 2 * 2 : 0;
    const uint32_t *x = work->inputs;
    int8_t *to = work->output + channel;
    scn_depthwise_quads_run_t run = {
        .constants = work->constants,
        .tap_bytes = a->taps * position,
        .rows = b->taps,
        .tap_step = a->dilation * position,
        .row_step = b->dilation * a->extent * position,
        .to_step = a->output_step,
        .x_step = a->stride * position,
        .in_two = in_two,
    };
    for (int32_t row = 0; row < b->outputs; ++row, x += b->stride * a->extent * WORDS, to += b->output_step) {
        if (pairs) {
            run.x = x;
            run.to = to;
            run.outputs = pairs;
            run_pairs(&run, a->stride);
        }
        if (pairs < a->outputs) {
            run.x = x + pairs * a->stride * WORDS;
            run.to = to + pairs * a->output_step;
            run.outputs = a->outputs - pairs;
            scn_depthwise_quads_single(&run);
        }
    }
}

void scn_depthwise_quads_rows(const void *layer, const scn_rows_t *rows) {
    const work_t work = quads_work(layer, rows);
    const int32_t channels = work.layer->conv.output.channels;
    const scn_requantize_channel_t *by = work.layer->requantize;
    quads_clear(&work);
    for (int32_t first = 0; first < channels; first += CHANNELS, by += CHANNELS) {
        const int32_t channel = scn_min(first, channels - CHANNELS);
        widen_inputs(&work, channel);
        prepare_constants(&work, channel, by);
        quads_run(&work, channel, by->right == 0);
    }
}
