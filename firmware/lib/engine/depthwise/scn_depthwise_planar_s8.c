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
    int32_t taps, tap_step;
    int32_t stride, pad;
} axis_t;

typedef struct {
    const scn_depthwise_planar_t *layer;
    axis_t a, b;
    int32_t pairs;     /* words along a */
    int32_t rows;      /* words along b, */
    int32_t tap_words; /* and along a, those of a window */
    uint32_t *planes;  /* [channel][pair][b] */
    const int8_t *input;
    int8_t *output;
    /* Of one channel: [tap along b][word], for the first of two outputs and for the second. */
    uint32_t weights[2 * SCN_DEPTHWISE_PLANAR_MOST_WORDS];
} work_t;

static axis_t axis_x(const scn_depthwise_conv2d_t *layer) {
    return (axis_t){
        .size = layer->input.width,
        .step = layer->input.channels,
        .outputs = layer->output.width,
        .output_step = layer->output.channels,
        .taps = layer->window.width,
        .tap_step = layer->output.channels,
        .stride = layer->window.stride_w,
        .pad = layer->window.pad_left,
    };
}

static axis_t axis_y(const scn_depthwise_conv2d_t *layer, const scn_rows_t *rows) {
    return (axis_t){
        .size = rows->input_rows,
        .step = layer->input.width * layer->input.channels,
        .outputs = rows->rows,
        .output_step = layer->output.width * layer->output.channels,
        .taps = layer->window.height,
        .tap_step = layer->window.width * layer->output.channels,
        .stride = layer->window.stride_h,
        .pad = layer->window.pad_top - rows->y * layer->window.stride_h + rows->input_y,
    };
}

static work_t planar_work(const scn_depthwise_planar_t *layer, const scn_rows_t *rows) {
    work_t work = {.layer = layer, .planes = rows->scratch, .input = rows->input[0], .output = rows->output};
    work.a = layer->down ? axis_y(&layer->conv, rows) : axis_x(&layer->conv);
    work.b = layer->down ? axis_x(&layer->conv) : axis_y(&layer->conv, rows);
    work.pairs = SCN_DEPTHWISE_PLANAR_PAIRS(work.a.outputs, work.a.taps, work.a.stride);
    work.rows = (work.b.outputs - 1) * work.b.stride + work.b.taps;
    work.tap_words = SCN_DEPTHWISE_PLANAR_TAP_WORDS(work.a.taps, work.a.stride);
    return work;
}

static void planar_clear(const work_t *work) {
    uint32_t *to = work->planes;
    for (const uint32_t *end = to + CHANNELS * work->pairs * work->rows; to < end;) {
        *to++ = 0;
    }
}

/* Two neighbours of four channels become one word per plane. Outside the input, quads hold its zero point. */
static inline void planar_store_pair(uint32_t *to, int32_t plane, uint32_t first, uint32_t second, uint32_t offset) {
    const uint32_t even0 = scn_widen_even(offset, first), even1 = scn_widen_even(offset, second);
    const uint32_t odd0 = scn_widen_odd(offset, first), odd1 = scn_widen_odd(offset, second);
    to[0] = scn_pack_low(even0, even1);
    to += plane;
    to[0] = scn_pack_low(odd0, odd1);
    to += plane;
    to[0] = scn_pack_high(even0, even1);
    to += plane;
    to[0] = scn_pack_high(odd0, odd1);
}

/* A run of words. Each holds two inputs, either of which may lie outside; steps lead to the next word. */
typedef struct {
    const int8_t *first, *second; /* NULL outside */
    int32_t step;
    uint32_t *to;
    int32_t to_step;
    int32_t count;
} run_t;

static void widen_run(const work_t *work, run_t run) {
    const int32_t zero_point = work->layer->conv.input_zero_point, plane = work->pairs * work->rows;
    const uint32_t offset = scn_pair(-zero_point, -zero_point), outside = (uint8_t)zero_point * 0x01010101u;
    if (run.first && run.second) {
        for (; run.count > 0; --run.count, run.to += run.to_step) {
            planar_store_pair(run.to, plane, scn_load_quad(run.first), scn_load_quad(run.second), offset);
            run.first += run.step;
            run.second += run.step;
        }
        return;
    }
    for (; run.count > 0 && (run.first || run.second); --run.count, run.to += run.to_step) {
        const uint32_t first = run.first ? scn_load_quad(run.first) : outside;
        planar_store_pair(run.to, plane, first, run.second ? scn_load_quad(run.second) : outside, offset);
        run.first = run.first ? run.first + run.step : NULL;
        run.second = run.second ? run.second + run.step : NULL;
    }
}

/* One pair, at all positions of b inside the input. */
static void widen_pair(const work_t *work, const int8_t *input, int32_t pair) {
    const axis_t *axis = &work->a;
    const int32_t a = 2 * pair - axis->pad;
    widen_run(work, (run_t){
                        .first = a >= 0 && a < axis->size ? input + a * axis->step : NULL,
                        .second = a >= -1 && a + 1 < axis->size ? input + (a + 1) * axis->step : NULL,
                        .step = work->b.step,
                        .to = work->planes + pair * work->rows + work->b.pad,
                        .to_step = 1,
                        .count = scn_min(work->b.size, work->rows - work->b.pad),
                    });
}

/* Pairs with both members inside the input, where b is a single position. */
static void widen_line(const work_t *work, const int8_t *input, int32_t pair, int32_t count) {
    const int8_t *first = input + (2 * pair - work->a.pad) * work->a.step;
    widen_run(work, (run_t){
                        .first = first,
                        .second = first + work->a.step,
                        .step = 2 * work->a.step,
                        .to = work->planes + pair * work->rows + work->b.pad,
                        .to_step = work->rows,
                        .count = count,
                    });
}

