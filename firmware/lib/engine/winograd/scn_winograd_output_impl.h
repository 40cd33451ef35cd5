/* SPDX-License-Identifier: MIT */
/*
 * Pools, requantizes and stores the outputs of four tiles; private to the kernel. The sources of each kind of tile
 * include this, so that the number of outputs and the transform are constants to the C compiler. Sums are doubled.
 */
#ifndef SCN_WINOGRAD_OUTPUT_IMPL_H
#define SCN_WINOGRAD_OUTPUT_IMPL_H

#include "scn_winograd_tile.h"

enum { TILES = 4, MOST_OUTPUTS = TILES * SCN_TILE_OUTPUTS };

/* Twice the sums of the outputs of a tile, from its planes. */
typedef void (*tile_output_t)(const int32_t *plane, int32_t twice_bias, int32_t *twice);

static inline int8_t *tile_place(const scn_tile_places_t *places, int i) {
    return places->to + i / SCN_TILES * places->position_stride + i % SCN_TILES * places->tile_stride;
}

/* Any bias, any factor; not pooled. */
static inline void tile_store_any(const scn_tile_channel_t *channel, const int32_t *planes,
                                  const scn_tile_places_t *places, int outputs, tile_output_t tile_output) {
    const int32_t bias = scn_conv2d_bias(channel->output->layer, channel->channel);
    for (int i = 0; i < TILES; ++i) {
        int32_t sum[SCN_TILE_OUTPUTS];
        int8_t *to[SCN_TILE_OUTPUTS];
        tile_output(planes + i, 0, sum);
        for (int k = 0; k < outputs; ++k) {
            sum[k] = scn_wrap_add(sum[k] / 2, bias);
            to[k] = tile_place(places, i) + k * places->stride;
        }
        scn_conv2d_store(channel->output, channel->channel, sum, to, channel->channel, places->count[i]);
    }
}

static inline void tile_sums(const int32_t *planes, int32_t twice_bias, int outputs, tile_output_t tile_output,
                             int32_t *twice) {
    for (const int32_t *end = planes + TILES; planes < end; ++planes) {
        tile_output(planes, twice_bias, twice);
        twice += outputs;
    }
}

/* The larger of two sums, or the smaller. */
static inline int32_t tile_most(int32_t a, int32_t b, bool falling) {
    return falling ? scn_min(a, b) : scn_max(a, b);
}

static inline void tile_pool_along(const int32_t *planes, int32_t twice_bias, bool falling, int outputs,
                                   tile_output_t tile_output, int32_t *twice) {
    for (const int32_t *end = planes + TILES; planes < end; ++planes) {
        int32_t sums[SCN_TILE_OUTPUTS];
        tile_output(planes, twice_bias, sums);
        for (int k = 0; k < outputs; k += 2) {
            *twice++ = tile_most(sums[k], sums[k + 1], falling);
        }
    }
}

/* Monotone maps may follow a pool: the largest sum, or the smallest, gives the largest output. */
static SCN_NOINLINE void tile_pool(const scn_tile_channel_t *channel, const int32_t *planes,
                                   const scn_tile_places_t *places, bool falling, int outputs,
                                   tile_output_t tile_output, int32_t *twice) {
    if (places->pool_along) {
        tile_pool_along(planes, channel->twice_bias, falling, outputs, tile_output, twice);
    } else {
        tile_sums(planes, channel->twice_bias, outputs, tile_output, twice);
    }
    const int32_t position = places->pool_along ? outputs : 2 * outputs;
    for (int32_t i = 0; places->pool_slide && i < position; ++i) {
        twice[i] = tile_most(twice[i], twice[position + i], falling);
    }
}

static inline void tile_pooled_sums(const scn_tile_channel_t *channel, const int32_t *planes,
                                    const scn_tile_places_t *places, int outputs, tile_output_t tile_output,
                                    int32_t *twice) {
    if (channel->falling) {
        tile_pool(channel, planes, places, true, outputs, tile_output, twice);
    } else {
        tile_pool(channel, planes, places, false, outputs, tile_output, twice);
    }
}

static inline int32_t tile_saturated(scn_requant_t stage, int32_t twice) {
    return scn_saturate32(scn_apply_twice(stage, twice));
}

static inline void tile_store_mapped(const scn_tile_channel_t *channel, const int32_t *twice, int32_t count, int8_t *to,
                                     int32_t stride) {
    const scn_requant_t stage = channel->stage;
    const int8_t *post = channel->table;
    for (; count > 1; count -= 2) {
        const int32_t first = tile_saturated(stage, twice[0]), second = tile_saturated(stage, twice[1]);
        *to = post[first];
        *(to += stride) = post[second];
        to += stride;
        twice += 2;
    }
    if (count > 0) {
        *to = post[tile_saturated(stage, *twice)];
    }
}

