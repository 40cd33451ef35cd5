/* SPDX-License-Identifier: MIT */
/* From the six planes of F(4, 3) to outputs. */
#include "scn_winograd_output_impl.h"

#include <stddef.h>

static const uint32_t inverse_of_3 = 0xAAAAAAABu;

/* times * y / 3 for a multiple of 3, modulo 2^32. */
static inline int32_t third(uint32_t multiple) {
    return (int32_t)(multiple * inverse_of_3);
}

/*
 * Twice the sums of four outputs. The planes give 24 y, 12 y, 6 y and 6 y. Tiles beyond the map's edge are computed
 * from whatever lies there and not stored: their sums wrap.
 */
static inline void tile_output_f4x3(const int32_t *plane, int32_t twice_bias, int32_t *twice) {
    const uint32_t m0 = (uint32_t)plane[0], m5 = (uint32_t)plane[5 * SCN_WINOGRAD_UNIT_SUMS];
    const uint32_t m1 = (uint32_t)plane[SCN_WINOGRAD_UNIT_SUMS], m2 = (uint32_t)plane[2 * SCN_WINOGRAD_UNIT_SUMS];
    const uint32_t m3 = (uint32_t)plane[3 * SCN_WINOGRAD_UNIT_SUMS], m4 = (uint32_t)plane[4 * SCN_WINOGRAD_UNIT_SUMS];
    const uint32_t near = m1 + m2, near_odd = m1 - m2, far = m3 + m4, far_odd = m3 - m4;
    twice[0] = scn_wrap_add(twice_bias, third(6 * m0 - 4 * near + far) >> 2);
    twice[1] = scn_wrap_add(twice_bias, third(far_odd - 2 * near_odd) >> 1);
    twice[2] = scn_wrap_add(twice_bias, third(far - near));
    twice[3] = scn_wrap_add(twice_bias, third(2 * far_odd - near_odd + 6 * m5));
}

scn_tile_channel_t scn_tile_channel(const scn_conv2d_output_t *output, int32_t channel) {
    const scn_conv2d_t *layer = output->layer;
    const scn_multiplier_t scale = layer->scale[channel];
    const int32_t bias = scn_conv2d_bias(layer, channel);
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

void scn_tile_store_f4x3(const scn_tile_channel_t *channel, const int32_t *planes, const scn_tile_places_t *places) {
    tile_store_all(channel, planes, places, SCN_TILE_OUTPUTS, tile_output_f4x3);
}

const scn_tile_kind_t scn_tile_f4x3 = {
    SCN_TILE_OUTPUTS,      scn_tile_input_f4x3,          scn_tile_weights_f4x3,
    scn_winograd_dot_f4x3, scn_winograd_dot_shared_f4x3, scn_tile_store_f4x3,
};
