/*
 * With the input transform B, the weights' G and the output's A of Lavin and Gray (2015), y = A ((G g) * (B d)). Rows
 * of G hold sixths and 24ths: the weights are transformed by rows of whole numbers instead, and the planes' sums
 * multiplied by 6, -4, -4, 1, 1 and 24, which makes 24 y. Modulo 2^32 that is undone by the inverse of 3 and a shift;
 * sums beyond int32 on the way do no harm.
 */
#include "scn_winograd.h"
#include "scn_simd.h"

static const uint32_t inverse_of_3 = 0xAAAAAAABu;

/* Two channels of six pixels to the six planes. */
static inline void transform(const uint32_t *d, uint32_t *to, int32_t plane_words) {
    const uint32_t even = scn_sub_pair(d[4], d[2]);
    const uint32_t odd = scn_sub_pair(d[3], d[1]);
    const uint32_t front = scn_sub_pair(d[0], d[2]);
    const uint32_t twice_front = scn_add_pair(front, front);
    const uint32_t twice_odd = scn_add_pair(odd, odd);
    const uint32_t twice_1 = scn_add_pair(d[1], d[1]);
    const uint32_t twice_2 = scn_add_pair(d[2], d[2]);
    const uint32_t low = scn_sub_pair(d[3], scn_add_pair(twice_1, twice_1));
    const uint32_t high = scn_sub_pair(d[4], scn_add_pair(twice_2, twice_2));
    *to = scn_add_pair(scn_add_pair(twice_front, twice_front), even);
    *(to += plane_words) = scn_add_pair(high, low);
    *(to += plane_words) = scn_sub_pair(high, low);
    *(to += plane_words) = scn_add_pair(even, twice_odd);
    *(to += plane_words) = scn_sub_pair(even, twice_odd);
    *(to += plane_words) = scn_sub_pair(scn_sub_pair(d[5], d[3]), scn_add_pair(twice_odd, twice_odd));
}

static inline void transform_quads(const uint32_t *quad, uint32_t offset, uint32_t *to, int32_t plane_words) {
    const uint32_t even[] = {scn_widen_even(offset, quad[0]), scn_widen_even(offset, quad[1]),
                             scn_widen_even(offset, quad[2]), scn_widen_even(offset, quad[3]),
                             scn_widen_even(offset, quad[4]), scn_widen_even(offset, quad[5])};
    transform(even, to, plane_words);
    const uint32_t odd[] = {scn_widen_odd(offset, quad[0]), scn_widen_odd(offset, quad[1]),
                            scn_widen_odd(offset, quad[2]), scn_widen_odd(offset, quad[3]),
                            scn_widen_odd(offset, quad[4]), scn_widen_odd(offset, quad[5])};
    transform(odd, to + SCN_TILES, plane_words);
}

/* One to three bytes; those that are absent are minus `offset`, and so end up as 0. */
static uint32_t load_some(const int8_t *from, int32_t count, uint32_t offset) {
    uint32_t quad = 0;
    for (int32_t i = 0; i < 4; ++i) {
        const uint32_t value = i < count ? (uint32_t)from[i] : 0u - offset;
        quad |= (value & 0xFFu) << (8 * i);
    }
    return quad;
}

void scn_tile_in(const int8_t *const *from, int32_t channels, uint32_t offset, uint32_t *to, int32_t plane_words) {
    int32_t c = 0;
    for (; c + 4 <= channels; c += 4) {
        const uint32_t quad[] = {scn_load_quad(from[0] + c), scn_load_quad(from[1] + c), scn_load_quad(from[2] + c),
                                 scn_load_quad(from[3] + c), scn_load_quad(from[4] + c), scn_load_quad(from[5] + c)};
        transform_quads(quad, offset, to, plane_words);
        to += 2 * SCN_TILES;
    }
    if (c < channels) {
        uint32_t quad[SCN_TILE_INPUTS];
        for (int i = 0; i < SCN_TILE_INPUTS; ++i) {
            quad[i] = load_some(from[i] + c, channels - c, offset);
        }
        transform_quads(quad, offset, to, plane_words);
    }
}

static inline void put_two(uint32_t *to, uint32_t first, uint32_t second) {
    to[0] = first;
    to[1] = second;
}

void scn_tile_weights(const int8_t *from, int32_t count, uint32_t *to) {
    const int32_t step = 4 * count;
    for (const int8_t *end = from + 24 * count; from < end; from += 12) {
        const uint32_t quad0 = scn_load_quad(from), quad1 = scn_load_quad(from + 4), quad2 = scn_load_quad(from + 8);
        const uint32_t a0 = scn_even(quad0), a1 = scn_even(quad1), a2 = scn_even(quad2);
        const uint32_t b0 = scn_odd(quad0), b1 = scn_odd(quad1), b2 = scn_odd(quad2);
        const uint32_t a_ends = scn_add_pair(a0, a2), b_ends = scn_add_pair(b0, b2);
        const uint32_t a_middle = scn_add_pair(a1, a1), b_middle = scn_add_pair(b1, b1);
        const uint32_t a_last = scn_add_pair(a2, a2), b_last = scn_add_pair(b2, b2);
        const uint32_t a_far = scn_add_pair(a0, scn_add_pair(a_last, a_last));
        const uint32_t b_far = scn_add_pair(b0, scn_add_pair(b_last, b_last));
        uint32_t *plane = to;
        put_two(plane, a0, b0);
        put_two(plane += step, scn_add_pair(a_ends, a1), scn_add_pair(b_ends, b1));
        put_two(plane += step, scn_sub_pair(a_ends, a1), scn_sub_pair(b_ends, b1));
        put_two(plane += step, scn_add_pair(a_far, a_middle), scn_add_pair(b_far, b_middle));
        put_two(plane += step, scn_sub_pair(a_far, a_middle), scn_sub_pair(b_far, b_middle));
        put_two(plane + step, a2, b2);
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
