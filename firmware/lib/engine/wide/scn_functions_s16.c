/* SPDX-License-Identifier: MIT */
/* LOGISTIC, TANH and SOFTMAX with 16-bit activations: interpolated in tables, as TFLite does. */
#include "scn_fixedpoint.h"
#include "scn_wide.h"

enum { WIDE_LAST = 255 };

static inline int32_t wide_argument(const scn_wide_function_t *layer, int32_t value) {
    const int32_t half = layer->right ? (int32_t)(1u << (layer->right - 1)) : 0;
    return (value * layer->multiplier + half) >> layer->right;
}

/* The table at a distance of `bits` bits after its index, in its units times 2^bits; `most` from its end on. */
static inline uint32_t wide_interpolated(const uint16_t *table, uint32_t distance, int bits, uint32_t most) {
    const uint32_t index = distance >> bits;
    if (index >= WIDE_LAST) {
        return most;
    }
    const uint32_t from = table[index], step = table[index + 1] - from;
    return (from << bits) + (distance & ((1u << bits) - 1)) * step;
}

static inline uint32_t wide_distance(int32_t value) {
    return (uint32_t)(value < 0 ? -value : value);
}

void scn_logistic_s16(const scn_wide_function_t *layer, const void *input, void *output) {
    const int16_t *from = input;
    int16_t *to = output;
    for (int32_t i = 0; i < layer->elements; ++i) {
        const int32_t x = wide_argument(layer, from[i]);
        const uint32_t above = wide_interpolated(layer->sigmoid, wide_distance(x), 9, 0x7FFFu << 10);
        const uint32_t rounded = x >= 0 ? above + (1u << 9) : (1u << 25) - above + (1u << 9) - 1;
        to[i] = (int16_t)(rounded >> 10);
    }
}

void scn_tanh_s16(const scn_wide_function_t *layer, const void *input, void *output) {
    const int16_t *from = input;
    int16_t *to = output;
    for (int32_t i = 0; i < layer->elements; ++i) {
        const int32_t x = wide_argument(layer, from[i]);
        const int32_t above = (int32_t)wide_interpolated(layer->sigmoid, wide_distance(x), 8, 0xFFFFu << 8) - (1 << 23);
        to[i] = (int16_t)((x >= 0 ? above + (1 << 7) : -above + (1 << 7) - 1) >> 8);
    }
}

/* A table of 513 values over int16. */
static int32_t wide_looked_up(const int16_t *table, int32_t value) {
    const int32_t index = 256 + (value >> 7), base = table[index], slope = table[index + 1] - base;
    return base + ((slope * (value & 0x7F) + 64) >> 7);
}

static int32_t wide_clamp(int32_t value) {
    return scn_min(scn_max(value, INT16_MIN), INT16_MAX);
}

static int32_t wide_leading_zeros(uint32_t value) {
    int32_t zeros = 0;
    for (; !(value & 0x80000000u); value <<= 1) {
        ++zeros;
    }
    return zeros;
}

static void wide_softmax_row(const scn_wide_softmax_t *layer, const int16_t *from, int16_t *to) {
    int32_t largest = INT16_MIN, sum = 0;
    for (int32_t i = 0; i < layer->depth; ++i) {
        largest = scn_max(largest, from[i]);
    }
    for (int32_t i = 0; i < layer->depth; ++i) {
        const int32_t scaled = scn_scale(from[i] - largest, layer->scale);
        to[i] = (int16_t)wide_looked_up(layer->exponential, wide_clamp(scaled + INT16_MAX));
        sum += to[i];
    }
    const int32_t zeros = wide_leading_zeros((uint32_t)sum), right = 31 - zeros;
    /* The sum between 1 and 2, less 1, as the table of inverses takes it. */
    const int32_t shifted = (int32_t)((((int64_t)sum << (zeros - 1)) + (1 << 13)) >> 14) - (1 << 15) - (1 << 16);
    const int32_t inverse = wide_looked_up(layer->inverse, wide_clamp(shifted));
    for (int32_t i = 0; i < layer->depth; ++i) {
        const int32_t made = (int32_t)(((int64_t)to[i] * inverse + (1 << (right - 1))) >> right);
        to[i] = (int16_t)scn_min(scn_max(made, 0), INT16_MAX);
    }
}

void scn_softmax_s16(const scn_wide_softmax_t *layer, const void *input, void *output) {
    const int16_t *from = input;
    int16_t *to = output;
    for (int32_t row = 0; row < layer->rows; ++row) {
        wide_softmax_row(layer, from + row * layer->depth, to + row * layer->depth);
    }
}
