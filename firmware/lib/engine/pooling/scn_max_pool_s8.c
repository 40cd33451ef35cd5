/* SPDX-License-Identifier: MIT */
/* MAX_POOL_2D: four channels at a time, then one. */
#include "scn_pooling.h"
#include "scn_row_ring.h"
#include "scn_simd.h"
#include "scn_window.h"

typedef struct {
    const scn_pool_t *layer;
    const scn_row_ring_t *input;
    int32_t y, x; /* the first pixel inside the input */
    int32_t rows; /* pixels inside */
    int32_t columns;
} window_t;

static uint32_t splat(int32_t value) {
    return ((uint32_t)value & 0xFFu) * 0x01010101u;
}

/* max(-x - 1) = -min(x) - 1, and -x - 1 is the complement. */
static uint32_t min_quad(uint32_t a, uint32_t b) {
    return ~scn_max_quad(~a, ~b);
}

static uint32_t window_quad(const window_t *window, int32_t channel) {
    const int32_t step = window->layer->input.channels;
    uint32_t most = splat(window->layer->activation_min);
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *from = scn_ring_row(window->input, window->y + row) + window->x * step + channel;
        for (int32_t column = 0; column < window->columns; ++column) {
            most = scn_max_quad(most, scn_load_quad(from));
            from += step;
        }
    }
    return min_quad(most, splat(window->layer->activation_max));
}

static int8_t window_one(const window_t *window, int32_t channel) {
    const int32_t step = window->layer->input.channels;
    int32_t most = INT8_MIN;
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *from = scn_ring_row(window->input, window->y + row) + window->x * step + channel;
        for (int32_t column = 0; column < window->columns; ++column) {
            most = scn_max(most, from[column * step]);
        }
    }
    return scn_clamp(most, window->layer->activation_min, window->layer->activation_max);
}

static void max_pool_pixel(const window_t *window, int8_t *output) {
    const int32_t channels = window->layer->input.channels;
    int32_t channel = 0;
    for (; channel + 4 <= channels; channel += 4) {
        scn_store_quad(output + channel, window_quad(window, channel));
    }
    for (; channel < channels; ++channel) {
        output[channel] = window_one(window, channel);
    }
}

/* Raster order, channels innermost: without padding before the input, outputs may overwrite it. */
void scn_max_pool_rows_s8(const scn_pool_t *layer, const scn_row_ring_t *input, int32_t y, int32_t count,
                          const scn_row_ring_t *output) {
    for (const int32_t end = y + count; y < end; ++y) {
        const scn_span_t rows = scn_span_y(&layer->window, &layer->input, y);
        int8_t *to = scn_ring_row(output, y);
        window_t window = {layer, input, rows.start + rows.first, 0, rows.last - rows.first, 0};
        for (int32_t x = 0; x < layer->output.width; ++x) {
            const scn_span_t columns = scn_span_x(&layer->window, &layer->input, x);
            window.x = columns.start + columns.first;
            window.columns = columns.last - columns.first;
            max_pool_pixel(&window, to);
            to += layer->output.channels;
        }
    }
}

void scn_max_pool_s8(const scn_pool_t *layer, const int8_t *input, int8_t *output) {
    scn_row_ring_t from = scn_image_rows(&layer->input, input), to = scn_image_rows(&layer->output, output);
    for (int32_t n = 0; n < layer->output.batches; ++n) {
        scn_max_pool_rows_s8(layer, &from, 0, layer->output.height, &to);
        from.data += scn_image_elements(&layer->input);
        to.data += scn_image_elements(&layer->output);
    }
}
