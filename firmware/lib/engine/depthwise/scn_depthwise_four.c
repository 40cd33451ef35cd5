/* SPDX-License-Identifier: MIT */
/* Weights and factors of the four channels are prepared once for all pixels of the image. */
#include "scn_depthwise_four.h"
#include "scn_simd.h"
#include "scn_window.h"

typedef struct {
    const scn_depthwise_conv2d_t *layer;
    scn_requant_t requant[4];
    int32_t bias[4];
    uint32_t offset;  /* minus the input's zero point, as a pair */
    bool whole_range; /* the activation clamps to INT8's own bounds */
    int32_t x_step;   /* from one tap to the next, */
    int32_t x_row;    /* and from one row of taps to the next */
    uint32_t weights[SCN_DEPTHWISE_MOST_TAPS * 2];
} work_t;

static void four_prepare(work_t *work, int32_t channel) {
    const scn_depthwise_conv2d_t *layer = work->layer;
    const int8_t *from = layer->weights + channel;
    for (int32_t tap = 0; tap < layer->window.height * layer->window.width; ++tap) {
        const uint32_t quad = scn_load_quad(from);
        work->weights[2 * tap] = scn_even(quad);
        work->weights[2 * tap + 1] = scn_odd(quad);
        from += layer->output.channels;
    }
    for (int i = 0; i < 4; ++i) {
        work->requant[i] = scn_requant(layer->scale[channel + i], layer->output_zero_point);
        work->bias[i] = layer->bias ? layer->bias[channel + i] : 0;
    }
}

static inline void add_tap(const int8_t *x, const uint32_t *w, uint32_t offset, int32_t sum[4]) {
    const uint32_t quad = scn_load_quad(x);
    const uint32_t even = scn_widen_even(offset, quad), odd = scn_widen_odd(offset, quad);
    sum[0] = scn_mul_low(even, w[0], sum[0]);
    sum[1] = scn_mul_low(odd, w[1], sum[1]);
    sum[2] = scn_mul_high(even, w[0], sum[2]);
    sum[3] = scn_mul_high(odd, w[1], sum[3]);
}

static inline uint32_t four_requantize_one(const work_t *work, const int32_t sum[4], int i) {
    const scn_depthwise_conv2d_t *layer = work->layer;
    const int32_t value = scn_apply(work->requant[i], sum[i]);
    return (uint8_t)(work->whole_range ? scn_saturate(value)
                                       : scn_clamp(value, layer->activation_min, layer->activation_max));
}

static inline uint32_t four_requantize(const work_t *work, const int32_t sum[4]) {
    return four_requantize_one(work, sum, 0) | four_requantize_one(work, sum, 1) << 8 |
           four_requantize_one(work, sum, 2) << 16 | four_requantize_one(work, sum, 3) << 24;
}

/* One pixel: rows of `taps` taps from x, weights from w. Not inlined: its loops need every register. */
static SCN_NOINLINE void four_run_pixel(const work_t *work, const int8_t *x, const uint32_t *w, int32_t rows,
                                        int32_t taps, int8_t *to) {
    const int32_t x_step = work->x_step, w_row = 2 * work->layer->window.width;
    const uint32_t offset = work->offset;
    int32_t sum[] = {work->bias[0], work->bias[1], work->bias[2], work->bias[3]};
    for (; rows > 0; --rows) {
        if (taps == 3) {
            add_tap(x, w, offset, sum);
            add_tap(x + x_step, w + 2, offset, sum);
            add_tap(x + 2 * x_step, w + 4, offset, sum);
        } else {
            for (int32_t tap = 0; tap < taps; ++tap) {
                add_tap(x + tap * x_step, w + 2 * tap, offset, sum);
            }
        }
        x += work->x_row;
        w += w_row;
    }
    scn_store_quad(to, four_requantize(work, sum));
}

static void four_run_row(const work_t *work, const int8_t *image, int32_t y, int8_t *to) {
    const scn_depthwise_conv2d_t *layer = work->layer;
    const scn_window_t *window = &layer->window;
    const scn_span_t rows = scn_span_y(window, &layer->input, y);
    const int8_t *line = image + scn_pixel(&layer->input, rows.start + rows.first * window->dilation_h, 0);
    const uint32_t *weights = work->weights + 2 * rows.first * window->width;
    for (int32_t x = 0; x < layer->output.width; ++x) {
        const scn_span_t taps = scn_span_x(window, &layer->input, x);
        const int8_t *from = line + (taps.start + taps.first * window->dilation_w) * layer->input.channels;
        four_run_pixel(work, from, weights + 2 * taps.first, rows.last - rows.first, taps.last - taps.first, to);
        to += layer->output.channels;
    }
}

void scn_depthwise_four(const scn_depthwise_conv2d_t *layer, const int8_t *image, int8_t *output, int32_t channel) {
    work_t work = {.layer = layer};
    work.offset = scn_pair(-layer->input_zero_point, -layer->input_zero_point);
    work.x_step = scn_pixel(&layer->input, 0, layer->window.dilation_w);
    work.x_row = scn_pixel(&layer->input, layer->window.dilation_h, 0);
    work.whole_range = layer->activation_min == INT8_MIN && layer->activation_max == INT8_MAX;
    four_prepare(&work, channel);
    for (int32_t y = 0; y < layer->output.height; ++y) {
        four_run_row(&work, image + channel, y, output + scn_pixel(&layer->output, y, 0) + channel);
    }
}