static void planar_widen(const work_t *work, const int8_t *input) {
    const int32_t inside = (work->a.pad + 1) / 2, end = scn_min(work->pairs, (work->a.pad + work->a.size) / 2);
    for (int32_t pair = 0; pair < work->pairs; ++pair) {
        if (work->b.size == 1 && pair == inside && end > inside) {
            widen_line(work, input, pair, end - inside);
            pair = end - 1;
        } else {
            widen_pair(work, input, pair);
        }
    }
}

/* Weights for the first of two outputs: taps (0, 1), (2, 3) ..., and for the second: taps (-1, 0), (1, 2) ... */
static void prepare_weights(work_t *work, int32_t channel) {
    const int32_t taps = work->a.taps, step = work->a.tap_step;
    uint32_t *to = work->weights;
    for (int32_t b = 0; b < work->b.taps; ++b) {
        const int8_t *from = work->layer->conv.weights + b * work->b.tap_step + channel;
        int32_t before = 0;
        for (int32_t a = 0; a < 2 * work->tap_words; a += 2, from += 2 * step) {
            const int32_t w0 = a < taps ? 2 * from[0] : 0, w1 = a + 1 < taps ? 2 * from[step] : 0;
            *to++ = scn_pair(w0, w1);
            *to++ = scn_pair(before, w0);
            before = w1;
        }
    }
}

/* Parameters of one channel; copied, because a stored byte might alias them, so that the compiler would reload them. */
typedef struct {
    const uint32_t *weights;
    int32_t taps_b, tap_words, rows;
    scn_requant_t by;
    int32_t bias;
} channel_t;

static inline void planar_run_two(const channel_t *from, const uint32_t *x, int8_t *to, int32_t step) {
    const uint32_t *w = from->weights;
    int32_t sum0 = from->bias, sum1 = sum0;
    for (int32_t b = from->taps_b; b > 0; --b, ++x) {
        const uint32_t *word = x;
        for (const uint32_t *end = w + 2 * from->tap_words; w < end; w += 2, word += from->rows) {
            sum0 = scn_dot_pair(*word, w[0], sum0);
            sum1 = scn_dot_pair(*word, w[1], sum1);
        }
    }
    to[step] = scn_requantize(from->by, sum1);
    to[0] = scn_requantize(from->by, sum0);
}

static inline void planar_run_one(const channel_t *from, const uint32_t *x, int8_t *to) {
    const uint32_t *w = from->weights;
    int32_t sum = from->bias;
    for (int32_t b = from->taps_b; b > 0; --b, ++x) {
        const uint32_t *word = x;
        for (const uint32_t *end = w + 2 * from->tap_words; w < end; w += 2, word += from->rows) {
            sum = scn_dot_pair(*word, w[0], sum);
        }
    }
    to[0] = scn_requantize(from->by, sum);
}

static void planar_run_any(work_t *work, const uint32_t *plane, int32_t channel) {
    const scn_requantize_channel_t *requantize = &work->layer->requantize[channel];
    const axis_t a = work->a, b = work->b;
    const channel_t from = {work->weights,
                            b.taps,
                            work->tap_words,
                            work->rows,
                            {requantize->multiplier, requantize->right, requantize->added},
                            requantize->bias};
    const int32_t ahead = a.stride == 1 ? 2 : 1;
    int8_t *line = work->output + channel;
    prepare_weights(work, channel);
    for (int32_t left = a.outputs; left > 0; left -= ahead, plane += from.rows, line += ahead * a.output_step) {
        int8_t *to = line;
        const uint32_t *x = plane;
        for (int32_t i = b.outputs; i > 0; --i, x += b.stride, to += b.output_step) {
            if (left > 1 && ahead == 2) {
                planar_run_two(&from, x, to, a.output_step);
            } else {
                planar_run_one(&from, x, to);
            }
        }
    }
}

#if defined(__ARM_FEATURE_DSP)

static bool is_3x3(const work_t *work) {
    return work->a.taps == 3 && work->b.taps == 3 && work->a.stride == 1 && work->b.stride == 1;
}

static void planar_run_3x3(const work_t *work, const uint32_t *plane, int32_t channel) {
    const scn_requantize_channel_t requantize = work->layer->requantize[channel];
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
    for (int32_t b = 0; b < 3; ++b) {
        const int8_t *w = work->layer->conv.weights + b * work->b.tap_step + channel;
        const int32_t w0 = 2 * w[0], w1 = 2 * w[work->a.tap_step], w2 = 2 * w[2 * work->a.tap_step];
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

static void planar_run(work_t *work, const uint32_t *plane, int32_t channel) {
    if (is_3x3(work)) {
        planar_run_3x3(work, plane, channel);
    } else {
        planar_run_any(work, plane, channel);
    }
}

#else

static void planar_run(work_t *work, const uint32_t *plane, int32_t channel) {
    planar_run_any(work, plane, channel);
}

#endif

void scn_depthwise_planar_rows(const void *layer, const scn_rows_t *rows) {
    work_t work = planar_work(layer, rows);
    planar_clear(&work);
    for (int32_t channel = 0; channel < work.layer->conv.output.channels; channel += CHANNELS) {
        planar_widen(&work, work.input + channel);
        for (int32_t i = 0; i < CHANNELS; ++i) {
            planar_run(&work, work.planes + i * work.pairs * work.rows, channel + i);
        }
    }
}
