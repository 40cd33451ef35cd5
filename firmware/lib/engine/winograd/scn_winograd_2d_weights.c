/* SPDX-License-Identifier: MIT */
/*
 * The transform of the weights, by rows of integers: those of Lavin and Gray (2015) times -6, 24, or 12. Of F(3, 4),
 * which has the same inputs, the rows are the powers of the same points.
 */
#include "scn_fixedpoint.h"
#include "scn_simd.h"
#include "scn_winograd_2d_tile.h"

enum { MOST = 4, SIDE = SCN_2D_SIDE, QUAD = 4 };

/* Which taps of an axis: all three; the first three of four; four. */
typedef enum { THREE, THREE_OF_FOUR, FOUR } taps_t;

static inline int count_of(taps_t taps) {
    return taps == FOUR ? 4 : 3;
}

static inline uint32_t twice(uint32_t pair) {
    return scn_add_pair(pair, pair);
}

static inline uint32_t thrice(uint32_t pair) {
    return scn_add_pair(pair, twice(pair));
}

static inline uint32_t plus_four(uint32_t pair, uint32_t by) {
    return scn_add_pair(pair, twice(twice(by)));
}

/* Six planes of one channel. */
typedef struct {
    uint32_t u0, u1, u2, u3, u4, u5;
} line_t;

static inline line_t line_of(taps_t taps, uint32_t g0, uint32_t g1, uint32_t g2, uint32_t g3) {
    const uint32_t even = scn_add_pair(g0, g2), odd = taps == FOUR ? scn_add_pair(g1, g3) : g1;
    const uint32_t high = plus_four(g0, g2), low = twice(taps == FOUR ? plus_four(g1, g3) : g1);
    return (line_t){thrice(g0),
                    scn_add_pair(even, odd),
                    scn_sub_pair(even, odd),
                    scn_add_pair(high, low),
                    scn_sub_pair(high, low),
                    taps == THREE_OF_FOUR ? 0 : thrice(taps == FOUR ? g3 : g2)};
}

/* Along the first axis, for a tap of the second; to: [plane of the first axis][tap]. */
static inline void store_halfway(line_t line, uint32_t *to, int taps) {
    to[0] = line.u0;
    to[taps] = line.u1;
    to[2 * taps] = line.u2;
    to[3 * taps] = line.u3;
    to[4 * taps] = line.u4;
    to[5 * taps] = line.u5;
}

static inline uint32_t *store_channels(uint32_t *to, uint32_t one, uint32_t other, int32_t plane_words) {
    to[0] = one;
    to[1] = other;
    return to + plane_words;
}

static inline uint32_t *store_planes(uint32_t *to, line_t one, line_t other, int32_t plane_words) {
    to = store_channels(to, one.u0, other.u0, plane_words);
    to = store_channels(to, one.u1, other.u1, plane_words);
    to = store_channels(to, one.u2, other.u2, plane_words);
    to = store_channels(to, one.u3, other.u3, plane_words);
    to = store_channels(to, one.u4, other.u4, plane_words);
    return store_channels(to, one.u5, other.u5, plane_words);
}

/* Taps [first axis][second axis] of two output channels; two words a plane. Returns the end of the taps. */
static SCN_INLINE const int8_t *transform_both(taps_t first, taps_t second, const int8_t *from, uint32_t *to,
                                               int32_t plane_words) {
    const int rows = count_of(first), columns = count_of(second);
    uint32_t halfway[2][SIDE * MOST];
    for (int i = 0; i < columns; ++i, from += QUAD) {
        const uint32_t q0 = scn_load_quad(from), q1 = scn_load_quad(from + QUAD * columns);
        const uint32_t q2 = scn_load_quad(from + 2 * QUAD * columns);
        const uint32_t q3 = first == FOUR ? scn_load_quad(from + 3 * QUAD * columns) : 0;
        store_halfway(line_of(first, scn_even(q0), scn_even(q1), scn_even(q2), scn_even(q3)), halfway[0] + i, columns);
        store_halfway(line_of(first, scn_odd(q0), scn_odd(q1), scn_odd(q2), scn_odd(q3)), halfway[1] + i, columns);
    }
    const uint32_t *one = halfway[0], *other = halfway[1];
    for (const uint32_t *end = one + SIDE * columns; one < end; one += columns, other += columns) {
        const bool four = second == FOUR;
        to = store_planes(to, line_of(second, one[0], one[1], one[2], four ? one[3] : 0),
                          line_of(second, other[0], other[1], other[2], four ? other[3] : 0), plane_words);
    }
    return from + (rows - 1) * columns * QUAD;
}

void scn_winograd_2d_weights(const int8_t *from, int32_t steps, uint32_t *to, int32_t plane_words, int32_t step_words) {
    for (int32_t step = 0; step < steps; ++step, to += step_words) {
        from = transform_both(THREE, THREE, from, to, plane_words);
    }
}

void scn_winograd_2d_weights_slide(const int8_t *from, int32_t steps, uint32_t *to, int32_t plane_words,
                                   int32_t step_words) {
    for (int32_t step = 0; step < steps; ++step, to += step_words) {
        from = transform_both(THREE_OF_FOUR, THREE, from, to, plane_words);
        from = transform_both(FOUR, THREE, from, to + 2, plane_words);
    }
}

void scn_winograd_2d_weights_both(const int8_t *from, int32_t steps, uint32_t *to, int32_t plane_words,
                                  int32_t step_words) {
    for (int32_t step = 0; step < steps; ++step, to += step_words) {
        from = transform_both(THREE_OF_FOUR, THREE_OF_FOUR, from, to, plane_words);
        from = transform_both(THREE_OF_FOUR, FOUR, from, to + 4, plane_words);
        from = transform_both(FOUR, THREE_OF_FOUR, from, to + 2, plane_words);
        from = transform_both(FOUR, FOUR, from, to + 6, plane_words);
    }
}
