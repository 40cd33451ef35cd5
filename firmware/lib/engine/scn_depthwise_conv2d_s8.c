/* DEPTHWISE_CONV_2D: four channels at a time where input and output channels correspond, else one. */
#include "scn_simd.h"
#include "scn_window.h"

/* One output pixel's taps that lie inside the input. */
typedef struct {
    const scn_depthwise_conv2d_t *layer;
    const int8_t *x; /* first pixel */
    const int8_t *w; /* first tap's weights */
    int32_t rows, taps;
    int32_t x_step, x_row; /* from one tap, and from one row, to the next */
    int32_t w_step, w_row;
    uint32_t offset; /* the input's zero point to take off, as a pair */
    bool usual;      /* scn_apply does for all channels */
} window_t;

static int32_t bias_of(const scn_depthwise_conv2d_t *layer, int32_t channel) {
    return layer->bias ? layer->bias[channel] : 0;
}

static int8_t finish(const scn_depthwise_conv2d_t *layer, int32_t channel, int32_t sum) {
    const int32_t value = scn_wrap_add(scn_scale_quick(sum, layer->scale[channel]), layer->output_zero_point);
    return scn_clamp(value, layer->activation_min, layer->activation_max);
}

static int8_t one_channel(const window_t *window, int32_t channel) {
    const scn_depthwise_conv2d_t *layer = window->layer;
    int32_t sum = bias_of(layer, channel);
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *x = window->x + row * window->x_row + channel / layer->depth_multiplier;
        const int8_t *w = window->w + row * window->w_row + channel;
        for (int32_t taps = window->taps; taps > 0; --taps) {
            sum = scn_wrap_add(sum, (*x - layer->input_zero_point) * *w);
            x += window->x_step;
            w += window->w_step;
        }
    }
    return finish(layer, channel, sum);
}

/* One tap of four neighbouring channels. */
static inline void add_tap(uint32_t x_quad, uint32_t w_quad, uint32_t offset, int32_t sum[4]) {
    const uint32_t x_even = scn_widen_even(offset, x_quad), w_even = scn_even(w_quad);
    const uint32_t x_odd = scn_widen_odd(offset, x_quad), w_odd = scn_odd(w_quad);
    sum[0] = scn_mul_low(x_even, w_even, sum[0]);
    sum[1] = scn_mul_low(x_odd, w_odd, sum[1]);
    sum[2] = scn_mul_high(x_even, w_even, sum[2]);
    sum[3] = scn_mul_high(x_odd, w_odd, sum[3]);
}

/* All taps of four neighbouring channels from `channel`. Kept apart: its loops need every register. */
static SCN_NOINLINE void add_taps(const window_t *window, int32_t channel, int32_t sums[4]) {
    const int8_t *x = window->x + channel, *w = window->w + channel;
    const uint32_t offset = window->offset;
    const int32_t x_step = window->x_step, w_step = window->w_step, count = window->taps;
    int32_t sum[] = {sums[0], sums[1], sums[2], sums[3]};
    for (int32_t rows = window->rows; rows > 0; --rows) {
        const int8_t *x_tap = x, *w_tap = w;
        for (int32_t taps = count; taps > 0; --taps) {
            add_tap(scn_load_quad(x_tap), scn_load_quad(w_tap), offset, sum);
            x_tap += x_step;
            w_tap += w_step;
        }
        x += window->x_row;
        w += window->w_row;
    }
    memcpy(sums, sum, sizeof sum);
}

/* Like add_taps, rows of three. */
static SCN_NOINLINE void add_threes(const window_t *window, int32_t channel, int32_t sums[4]) {
    const int8_t *x = window->x + channel, *w = window->w + channel;
    const uint32_t offset = window->offset;
    const int32_t x_step = window->x_step, w_step = window->w_step;
    const int32_t x_rest = window->x_row - 2 * x_step, w_rest = window->w_row - 2 * w_step;
    int32_t sum[] = {sums[0], sums[1], sums[2], sums[3]};
    for (int32_t rows = window->rows; rows > 0; --rows) {
        add_tap(scn_load_quad(x), scn_load_quad(w), offset, sum);
        add_tap(scn_load_quad(x += x_step), scn_load_quad(w += w_step), offset, sum);
        add_tap(scn_load_quad(x += x_step), scn_load_quad(w += w_step), offset, sum);
        x += x_rest;
        w += w_rest;
    }
    memcpy(sums, sum, sizeof sum);
}

