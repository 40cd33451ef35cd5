/* SPDX-License-Identifier: MIT */
/*
 * From the sums of the planes to outputs. Along an axis the transform of Lavin and Gray (2015), times 24, gives 24, 12,
 * 6 and 6 times the outputs without a division; along both, 9 * 2^k times them. Where 576 times any sum fits int32, the
 * factor of the rescaling takes all that in; elsewhere the inverse of 9 modulo 2^32 and a shift leave twice the sum.
 */
#include "scn_requantize.h"
#include "scn_winograd_2d_tile.h"

enum { SIDE = SCN_2D_SIDE, MOST = 4 };

static const uint32_t inverse_of_9 = 0x38E38E39u;

/* Powers of two by which outputs along an axis lack the factor of the first one, which is 24. */
static SCN_INLINE int lack_of(int output) {
    return output > 1 ? 2 : output;
}

/* Six values, `step` words apart, to the outputs of an axis. */
static SCN_INLINE void transform_back(const int32_t *from, int step, int outputs, uint32_t *to, int to_step) {
    const uint32_t m0 = (uint32_t)from[0], m1 = (uint32_t)from[step], m2 = (uint32_t)from[2 * step];
    const uint32_t m3 = (uint32_t)from[3 * step], m4 = (uint32_t)from[4 * step], m5 = (uint32_t)from[5 * step];
    const uint32_t near = m1 + m2, near_odd = m1 - m2, far = m3 + m4, far_odd = m3 - m4;
    to[0] = far + (m0 << 1) - (near << 2);
    to[to_step] = far_odd - (near_odd << 1);
    if (outputs == MOST) {
        to[2 * to_step] = far - near;
        to[3 * to_step] = ((far_odd + m5) << 1) - near_odd;
    } else {
        to[2 * to_step] = far - near + (m5 << 1);
    }
}

/* Sums of all planes, to [output along the first axis][6 values along the second]. */
static SCN_INLINE void transform_columns(const int32_t *sums, int outputs, uint32_t *halfway) {
    for (int i = 0; i < SIDE; ++i) {
        transform_back(sums + i * SCN_2D_UNIT, SIDE * SCN_2D_UNIT, outputs, halfway + i, SIDE);
    }
}

/* Twice a sum, from a value that has 576 times it over 2^lack. */
static SCN_INLINE int32_t twice_sum(uint32_t value, int lack) {
    return (int32_t)(value * inverse_of_9) >> (5 - lack);
}

/* A value to INT8. */
static SCN_INLINE int32_t finish(const scn_winograd_2d_channel_t *by, uint32_t value, int lack, bool quick) {
    if (quick) {
        return scn_saturate32(scn_high_mul_add_down((int32_t)(value << lack), by->multiplier, by->added) >> by->right);
    }
    const scn_requant_t exact = {by->multiplier, -by->right, by->added};
    return scn_requantize(exact, twice_sum(value, lack));
}

/* Activation and map, in place. */
static void follow_map(const scn_2d_after_t *after, int32_t *values, const int32_t *end) {
    if (after->table) {
        for (const int8_t *table = after->table; values < end; ++values) {
            *values = table[*values];
        }
    } else if (after->affine) {
        for (const scn_affine_map_t affine = *after->affine; values < end; ++values) {
            *values = scn_affine(affine, *values);
        }
    } else {
        for (const int32_t low = after->low, high = after->high; values < end; ++values) {
            *values = scn_clamp(*values, low, high);
        }
    }
}

void scn_winograd_2d_follow(const scn_2d_after_t *after, int8_t *to, int32_t stride, int32_t *values, int count) {
    const int32_t *end = values + count, *middle = after->middle;
    if (after->maps) {
        follow_map(after, values, end);
    }
    if (!middle) {
        for (; values < end; to += stride) {
            *to = (int8_t)*values++;
        }
        return;
    }
    const int32_t multiplier = after->multiplier;
    const int8_t *skip = to + after->skip;
    for (; values < end; to += stride, skip += stride) {
        *to = (int8_t)scn_add_lut(middle, multiplier, *values++, *skip);
    }
}

/* Stores a line of values. */
static SCN_INLINE void store_line(const scn_2d_outputs_t *places, int8_t *to, int32_t *values, int count) {
    const int32_t right = places->stride[1];
    if (places->after) {
        scn_winograd_2d_follow(places->after, to, right, values, count);
        return;
    }
    to[0] = (int8_t)values[0];
    to[right] = (int8_t)values[1];
    if (count > 2) {
        to[2 * right] = (int8_t)values[2];
    }
    if (count > 3) {
        to[3 * right] = (int8_t)values[3];
    }
}

