/*
 * With the input transform B, the weights' G and the output's A of Lavin and Gray (2015), y = A ((G g) * (B d)). Rows
 * of G hold sixths and 24ths: the weights are transformed by rows of whole numbers instead, and the planes' sums
 * multiplied by 6, -4, -4, 1, 1 and 24, which makes 24 y. Modulo 2^32 that is undone by the inverse of 3 and a shift;
 * sums beyond int32 on the way do no harm.
 */
#include "scn_winograd.h"
#include "scn_simd.h"

static const uint32_t inverse_of_3 = 0xAAAAAAABu;

static void transform_pairs(const uint32_t *d, uint32_t *to, int32_t plane_words) {
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
    to[plane_words] = scn_add_pair(high, low);
    to[2 * plane_words] = scn_sub_pair(high, low);
    to[3 * plane_words] = scn_add_pair(even, twice_odd);
    to[4 * plane_words] = scn_sub_pair(even, twice_odd);
    to[5 * plane_words] = scn_sub_pair(scn_sub_pair(d[5], d[3]), scn_add_pair(twice_odd, twice_odd));
}

/* Up to four bytes; those that are absent are minus `offset`, and so end up as 0. */
static uint32_t load_some(const int8_t *from, int32_t count, uint32_t offset) {
    uint32_t quad = 0;
    for (int32_t i = 0; i < 4; ++i) {
        const uint32_t value = i < count ? (uint32_t)from[i] : 0u - offset;
        quad |= (value & 0xFFu) << (8 * i);
    }
    return quad;
}

void scn_tile_in(const int8_t *const *from, int32_t channels, uint32_t offset, uint32_t *to, int32_t plane_words) {
    for (int32_t c = 0; c < channels; c += 4) {
        uint32_t even[SCN_TILE_INPUTS], odd[SCN_TILE_INPUTS];
        for (int i = 0; i < SCN_TILE_INPUTS; ++i) {
            const bool whole = c + 4 <= channels;
            const uint32_t quad = whole ? scn_load_quad(from[i] + c) : load_some(from[i] + c, channels - c, offset);
            even[i] = scn_widen_even(offset, quad);
            odd[i] = scn_widen_odd(offset, quad);
        }
        transform_pairs(even, to, plane_words);
        transform_pairs(odd, to + SCN_TILES, plane_words);
        to += 2 * SCN_TILES;
    }
}

/* One output channel's word of each plane, the planes `step` words apart. */
static void weigh(uint32_t g0, uint32_t g1, uint32_t g2, uint32_t *to, int32_t step) {
    const uint32_t ends = scn_add_pair(g0, g2);
    const uint32_t twice_1 = scn_add_pair(g1, g1);
    const uint32_t twice_2 = scn_add_pair(g2, g2);
    const uint32_t far_ends = scn_add_pair(g0, scn_add_pair(twice_2, twice_2));
    to[0] = g0;
    to[step] = scn_add_pair(ends, g1);
    to[2 * step] = scn_sub_pair(ends, g1);
    to[3 * step] = scn_add_pair(far_ends, twice_1);
    to[4 * step] = scn_sub_pair(far_ends, twice_1);
    to[5 * step] = g2;
}

void scn_tile_weights(const int8_t *from, int32_t count, uint32_t *to) {
    const int32_t step = 4 * count;
    for (int32_t i = 0; i < 2 * count; ++i) {
        const uint32_t g0 = scn_load_quad(from), g1 = scn_load_quad(from + 4), g2 = scn_load_quad(from + 8);
        weigh(scn_even(g0), scn_even(g1), scn_even(g2), to, step);
        weigh(scn_odd(g0), scn_odd(g1), scn_odd(g2), to + 1, step);
        from += 12;
        to += 2;
    }
}

/* times * y / times, times = 3 * 2^shift; modulo 2^32 up to the shift. */
static int32_t undo(uint32_t multiple, int shift) {
    return (int32_t)(multiple * inverse_of_3) >> shift;
}

void scn_tile_out(const int32_t *plane, int32_t bias, int32_t *sum) {
    const uint32_t m0 = (uint32_t)plane[0], m5 = (uint32_t)plane[40];
    const uint32_t m1 = (uint32_t)plane[8], m2 = (uint32_t)plane[16];
    const uint32_t m3 = (uint32_t)plane[24], m4 = (uint32_t)plane[32];
    const uint32_t near = m1 + m2, near_odd = m1 - m2, far = m3 + m4, far_odd = m3 - m4;
    const uint32_t added = (uint32_t)bias;
    sum[0] = (int32_t)(added + (uint32_t)undo(6 * m0 - 4 * near + far, 3));
    sum[1] = (int32_t)(added + (uint32_t)undo(far_odd - 2 * near_odd, 2));
    sum[2] = (int32_t)(added + (uint32_t)undo(far - near, 1));
    sum[3] = (int32_t)(added + (uint32_t)undo(2 * far_odd - near_odd + 6 * m5, 1));
}