/* Any bias, any factor. */
static uint32_t finish_any(const scn_depthwise_conv2d_t *layer, int32_t channel, const int32_t sum[4]) {
    uint32_t quad = 0;
    for (int i = 0; i < 4; ++i) {
        quad |= (uint32_t)(uint8_t)finish(layer, channel + i, sum[i]) << (8 * i);
    }
    return quad;
}

/* Four channels' outputs as one word: a byte stored in between could, for all the compiler knows, change the layer. */
static uint32_t finish_four(const scn_depthwise_conv2d_t *layer, int32_t channel, const int32_t sum[4]) {
    const scn_multiplier_t *scale = layer->scale + channel;
    const int32_t zero_point = layer->output_zero_point;
    const int32_t low = layer->activation_min, high = layer->activation_max;
    uint32_t quad = 0;
    for (int i = 0; i < 4; ++i) {
        const int8_t value = scn_clamp(scn_apply(scn_requant(scale[i], zero_point), sum[i]), low, high);
        quad |= (uint32_t)(uint8_t)value << (8 * i);
    }
    return quad;
}

static void four_channels(const window_t *window, int32_t channel, int8_t *out) {
    const scn_depthwise_conv2d_t *layer = window->layer;
    int32_t sum[4] = {0};
    if (layer->bias) {
        memcpy(sum, layer->bias + channel, sizeof sum);
    }
    if (window->taps == 3) {
        add_threes(window, channel, sum);
    } else {
        add_taps(window, channel, sum);
    }
    scn_store_quad(out, window->usual ? finish_four(layer, channel, sum) : finish_any(layer, channel, sum));
}

static void run_pixel(const window_t *window, int8_t *out) {
    const int32_t channels = window->layer->output.channels;
    int32_t channel = 0;
    if (window->layer->depth_multiplier == 1) {
        for (; channel + 4 <= channels; channel += 4) {
            four_channels(window, channel, out + channel);
        }
    }
    for (; channel < channels; ++channel) {
        out[channel] = one_channel(window, channel);
    }
}

/* Whether all channels' factors and sums are such as scn_apply takes. */
static bool is_usual(const scn_depthwise_conv2d_t *layer) {
    const int32_t limit = scn_bias_limit((int64_t)layer->window.height * layer->window.width);
    bool usual = true;
    for (int32_t channel = 0; channel < layer->output.channels; ++channel) {
        const int32_t bias = bias_of(layer, channel);
        usual = usual && scn_has_requant(layer->scale[channel]) && bias <= limit && bias >= -limit;
    }
    return usual;
}

static window_t window_of(const scn_depthwise_conv2d_t *layer, const int8_t *image, scn_span_t rows, scn_span_t taps) {
    const scn_window_t *window = &layer->window;
    const int32_t y = rows.start + rows.first * window->dilation_h;
    const int32_t x = taps.start + taps.first * window->dilation_w;
    return (window_t){
        .layer = layer,
        .x = image + scn_pixel(&layer->input, y, x),
        .w = layer->weights + (rows.first * window->width + taps.first) * layer->output.channels,
        .rows = rows.last - rows.first,
        .taps = taps.last - taps.first,
        .x_step = scn_pixel(&layer->input, 0, window->dilation_w),
        .x_row = scn_pixel(&layer->input, window->dilation_h, 0),
        .w_step = layer->output.channels,
        .w_row = window->width * layer->output.channels,
        .offset = scn_pair(-layer->input_zero_point, -layer->input_zero_point),
    };
}

static int8_t *run_image(const scn_depthwise_conv2d_t *layer, bool usual, const int8_t *image, int8_t *output) {
    for (int32_t y = 0; y < layer->output.height; ++y) {
        const scn_span_t rows = scn_span_y(&layer->window, &layer->input, y);
        for (int32_t x = 0; x < layer->output.width; ++x) {
            const scn_span_t taps = scn_span_x(&layer->window, &layer->input, x);
            window_t window = window_of(layer, image, rows, taps);
            window.usual = usual;
            run_pixel(&window, output);
            output += layer->output.channels;
        }
    }
    return output;
}

void scn_depthwise_conv2d_s8(const scn_depthwise_conv2d_t *layer, const int8_t *input, int8_t *output) {
    const bool usual = is_usual(layer);
    for (int32_t n = 0; n < layer->output.batches; ++n) {
        output = run_image(layer, usual, input, output);
        input += scn_image_elements(&layer->input);
    }
}
