/* SPDX-License-Identifier: MIT */
/*
 * The windows of vertical neighbours share most rows. Each input row is therefore widened once and written to every
 * window that contains it.
 */
#include "scn_gather.h"
#include "scn_row_ring.h"
#include "scn_simd.h"

#include <string.h>

/* Destinations of a widened row: one, or four, some of which may be the same. */
typedef struct {
    uint32_t *to[SCN_POSITIONS];
    bool one;
} places_t;

static void window_store_one(uint32_t *to, uint32_t offset, int16_t value) {
    memcpy((uint8_t *)to + offset, &value, sizeof value);
}

/* Element e of a row. */
static void window_store(const places_t *places, int32_t e, int32_t value) {
    const uint32_t offset = (uint32_t)e / 2 * SCN_POSITIONS * 4 + (uint32_t)e % 2 * 2;
    const int16_t element = (int16_t)value;
    window_store_one(places->to[0], offset, element);
    if (!places->one) {
        window_store_one(places->to[1], offset, element);
        window_store_one(places->to[2], offset, element);
        window_store_one(places->to[3], offset, element);
    }
}

static void window_store_zeros(const places_t *places, int32_t e, int32_t end) {
    for (; e < end; ++e) {
        window_store(places, e, 0);
    }
}

/* Groups of four values, to one destination, or to four from word k on. */
static void widen_to_one(uint32_t *to, const int8_t *from, int32_t fours, uint32_t offset) {
    for (; fours > 0; --fours) {
        const uint32_t quad = scn_load_quad(from);
        const uint32_t even = scn_widen_even(offset, quad);
        const uint32_t odd = scn_widen_odd(offset, quad);
        to[0] = scn_pack_low(even, odd);
        to[SCN_POSITIONS] = scn_pack_high(even, odd);
        to += 2 * SCN_POSITIONS;
        from += 4;
    }
}

static void widen_to_four(const places_t *places, int32_t k, const int8_t *from, int32_t fours, uint32_t offset) {
    uint32_t *to0 = places->to[0] + k, *to1 = places->to[1] + k;
    uint32_t *to2 = places->to[2] + k, *to3 = places->to[3] + k;
    for (; fours > 0; --fours) {
        const uint32_t quad = scn_load_quad(from);
        const uint32_t even = scn_widen_even(offset, quad);
        const uint32_t odd = scn_widen_odd(offset, quad);
        const uint32_t low = scn_pack_low(even, odd), high = scn_pack_high(even, odd);
        to0[0] = low, to1[0] = low, to2[0] = low, to3[0] = low;
        to0[SCN_POSITIONS] = high, to1[SCN_POSITIONS] = high, to2[SCN_POSITIONS] = high, to3[SCN_POSITIONS] = high;
        to0 += 2 * SCN_POSITIONS, to1 += 2 * SCN_POSITIONS, to2 += 2 * SCN_POSITIONS, to3 += 2 * SCN_POSITIONS;
        from += 4;
    }
}

/* `count` values of the input minus the zero point. */
static void window_store_run(const places_t *places, int32_t e, const int8_t *from, int32_t count, int32_t zero_point) {
    const uint32_t offset = scn_pair(-zero_point, -zero_point);
    int32_t done = 0;
    if (e % 2 == 0) {
        const int32_t k = e / 2 * SCN_POSITIONS;
        done = count / 4 * 4;
        if (places->one) {
            widen_to_one(places->to[0] + k, from, count / 4, offset);
        } else {
            widen_to_four(places, k, from, count / 4, offset);
        }
    }
    for (; done < count; ++done) {
        window_store(places, e + done, from[done] - zero_point);
    }
}