static inline void tile_store_affine(const scn_tile_channel_t *channel, const int32_t *twice, int32_t count, int8_t *to,
                                     int32_t stride) {
    const scn_requant_t stage = channel->stage;
    const scn_affine_map_t map = *channel->affine;
    for (const int32_t *end = twice + count; twice < end; to += stride) {
        *to = scn_affine(map, tile_saturated(stage, *twice++));
    }
}

static inline void tile_store_plain(const scn_tile_channel_t *channel, const int32_t *twice, int32_t count, int8_t *to,
                                    int32_t stride) {
    const scn_requant_t stage = channel->stage;
    for (; count > 1; count -= 2) {
        *to = (int8_t)tile_saturated(stage, twice[0]);
        *(to += stride) = (int8_t)tile_saturated(stage, twice[1]);
        to += stride;
        twice += 2;
    }
    if (count > 0) {
        *to = (int8_t)tile_saturated(stage, *twice);
    }
}

/* A fused ADD without a post map: the end of a residual block. */
static inline void tile_store_added(const scn_tile_channel_t *channel, const int32_t *twice, int32_t count, int8_t *to,
                                    int32_t stride) {
    const scn_requant_t stage = channel->stage;
    const scn_fused_add_t *by = &channel->output->added;
    const int32_t *middle = by->table + 128;
    const int32_t multiplier = by->multiplier;
    const int8_t *skip = by->skip + (to - channel->output->origin);
    for (const int32_t *end = twice + count; twice < end; to += stride, skip += stride) {
        *to = (int8_t)scn_add_lut(middle, multiplier, tile_saturated(stage, *twice++), *skip);
    }
}

/* Fused ADD to values that are already stored. */
static inline void tile_add(const scn_conv2d_output_t *output, int32_t count, int8_t *to, int32_t stride) {
    const scn_fused_add_t by = output->added;
    for (; count > 0; --count, to += stride) {
        *to = (int8_t)scn_add_lut(by.table + 128, by.multiplier, *to, by.skip[to - output->origin]);
    }
}

static inline void tile_store_clamped(const scn_tile_channel_t *channel, const int32_t *twice, int32_t count,
                                      int8_t *to, int32_t stride) {
    const scn_requant_t stage = channel->stage;
    const int32_t low = channel->output->layer->activation_min, high = channel->output->layer->activation_max;
    for (const int32_t *end = twice + count; twice < end; to += stride) {
        *to = scn_clamp(scn_apply_twice(stage, *twice++), low, high);
    }
}

static inline void tile_store(const scn_tile_channel_t *channel, const int32_t *twice, int32_t count, int8_t *to,
                              int32_t stride) {
    if (channel->table) {
        tile_store_mapped(channel, twice, count, to, stride);
    } else if (channel->affine) {
        tile_store_affine(channel, twice, count, to, stride);
    } else if (!channel->whole_range) {
        tile_store_clamped(channel, twice, count, to, stride);
    } else if (channel->output->added.table) {
        tile_store_added(channel, twice, count, to, stride);
        return;
    } else {
        tile_store_plain(channel, twice, count, to, stride);
        return;
    }
    if (channel->output->added.table) {
        tile_add(channel->output, count, to, stride);
    }
}

static inline void tile_store_all(const scn_tile_channel_t *channel, const int32_t *planes,
                                  const scn_tile_places_t *places, int outputs, tile_output_t tile_output) {
    int32_t twice[MOST_OUTPUTS];
    if (!channel->quick) {
        tile_store_any(channel, planes, places, outputs, tile_output);
        return;
    }
    if (places->pool_along || places->pool_slide) {
        tile_pooled_sums(channel, planes, places, outputs, tile_output, twice);
    } else {
        tile_sums(planes, channel->twice_bias, outputs, tile_output, twice);
    }
    const int32_t stored = places->pool_along ? outputs / 2 : outputs;
    const bool line = places->full && places->tile_stride == stored * places->stride;
    const int tiles = line ? SCN_TILES : 1;
    for (int i = 0; i < (places->pool_slide ? SCN_TILES : TILES); i += tiles) {
        int8_t *to = tile_place(places, i) + channel->channel;
        tile_store(channel, twice + i * stored, line ? 2 * stored : places->count[i], to, places->stride);
    }
}

#endif