/* The outputs of row i along the first axis. Rows are unrolled, so that factors are constants. */
static SCN_INLINE void store_row(const scn_winograd_2d_channel_t *by, const uint32_t *halfway, int i, int second,
                                 const scn_2d_outputs_t *places, int8_t *to, bool quick) {
    uint32_t values[MOST];
    int32_t outputs[MOST];
    transform_back((const int32_t *)halfway + i * SIDE, 1, second, values, 1);
    outputs[0] = finish(by, values[0], lack_of(i), quick);
    outputs[1] = finish(by, values[1], lack_of(i) + 1, quick);
    outputs[2] = finish(by, values[2], lack_of(i) + 2, quick);
    if (second == MOST) {
        outputs[3] = finish(by, values[3], lack_of(i) + 2, quick);
    }
    store_line(places, to, outputs, second);
}

static SCN_INLINE void store_all(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                                 const scn_2d_outputs_t *places, int first, int second, bool quick) {
    const scn_winograd_2d_channel_t channel = *by;
    const scn_2d_outputs_t where = *places;
    uint32_t halfway[MOST * SIDE];
    int8_t *to = where.to;
    transform_columns(sums, first, halfway);
    store_row(&channel, halfway, 0, second, &where, to, quick);
    store_row(&channel, halfway, 1, second, &where, to += where.stride[0], quick);
    store_row(&channel, halfway, 2, second, &where, to += where.stride[0], quick);
    if (first == MOST) {
        store_row(&channel, halfway, 3, second, &where, to + where.stride[0], quick);
    }
}

static SCN_INLINE uint32_t larger(uint32_t a, uint32_t b) {
    return (int32_t)a > (int32_t)b ? a : b;
}

/* Two pooled values of row i, with the factor of the row before where that is pooled too. */
typedef struct {
    uint32_t front, back;
} pooled_t;

static SCN_INLINE pooled_t pooled_row(const uint32_t *halfway, int i, int more) {
    uint32_t values[MOST];
    transform_back((const int32_t *)halfway + i * SIDE, 1, MOST, values, 1);
    return (pooled_t){larger(values[0], values[1] << 1) << more, larger(values[2], values[3]) << more};
}

static SCN_INLINE void store_pooled_row(const scn_winograd_2d_channel_t *by, pooled_t row, int lack,
                                        const scn_2d_outputs_t *places, int8_t *to) {
    int32_t outputs[] = {finish(by, row.front, lack, true), finish(by, row.back, lack + 2, true)};
    store_line(places, to, outputs, 2);
}

/* Pools along the second axis, of four outputs. */
static SCN_INLINE void store_pooled(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                                    const scn_2d_outputs_t *places, int first) {
    const scn_winograd_2d_channel_t channel = *by;
    const scn_2d_outputs_t where = *places;
    uint32_t halfway[MOST * SIDE];
    int8_t *to = where.to;
    transform_columns(sums, first, halfway);
    store_pooled_row(&channel, pooled_row(halfway, 0, 0), 0, &where, to);
    store_pooled_row(&channel, pooled_row(halfway, 1, 0), 1, &where, to += where.stride[0]);
    store_pooled_row(&channel, pooled_row(halfway, 2, 0), 2, &where, to += where.stride[0]);
    if (first == MOST) {
        store_pooled_row(&channel, pooled_row(halfway, 3, 0), 2, &where, to + where.stride[0]);
    }
}

static SCN_INLINE pooled_t pooled_rows(const uint32_t *halfway, int i) {
    const pooled_t one = pooled_row(halfway, i, 0), other = pooled_row(halfway, i + 1, i == 0);
    return (pooled_t){larger(one.front, other.front), larger(one.back, other.back)};
}

/* Pools along both axes. */
static SCN_INLINE void store_pooled_both(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                                         const scn_2d_outputs_t *places) {
    const scn_winograd_2d_channel_t channel = *by;
    const scn_2d_outputs_t where = *places;
    uint32_t halfway[MOST * SIDE];
    transform_columns(sums, MOST, halfway);
    store_pooled_row(&channel, pooled_rows(halfway, 0), 0, &where, where.to);
    store_pooled_row(&channel, pooled_rows(halfway, 2), 2, &where, where.to + where.stride[0]);
}

