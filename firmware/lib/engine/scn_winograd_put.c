/* From Winograd's planes to outputs: transformed back, pooled, rescaled and stored. */
#include "scn_winograd.h"

enum { TILES = 4, OUTPUTS = TILES * SCN_TILE_OUTPUTS };

static const uint32_t inverse_of_3 = 0xAAAAAAABu;

/* times * y / 3 for a multiple of 3, modulo 2^32. */
static inline int32_t third(uint32_t multiple) {
    return (int32_t)(multiple * inverse_of_3);
}

/* Twice the sums of four outputs: 24 y, 12 y, 6 y and 6 y are what the planes give. */
static inline void tile_out(const int32_t *plane, int32_t twice_bias, int32_t *twice) {
    const uint32_t m0 = (uint32_t)plane[0], m5 = (uint32_t)plane[5 * SCN_UNIT_SUMS];
    const uint32_t m1 = (uint32_t)plane[SCN_UNIT_SUMS], m2 = (uint32_t)plane[2 * SCN_UNIT_SUMS];
    const uint32_t m3 = (uint32_t)plane[3 * SCN_UNIT_SUMS], m4 = (uint32_t)plane[4 * SCN_UNIT_SUMS];
    const uint32_t near = m1 + m2, near_odd = m1 - m2, far = m3 + m4, far_odd = m3 - m4;
    twice[0] = twice_bias + (third(6 * m0 - 4 * near + far) >> 2);
    twice[1] = twice_bias + (third(far_odd - 2 * near_odd) >> 1);
    twice[2] = twice_bias + third(far - near);
    twice[3] = twice_bias + third(2 * far_odd - near_odd + 6 * m5);
}

scn_tile_channel_t scn_tile_channel(const scn_output_t *output, int32_t channel) {
    const scn_conv2d_t *layer = output->layer;
    const scn_multiplier_t scale = layer->scale[channel];
    const int32_t bias = scn_bias(layer, channel);
    const scn_post_t post = output->post;
    const bool mapped = post.table || post.affine;
    const bool small = bias <= output->bias_limit && bias >= -output->bias_limit;
    scn_tile_channel_t made = {.output = output, .channel = channel, .whole_range = output->whole_range};
    made.quick = small && scn_has_requant(scale) && (output->whole_range || !mapped);
    if (made.quick) {
        made.twice_bias = 2 * bias;
        made.stage = scn_requant(scale, layer->output_zero_point);
        made.table = post.table ? post.table + channel * 256 + 128 : NULL;
        made.affine = post.affine ? post.affine + channel : NULL;
        made.falling = scn_post(post, channel, INT8_MIN) > scn_post(post, channel, INT8_MAX);
    }
    return made;
}

static int8_t *place_of(const scn_tile_places_t *places, int i) {
    return places->to + i / SCN_TILES * places->position_stride + i % SCN_TILES * places->tile_stride;
}

/* Any bias, any factor; not pooled. */
static void put_any(const scn_tile_channel_t *channel, const int32_t *planes, const scn_tile_places_t *places) {
    const int32_t bias = scn_bias(channel->output->layer, channel->channel);
    for (int i = 0; i < TILES; ++i) {
        int32_t sum[SCN_TILE_OUTPUTS];
        int8_t *to[SCN_TILE_OUTPUTS];
        tile_out(planes + i, 0, sum);
        for (int k = 0; k < SCN_TILE_OUTPUTS; ++k) {
            sum[k] = scn_wrap_add(sum[k] / 2, bias);
            to[k] = place_of(places, i) + k * places->stride;
        }
        scn_put(channel->output, channel->channel, sum, to, channel->channel, places->count[i]);
    }
}

static void sums_of(const scn_tile_channel_t *channel, const int32_t *planes, int32_t *twice) {
    const int32_t twice_bias = channel->twice_bias;
    for (const int32_t *end = planes + TILES; planes < end; ++planes) {
        tile_out(planes, twice_bias, twice);
        twice += SCN_TILE_OUTPUTS;
    }
}

/* The largest of two sums, or the smallest. */
static inline int32_t most(int32_t a, int32_t b, bool falling) {
    return falling ? scn_min(a, b) : scn_max(a, b);
}

static inline void pool_along(const int32_t *planes, int32_t twice_bias, bool falling, int32_t *twice) {
    for (const int32_t *end = planes + TILES; planes < end; ++planes) {
        int32_t four[SCN_TILE_OUTPUTS];
        tile_out(planes, twice_bias, four);
        *twice++ = most(four[0], four[1], falling);
        *twice++ = most(four[2], four[3], falling);
    }
}

/* Monotone maps may follow a pool: the largest sum, or the smallest, gives the largest output. */
static inline void pool(const scn_tile_channel_t *channel, const int32_t *planes, const scn_tile_places_t *places,
                        bool falling, int32_t *twice) {
    if (places->pool_along) {
        pool_along(planes, channel->twice_bias, falling, twice);
    } else {
        sums_of(channel, planes, twice);
    }
    const int32_t position = places->pool_along ? OUTPUTS / 4 : OUTPUTS / 2;
    for (int32_t i = 0; places->pool_slide && i < position; ++i) {
        twice[i] = most(twice[i], twice[position + i], falling);
    }
}

