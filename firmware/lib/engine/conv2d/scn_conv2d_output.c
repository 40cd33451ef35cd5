/* SPDX-License-Identifier: MIT */
/* Each loop works on copies: a stored byte might alias the layer, so that the compiler would reload it each time. */
#include "scn_conv2d_output.h"
#include "scn_fixedpoint.h"

scn_conv2d_output_t scn_conv2d_output(const scn_conv2d_t *layer, scn_post_t post, scn_fused_add_t added,
                                      const int8_t *origin) {
    return (scn_conv2d_output_t){
        .layer = layer,
        .post = post,
        .added = added,
        .origin = origin,
        .bias_limit = scn_bias_limit((int64_t)layer->window.height * layer->window.width * layer->input.channels),
        .whole_range = layer->activation_min == INT8_MIN && layer->activation_max == INT8_MAX,
    };
}

/* Any bias, any factor. */
static void store_any(const scn_conv2d_output_t *output, int32_t channel, const int32_t *sum, int8_t *const *to,
                      int32_t offset, int32_t count) {
    const scn_conv2d_t *layer = output->layer;
    const scn_multiplier_t scale = layer->scale[channel];
    for (int32_t i = 0; i < count; ++i) {
        const int32_t value = scn_wrap_add(scn_scale(sum[i], scale), layer->output_zero_point);
        const int8_t clamped = scn_clamp(value, layer->activation_min, layer->activation_max);
        to[i][offset] = scn_post(output->post, channel, clamped);
    }
}

static void store_clamped(scn_requant_t stage, int32_t low, int32_t high, const int32_t *sum, int8_t *const *to,
                          int32_t offset, int32_t count) {
    for (int8_t *const *end = to + count; to < end; ++to) {
        (*to)[offset] = scn_clamp(scn_apply(stage, *sum++), low, high);
    }
}

static void store_saturated(scn_requant_t stage, const int32_t *sum, int8_t *const *to, int32_t offset, int32_t count) {
    for (int8_t *const *end = to + count; to < end; ++to) {
        (*to)[offset] = scn_saturate(scn_apply(stage, *sum++));
    }
}

static void store_mapped(scn_requant_t stage, const int8_t *post, const int32_t *sum, int8_t *const *to, int32_t offset,
                         int32_t count) {
    for (int8_t *const *end = to + count; to < end; ++to) {
        (*to)[offset] = post[scn_saturate(scn_apply(stage, *sum++))];
    }
}

static void store_affine(scn_requant_t stage, scn_affine_map_t map, const int32_t *sum, int8_t *const *to,
                         int32_t offset, int32_t count) {
    for (int8_t *const *end = to + count; to < end; ++to) {
        (*to)[offset] = scn_affine(map, scn_saturate32(scn_apply(stage, *sum++)));
    }
}

static void store(const scn_conv2d_output_t *output, int32_t channel, const int32_t *sum, int8_t *const *to,
                  int32_t offset, int32_t count) {
    const scn_conv2d_t *layer = output->layer;
    const scn_multiplier_t scale = layer->scale[channel];
    const int32_t bias = scn_conv2d_bias(layer, channel);
    const scn_post_t post = output->post;
    if (!scn_has_requant(scale) || bias > output->bias_limit || bias < -output->bias_limit ||
        ((post.table || post.affine) && !output->whole_range)) {
        store_any(output, channel, sum, to, offset, count);
        return;
    }
    const scn_requant_t stage = scn_requant(scale, layer->output_zero_point);
    if (post.table) {
        store_mapped(stage, post.table + channel * 256 + 128, sum, to, offset, count);
    } else if (post.affine) {
        store_affine(stage, post.affine[channel], sum, to, offset, count);
    } else if (output->whole_range) {
        store_saturated(stage, sum, to, offset, count);
    } else {
        store_clamped(stage, layer->activation_min, layer->activation_max, sum, to, offset, count);
    }
}

static void add_skip(const scn_conv2d_output_t *output, int8_t *const *to, int32_t offset, int32_t count) {
    const scn_fused_add_t by = output->added;
    for (int8_t *const *end = to + count; to < end; ++to) {
        int8_t *value = *to + offset;
        *value = (int8_t)scn_add_lut(by.table + 128, by.multiplier, *value, by.skip[value - output->origin]);
    }
}

void scn_conv2d_store(const scn_conv2d_output_t *output, int32_t channel, const int32_t *sum, int8_t *const *to,
                      int32_t offset, int32_t count) {
    store(output, channel, sum, to, offset, count);
    if (output->added.table) {
        add_skip(output, to, offset, count);
    }
}