/* One row of the windows. in_y may lie outside the input; `inside` are the taps whose columns lie inside. */
static void window_store_row(const scn_gather_t *block, const places_t *places, int32_t in_y, scn_span_t inside) {
    const scn_conv2d_t *layer = block->layer;
    const int32_t channels = layer->input.channels;
    const int32_t dilation = layer->window.dilation_w;
    const int32_t even = (block->elements + 1) / 2 * 2;
    if (in_y < 0 || in_y >= layer->input.height) {
        window_store_zeros(places, 0, even);
        return;
    }
    /* Undilated taps are neighbours in memory too: all of them inside the input form one run. */
    const int32_t run = dilation == 1 ? inside.last - inside.first : 1;
    int32_t e = (inside.first - block->taps.first) * channels;
    const int8_t *line = scn_ring_row(block->input, in_y);
    window_store_zeros(places, 0, e);
    for (int32_t kx = inside.first; kx < inside.last; kx += run) {
        window_store_run(places, e, line + (inside.start + kx * dilation) * channels, run * channels,
                         layer->input_zero_point);
        e += run * channels;
    }
    window_store_zeros(places, e, even);
}

static int32_t row_words(const scn_gather_t *block) {
    return (block->elements + 1) / 2 * SCN_POSITIONS;
}

/* The windows that contain input row in_y; false if none does. Absent destinations repeat a present one. */
static bool window_places(const scn_gather_t *block, int32_t in_y, places_t *places) {
    const scn_window_t *window = &block->layer->window;
    uint32_t *some = NULL;
    places->one = false;
    for (int32_t i = 0; i < SCN_POSITIONS; ++i) {
        const int32_t distance = in_y - block->rows.start - i * window->stride_h;
        const int32_t ky = window->dilation_h == 1 ? distance : distance / window->dilation_h;
        const bool held =
            i < block->count && ky * window->dilation_h == distance && ky >= block->rows.first && ky < block->rows.last;
        places->to[i] = held ? block->words + (ky - block->rows.first) * row_words(block) + i : NULL;
        some = held ? places->to[i] : some;
    }
    for (int32_t i = 0; some && i < SCN_POSITIONS; ++i) {
        places->to[i] = places->to[i] ? places->to[i] : some;
    }
    return some != NULL;
}

static void window_gather_down(const scn_gather_t *block) {
    const scn_window_t *window = &block->layer->window;
    const scn_span_t inside = scn_span_x(window, &block->layer->input, block->x);
    const int32_t first = block->rows.start + block->rows.first * window->dilation_h;
    const int32_t last =
        block->rows.start + (block->count - 1) * window->stride_h + (block->rows.last - 1) * window->dilation_h;
    for (int32_t in_y = first; in_y <= last; ++in_y) {
        places_t places;
        if (window_places(block, in_y, &places)) {
            window_store_row(block, &places, in_y, inside);
        }
    }
}

static void window_gather_across(const scn_gather_t *block) {
    const scn_window_t *window = &block->layer->window;
    for (int32_t i = 0; i < block->count; ++i) {
        const scn_span_t inside = scn_span_x(window, &block->layer->input, block->x + i);
        places_t places = {.to = {block->words + i}, .one = true};
        for (int32_t ky = block->rows.first; ky < block->rows.last; ++ky) {
            window_store_row(block, &places, block->rows.start + ky * window->dilation_h, inside);
            places.to[0] += row_words(block);
        }
    }
}

static scn_span_t either(scn_span_t a, scn_span_t b) {
    return (scn_span_t){a.start, scn_min(a.first, b.first), scn_max(a.last, b.last)};
}

static void find_taps(scn_gather_t *block) {
    const scn_conv2d_t *layer = block->layer;
    const scn_window_t *window = &layer->window;
    const int32_t below = block->down ? block->count - 1 : 0;
    const int32_t right = block->down ? 0 : block->count - 1;
    block->rows =
        either(scn_span_y(window, &layer->input, block->y), scn_span_y(window, &layer->input, block->y + below));
    block->taps =
        either(scn_span_x(window, &layer->input, block->x), scn_span_x(window, &layer->input, block->x + right));
    if (layer->input.channels % 2) {
        /* Weights are stored in pairs of taps, which a cut between two columns would split. */
        block->taps.first = 0;
        block->taps.last = window->width;
    }
    block->elements = (block->taps.last - block->taps.first) * layer->input.channels;
}

void scn_gather(scn_gather_t *block) {
    find_taps(block);
    if (block->down) {
        window_gather_down(block);
    } else {
        window_gather_across(block);
    }
}
