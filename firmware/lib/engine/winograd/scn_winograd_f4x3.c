/* SPDX-License-Identifier: MIT */
/*
 * The transforms B of the input, G of the weights and A of the output are those of Lavin and Gray (2015):
 * y = A ((G g) * (B d)). Rows of G hold sixths and 24ths. The weights are transformed by rows of integers instead, and
 * the sums of the planes multiplied by 6, -4, -4, 1, 1 and 24, which gives 24 y. The inverse of 3 modulo 2^32 and a
 * shift undo that factor; intermediate sums may wrap.
 */
#include "scn_simd.h"
#include "scn_winograd_tile.h"

/* Six pixels of two channels to the six planes. */
static inline void transform_f4x3(const uint32_t *d, uint32_t *to) {
    const uint32_t even = scn_sub_pair(d[4], d[2]);
    const uint32_t odd = scn_sub_pair(d[3], d[1]);
    const uint32_t front = scn_sub_pair(d[0], d[2]);
    const uint32_t twice_front = scn_add_pair(front, front);
    const uint32_t twice_odd = scn_add_pair(odd, odd);
    const uint32_t twice_1 = scn_add_pair(d[1], d[1]);
    const uint32_t twice_2 = scn_add_pair(d[2], d[2]);
    const uint32_t low = scn_sub_pair(d[3], scn_add_pair(twice_1, twice_1));
    const uint32_t high = scn_sub_pair(d[4], scn_add_pair(twice_2, twice_2));
    to[0] = scn_add_pair(scn_add_pair(twice_front, twice_front), even);
    to[SCN_TILES] = scn_add_pair(high, low);
    to[2 * SCN_TILES] = scn_sub_pair(high, low);
    to[3 * SCN_TILES] = scn_add_pair(even, twice_odd);
    to[4 * SCN_TILES] = scn_sub_pair(even, twice_odd);
    to[5 * SCN_TILES] = scn_sub_pair(scn_sub_pair(d[5], d[3]), scn_add_pair(twice_odd, twice_odd));
}

static inline void transform_f4x3_even(const uint32_t *quad, uint32_t offset, uint32_t *to) {
    const uint32_t even[] = {scn_widen_even(offset, quad[0]), scn_widen_even(offset, quad[1]),
                             scn_widen_even(offset, quad[2]), scn_widen_even(offset, quad[3]),
                             scn_widen_even(offset, quad[4]), scn_widen_even(offset, quad[5])};
    transform_f4x3(even, to);
}

static inline void transform_f4x3_odd(const uint32_t *quad, uint32_t offset, uint32_t *to) {
    const uint32_t odd[] = {scn_widen_odd(offset, quad[0]), scn_widen_odd(offset, quad[1]),
                            scn_widen_odd(offset, quad[2]), scn_widen_odd(offset, quad[3]),
                            scn_widen_odd(offset, quad[4]), scn_widen_odd(offset, quad[5])};
    transform_f4x3(odd, to);
}

/* Two bytes become the even ones of four, so that they form a whole pair. Absent bytes are set to minus `offset`. */
uint32_t scn_load_some(const int8_t *from, int32_t count, uint32_t offset) {
    static const uint8_t shifts[2][3] = {{0, 8, 16}, {0, 16, 8}};
    uint32_t quad = ((0u - offset) & 0xFFu) * 0x01010101u;
    for (int32_t i = 0; i < count; ++i) {
        const int shift = shifts[count < 3][i];
        quad = (quad & ~(0xFFu << shift)) | (((uint32_t)from[i] & 0xFFu) << shift);
    }
    return quad;
}

void scn_tile_input_f4x3(const int8_t *const *from, int32_t channels, uint32_t offset, uint32_t *to,
                         int32_t step_words) {
    int32_t c = 0;
    for (; c + 4 <= channels; c += 4) {
        const uint32_t quad[] = {scn_load_quad(from[0] + c), scn_load_quad(from[1] + c), scn_load_quad(from[2] + c),
                                 scn_load_quad(from[3] + c), scn_load_quad(from[4] + c), scn_load_quad(from[5] + c)};
        transform_f4x3_even(quad, offset, to);
        transform_f4x3_odd(quad, offset, to + step_words);
        to += 2 * step_words;
    }
    if (c < channels) {
        uint32_t quad[SCN_TILE_INPUTS];
        for (int i = 0; i < SCN_TILE_INPUTS; ++i) {
            quad[i] = scn_load_some(from[i] + c, channels - c, offset);
        }
        transform_f4x3_even(quad, offset, to);
        if (c + 2 < channels) {
            transform_f4x3_odd(quad, offset, to + step_words);
        }
    }
}

static inline void store_two(uint32_t *to, uint32_t first, uint32_t second) {
    to[0] = first;
    to[1] = second;
}

void scn_tile_weights_f4x3(const int8_t *from, int32_t count, uint32_t *to) {
    for (const int8_t *end = from + 12 * count; from < end; from += 12) {
        const uint32_t quad0 = scn_load_quad(from), quad1 = scn_load_quad(from + 4), quad2 = scn_load_quad(from + 8);
        const uint32_t a0 = scn_even(quad0), a1 = scn_even(quad1), a2 = scn_even(quad2);
        const uint32_t b0 = scn_odd(quad0), b1 = scn_odd(quad1), b2 = scn_odd(quad2);
        const uint32_t a_ends = scn_add_pair(a0, a2), b_ends = scn_add_pair(b0, b2);
        const uint32_t a_middle = scn_add_pair(a1, a1), b_middle = scn_add_pair(b1, b1);
        const uint32_t a_last = scn_add_pair(a2, a2), b_last = scn_add_pair(b2, b2);
        const uint32_t a_far = scn_add_pair(a0, scn_add_pair(a_last, a_last));
        const uint32_t b_far = scn_add_pair(b0, scn_add_pair(b_last, b_last));
        store_two(to, a0, b0);
        store_two(to + 2, scn_add_pair(a_ends, a1), scn_add_pair(b_ends, b1));
        store_two(to + 4, scn_sub_pair(a_ends, a1), scn_sub_pair(b_ends, b1));
        store_two(to + 6, scn_add_pair(a_far, a_middle), scn_add_pair(b_far, b_middle));
        store_two(to + 8, scn_sub_pair(a_far, a_middle), scn_sub_pair(b_far, b_middle));
        store_two(to + 10, a2, b2);
        to += 2 * SCN_WINOGRAD_F4X3_PLANES;
    }
}