static void pooled_sums(const scn_tile_channel_t *channel, const int32_t *planes, const scn_tile_places_t *places,
                        int32_t *twice) {
    if (channel->falling) {
        pool(channel, planes, places, true, twice);
    } else {
        pool(channel, planes, places, false, twice);
    }
}

static inline int32_t saturated(scn_requant_t stage, int32_t twice) {
    return scn_saturate32(scn_apply_twice(stage, twice));
}

static void put_mapped(const scn_tile_channel_t *channel, const int32_t *twice, int32_t count, int8_t *to,
                       int32_t stride) {
    const scn_requant_t stage = channel->stage;
    const int8_t *post = channel->table;
    for (; count > 1; count -= 2) {
        const int32_t first = saturated(stage, twice[0]), second = saturated(stage, twice[1]);
        *to = post[first];
        *(to += stride) = post[second];
        to += stride;
        twice += 2;
    }
    if (count > 0) {
        *to = post[saturated(stage, *twice)];
    }
}

static void put_affine(const scn_tile_channel_t *channel, const int32_t *twice, int32_t count, int8_t *to,
                       int32_t stride) {
    const scn_requant_t stage = channel->stage;
    const scn_affine_map_t map = *channel->affine;
    for (const int32_t *end = twice + count; twice < end; to += stride) {
        *to = scn_affine(map, saturated(stage, *twice++));
    }
}

static void put_plain(const scn_tile_channel_t *channel, const int32_t *twice, int32_t count, int8_t *to,
                      int32_t stride) {
    const scn_requant_t stage = channel->stage;
    for (; count > 1; count -= 2) {
        *to = (int8_t)saturated(stage, twice[0]);
        *(to += stride) = (int8_t)saturated(stage, twice[1]);
        to += stride;
        twice += 2;
    }
    if (count > 0) {
        *to = (int8_t)saturated(stage, *twice);
    }
}

/* In front of these lies nothing else: what a residual block ends in. */
static void put_added(const scn_tile_channel_t *channel, const int32_t *twice, int32_t count, int8_t *to,
                      int32_t stride) {
    const scn_requant_t stage = channel->stage;
    const scn_added_t *by = &channel->output->added;
    const int32_t *middle = by->table + 128;
    const int32_t multiplier = by->multiplier;
    const int8_t *skip = by->skip + (to - channel->output->origin);
    for (const int32_t *end = twice + count; twice < end; to += stride, skip += stride) {
        *to = (int8_t)scn_sum(middle, multiplier, saturated(stage, *twice++), *skip);
    }
}

/* To values that are stored already. */
static void add(const scn_output_t *output, int32_t count, int8_t *to, int32_t stride) {
    const scn_added_t by = output->added;
    for (; count > 0; --count, to += stride) {
        *to = (int8_t)scn_sum(by.table + 128, by.multiplier, *to, by.skip[to - output->origin]);
    }
}

static void put_clamped(const scn_tile_channel_t *channel, const int32_t *twice, int32_t count, int8_t *to,
                        int32_t stride) {
    const scn_requant_t stage = channel->stage;
    const int32_t low = channel->output->layer->activation_min, high = channel->output->layer->activation_max;
    for (const int32_t *end = twice + count; twice < end; to += stride) {
        *to = scn_clamp(scn_apply_twice(stage, *twice++), low, high);
    }
}

static void put(const scn_tile_channel_t *channel, const int32_t *twice, int32_t count, int8_t *to, int32_t stride) {
    if (channel->table) {
        put_mapped(channel, twice, count, to, stride);
    } else if (channel->affine) {
        put_affine(channel, twice, count, to, stride);
    } else if (!channel->whole_range) {
        put_clamped(channel, twice, count, to, stride);
    } else if (channel->output->added.table) {
        put_added(channel, twice, count, to, stride);
        return;
    } else {
        put_plain(channel, twice, count, to, stride);
        return;
    }
    if (channel->output->added.table) {
        add(channel->output, count, to, stride);
    }
}

void scn_tile_put(const scn_tile_channel_t *channel, const int32_t *planes, const scn_tile_places_t *places) {
    int32_t twice[OUTPUTS];
    if (!channel->quick) {
        put_any(channel, planes, places);
        return;
    }
    if (places->pool_along || places->pool_slide) {
        pooled_sums(channel, planes, places, twice);
    } else {
        sums_of(channel, planes, twice);
    }
    const int32_t outputs = places->pool_along ? SCN_TILE_OUTPUTS / 2 : SCN_TILE_OUTPUTS;
    const bool line = places->full && places->tile_stride == outputs * places->stride;
    const int tiles = line ? SCN_TILES : 1;
    for (int i = 0; i < (places->pool_slide ? SCN_TILES : TILES); i += tiles) {
        int8_t *to = place_of(places, i) + channel->channel;
        put(channel, twice + i * outputs, line ? 2 * outputs : places->count[i], to, places->stride);
    }
}