/* Pools sums in any way, for the channels and the pools that no other function takes. */
static SCN_NOINLINE void store_pooled_any(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                                          const scn_2d_outputs_t *places, int first) {
    const bool falls = by->multiplier<0, quick = by->right> 0, over = places->pool[0];
    const scn_requant_t exact = {falls ? -by->multiplier : by->multiplier, -by->right, by->added};
    const int across = places->pool[1] ? 2 : 1;
    uint32_t halfway[MOST * SIDE], values[MOST];
    int32_t twice[MOST];
    int8_t *to = places->to;
    transform_columns(sums, first, halfway);
    for (int i = 0; i < first; ++i) {
        transform_back((const int32_t *)halfway + i * SIDE, 1, MOST, values, 1);
        for (int k = 0; k < MOST; ++k) {
            const int lack = lack_of(i) + lack_of(k), place = k / across;
            const int32_t sum = quick ? (int32_t)(values[k] << lack) : twice_sum(values[k], lack);
            const bool kept = k % across == 0 && !(over && i % 2);
            twice[place] = kept ? sum : scn_max(twice[place], sum);
        }
        if (over && i % 2 == 0) {
            continue;
        }
        for (int k = 0; k < MOST / across; ++k) {
            twice[k] =
                quick ? finish(by, (uint32_t)twice[k], 0, true) : scn_requantize(exact, falls ? -twice[k] : twice[k]);
        }
        store_line(places, to, twice, MOST / across);
        to += places->stride[0];
    }
}

/* Each a function of its own: inlined together, they would share one large frame. */
static SCN_NOINLINE void store_exact_4x4(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                                         const scn_2d_outputs_t *places) {
    store_all(by, sums, places, MOST, MOST, false);
}

static SCN_NOINLINE void store_quick_4x4(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                                         const scn_2d_outputs_t *places) {
    store_all(by, sums, places, MOST, MOST, true);
}

static SCN_NOINLINE void store_pooled_4x4(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                                          const scn_2d_outputs_t *places) {
    store_pooled(by, sums, places, MOST);
}

static SCN_NOINLINE void store_pooled_2x2(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                                          const scn_2d_outputs_t *places) {
    store_pooled_both(by, sums, places);
}

void scn_winograd_2d_store_4x4(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                               const scn_2d_outputs_t *places) {
    const bool quick = by->right > 0;
    if (!places->pool[0] && !places->pool[1]) {
        (quick ? store_quick_4x4 : store_exact_4x4)(by, sums, places);
    } else if (!quick || !places->pool[1]) {
        store_pooled_any(by, sums, places, MOST);
    } else {
        (places->pool[0] ? store_pooled_2x2 : store_pooled_4x4)(by, sums, places);
    }
}

static SCN_NOINLINE void store_exact_3x4(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                                         const scn_2d_outputs_t *places) {
    store_all(by, sums, places, MOST - 1, MOST, false);
}

static SCN_NOINLINE void store_pooled_3x4(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                                          const scn_2d_outputs_t *places) {
    store_pooled(by, sums, places, MOST - 1);
}

static SCN_NOINLINE void store_quick_3x4(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                                         const scn_2d_outputs_t *places) {
    store_all(by, sums, places, MOST - 1, MOST, true);
}

void scn_winograd_2d_store_3x4(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                               const scn_2d_outputs_t *places) {
    const bool quick = by->right > 0;
    if (!places->pool[1]) {
        (quick ? store_quick_3x4 : store_exact_3x4)(by, sums, places);
    } else if (!quick) {
        store_pooled_any(by, sums, places, MOST - 1);
    } else {
        store_pooled_3x4(by, sums, places);
    }
}

static SCN_NOINLINE void store_exact_3x3(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                                         const scn_2d_outputs_t *places) {
    store_all(by, sums, places, MOST - 1, MOST - 1, false);
}

static SCN_NOINLINE void store_quick_3x3(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                                         const scn_2d_outputs_t *places) {
    store_all(by, sums, places, MOST - 1, MOST - 1, true);
}

void scn_winograd_2d_store_3x3(const scn_winograd_2d_channel_t *by, const int32_t *sums,
                               const scn_2d_outputs_t *places) {
    (by->right > 0 ? store_quick_3x3 : store_exact_3x3)(by, sums, places);
}
