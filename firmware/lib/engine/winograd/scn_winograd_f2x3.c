/* SPDX-License-Identifier: MIT */
/*
 * F(2, 3): two outputs from a tile of four inputs in four products instead of six. The middle rows of the weight
 * transform (Lavin and Gray, 2015) hold halves; twice those rows are computed. The planes then give twice the outputs,
 * the form that the requantization takes: nothing is divided. Transformed inputs are at most 2 * 255, weights 3 * 128.
 */
#include "scn_simd.h"
#include "scn_winograd_output_impl.h"

/* Four pixels of two channels to the four planes. */
static inline void transform_f2x3(const uint32_t *d, uint32_t *to) {
    to[0] = scn_sub_pair(d[0], d[2]);
    to[SCN_TILES] = scn_add_pair(d[1], d[2]);
    to[2 * SCN_TILES] = scn_sub_pair(d[2], d[1]);
    to[3 * SCN_TILES] = scn_sub_pair(d[1], d[3]);
}

static inline void transform_f2x3_even(const uint32_t *quad, uint32_t offset, uint32_t *to) {
    const uint32_t even[] = {scn_widen_even(offset, quad[0]), scn_widen_even(offset, quad[1]),
                             scn_widen_even(offset, quad[2]), scn_widen_even(offset, quad[3])};
    transform_f2x3(even, to);
}

static inline void transform_f2x3_odd(const uint32_t *quad, uint32_t offset, uint32_t *to) {
    const uint32_t odd[] = {scn_widen_odd(offset, quad[0]), scn_widen_odd(offset, quad[1]),
                            scn_widen_odd(offset, quad[2]), scn_widen_odd(offset, quad[3])};
    transform_f2x3(odd, to);
}

static void tile_input_f2x3(const int8_t *const *from, int32_t channels, uint32_t offset, uint32_t *to,
                            int32_t step_words) {
    int32_t c = 0;
    for (; c + 4 <= channels; c += 4) {
        const uint32_t quad[] = {scn_load_quad(from[0] + c), scn_load_quad(from[1] + c), scn_load_quad(from[2] + c),
                                 scn_load_quad(from[3] + c)};
        transform_f2x3_even(quad, offset, to);
        transform_f2x3_odd(quad, offset, to + step_words);
        to += 2 * step_words;
    }
    if (c < channels) {
        uint32_t quad[SCN_WINOGRAD_F2X3_PLANES];
        for (int i = 0; i < SCN_WINOGRAD_F2X3_PLANES; ++i) {
            quad[i] = scn_load_some(from[i] + c, channels - c, offset);
        }
        transform_f2x3_even(quad, offset, to);
        if (c + 2 < channels) {
            transform_f2x3_odd(quad, offset, to + step_words);
        }
    }
}

static void tile_weights_f2x3(const int8_t *from, int32_t count, uint32_t *to) {
    for (const int8_t *end = from + 12 * count; from < end; from += 12) {
        const uint32_t quad0 = scn_load_quad(from), quad1 = scn_load_quad(from + 4), quad2 = scn_load_quad(from + 8);
        const uint32_t a0 = scn_even(quad0), a1 = scn_even(quad1), a2 = scn_even(quad2);
        const uint32_t b0 = scn_odd(quad0), b1 = scn_odd(quad1), b2 = scn_odd(quad2);
        const uint32_t a_ends = scn_add_pair(a0, a2), b_ends = scn_add_pair(b0, b2);
        to[0] = a0;
        to[1] = b0;
        to[2] = scn_add_pair(a_ends, a1);
        to[3] = scn_add_pair(b_ends, b1);
        to[4] = scn_sub_pair(a_ends, a1);
        to[5] = scn_sub_pair(b_ends, b1);
        to[6] = a2;
        to[7] = b2;
        to += 2 * SCN_WINOGRAD_F2X3_PLANES;
    }
}

/* Twice the sums of two outputs. Planes are summed modulo 2^32; the results fit. */
static inline void tile_output_f2x3(const int32_t *plane, int32_t twice_bias, int32_t *twice) {
    const uint32_t m0 = (uint32_t)plane[0], m1 = (uint32_t)plane[SCN_WINOGRAD_UNIT_SUMS];
    const uint32_t m2 = (uint32_t)plane[2 * SCN_WINOGRAD_UNIT_SUMS], m3 = (uint32_t)plane[3 * SCN_WINOGRAD_UNIT_SUMS];
    twice[0] = scn_wrap_add(twice_bias, (int32_t)(2 * m0 + m1 + m2));
    twice[1] = scn_wrap_add(twice_bias, (int32_t)(m1 - m2 - 2 * m3));
}

static void tile_store_f2x3(const scn_tile_channel_t *channel, const int32_t *planes, const scn_tile_places_t *places) {
    tile_store_all(channel, planes, places, SCN_TILE_F2X3_OUTPUTS, tile_output_f2x3);
}

const scn_tile_kind_t scn_tile_f2x3 = {
    SCN_TILE_F2X3_OUTPUTS,        tile_input_f2x3, tile_weights_f2x3, scn_winograd_dot_f2x3,
    scn_winograd_dot_shared_f2x3, tile_store_f2x3,
};
