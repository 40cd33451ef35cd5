/* SPDX-License-Identifier: MIT */
/* AVERAGE_POOL_2D: halves are rounded away from zero; padding does not count. Four channels at a time, then one. */
#include "scn_pooling.h"
#include "scn_row_ring.h"
#include "scn_simd.h"
#include "scn_window.h"

/* Values whose sum fits int16, whatever they are. */
enum { MOST_IN_PAIRS = INT16_MAX / -INT8_MIN };

/* The taps of one output pixel that lie inside the input, and what becomes of their sum. */
typedef struct {
    const int8_t *from; /* the first tap, in the first `rows` */
    int32_t rows, columns;
    const int8_t *wrapped; /* the row at the ring's start, and how many follow there; 0: none */
    int32_t wrapped_rows;
    int32_t row_step, step; /* from one row, and from one pixel, to the next */
    int32_t count;
    uint32_t low, high; /* activation bounds, four times */
} average_window_t;

static uint32_t average_splat(int32_t value) {
    return ((uint32_t)value & 0xFFu) * 0x01010101u;
}

/* The average of int8 values is one. */
static inline uint32_t average_of(int32_t sum, int32_t half, int32_t count) {
    return (uint8_t)((sum > 0 ? sum + half : sum - half) / count);
}

/* max(-x - 1) = -min(x) - 1, and -x - 1 is the complement. */
static inline uint32_t average_clamp(const average_window_t *window, uint32_t quad) {
    return ~scn_max_quad(~scn_max_quad(quad, window->low), ~window->high);
}

/* Add rows of four channels: the first and third, and the second and fourth, in the halves of a word. */
static inline void average_add(const average_window_t *window, const int8_t *line, int32_t rows, uint32_t sum[2]) {
    const int32_t step = window->step, columns = window->columns, row_step = window->row_step;
    uint32_t even = sum[0], odd = sum[1];
    for (; rows > 0; --rows, line += row_step) {
        const int8_t *from = line;
        for (int32_t left = columns; left > 0; --left, from += step) {
            const uint32_t quad = scn_load_quad(from);
            even = scn_widen_even(even, quad);
            odd = scn_widen_odd(odd, quad);
        }
    }
    sum[0] = even;
    sum[1] = odd;
}

static inline uint32_t average_quad(const average_window_t *window, int32_t channel) {
    uint32_t sum[2] = {0, 0};
    average_add(window, window->from + channel, window->rows, sum);
    average_add(window, window->wrapped + channel, window->wrapped_rows, sum);
    const int32_t half = window->count / 2, count = window->count;
    const uint32_t first = average_of(scn_low(sum[0]), half, count), second = average_of(scn_low(sum[1]), half, count);
    const uint32_t third = average_of(scn_high(sum[0]), half, count),
                   fourth = average_of(scn_high(sum[1]), half, count);
    return average_clamp(window, first | second << 8 | third << 16 | fourth << 24);
}

static int32_t average_sum(const average_window_t *window, const int8_t *line, int32_t rows) {
    int32_t sum = 0;
    for (; rows > 0; --rows, line += window->row_step) {
        for (int32_t column = 0; column < window->columns; ++column) {
            sum += line[column * window->step];
        }
    }
    return sum;
}

static int8_t average_one(const average_window_t *window, int32_t channel) {
    const int32_t sum = average_sum(window, window->from + channel, window->rows) +
                        average_sum(window, window->wrapped + channel, window->wrapped_rows);
    return (int8_t)(uint8_t)average_clamp(window, average_of(sum, window->count / 2, window->count));
}

static void average_pixel(const average_window_t *window, int8_t *to) {
    const int32_t quads = window->count <= MOST_IN_PAIRS ? window->step / 4 * 4 : 0;
    int32_t channel = 0;
    for (; channel < quads; channel += 4) {
        scn_store_quad(to + channel, average_quad(window, channel));
    }
    for (; channel < window->step; ++channel) {
        to[channel] = average_one(window, channel);
    }
}

/* One output row: raster order, channels innermost: without padding before the input, outputs may overwrite it. */
static void average_line(const scn_pool_t *layer, const scn_row_ring_t *input, int32_t y, int8_t *to) {
    const scn_span_t rows = scn_span_y(&layer->window, &layer->input, y);
    const int32_t first = rows.start + rows.first, count = rows.last - rows.first;
    const int32_t straight = scn_min(count, input->rows - first % input->rows);
    average_window_t window = {
        .rows = straight,
        .wrapped_rows = count - straight,
        .row_step = input->row_elements,
        .step = layer->output.channels,
        .low = average_splat(layer->activation_min),
        .high = average_splat(layer->activation_max),
    };
    for (int32_t x = 0; x < layer->output.width; ++x, to += layer->output.channels) {
        const scn_span_t columns = scn_span_x(&layer->window, &layer->input, x);
        const int32_t offset = (columns.start + columns.first) * layer->output.channels;
        window.from = scn_ring_row(input, first) + offset;
        window.wrapped = input->data + offset;
        window.columns = columns.last - columns.first;
        window.count = count * window.columns;
        average_pixel(&window, to);
    }
}

void scn_average_pool_rows_s8(const scn_pool_t *layer, const scn_row_ring_t *input, int32_t y, int32_t count,
                              const scn_row_ring_t *output) {
    for (const int32_t end = y + count; y < end; ++y) {
        average_line(layer, input, y, scn_ring_row(output, y));
    }
}

void scn_average_pool_s8(const scn_pool_t *layer, const int8_t *input, int8_t *output) {
    scn_row_ring_t from = scn_image_rows(&layer->input, input), to = scn_image_rows(&layer->output, output);
    for (int32_t n = 0; n < layer->output.batches; ++n) {
        scn_average_pool_rows_s8(layer, &from, 0, layer->output.height, &to);
        from.data += scn_image_elements(&layer->input);
        to.data += scn_image_elements(&layer->output);
    }
}
