/* Each loop keeps copies of what it needs: a stored byte could, for all the compiler knows, change the layer. */
#include "scn_output.h"
#include "scn_fixedpoint.h"

/* A product of two INT8, one less a zero point, is at most 255 * 128. */
static int32_t bias_limit(const scn_conv2d_t *layer) {
    const int64_t taps = (int64_t)layer->window.height * layer->window.width * layer->input.channels;
    const int64_t room = SCN_SCALER_LIMIT - 1 - taps * 255 * 128;
    return room > 0 ? (int32_t)room : -1;
}

scn_output_t scn_output(const scn_conv2d_t *layer, const int8_t *post) {
    return (scn_output_t){
        .layer = layer,
        .post = post,
        .bias_limit = bias_limit(layer),
        .whole_range = layer->activation_min == INT8_MIN && layer->activation_max == INT8_MAX,
    };
}

/* Any bias, any factor. */
static void put_any(const scn_conv2d_t *layer, const int8_t *post, scn_multiplier_t scale, const int32_t *sum,
                    int8_t *const *to, int32_t offset, int32_t count) {
    for (int32_t i = 0; i < count; ++i) {
        const int32_t value = scn_wrap_add(scn_scale(sum[i], scale), layer->output_zero_point);
        const int8_t clamped = scn_clamp(value, layer->activation_min, layer->activation_max);
        to[i][offset] = post ? post[clamped] : clamped;
    }
}

static void put_small(const scn_conv2d_t *layer, scn_scaler_t scale, const int32_t *sum, int8_t *const *to,
                      int32_t offset, int32_t count) {
    const int32_t zero_point = layer->output_zero_point;
    const int32_t low = layer->activation_min, high = layer->activation_max;
    for (int8_t *const *end = to + count; to < end; ++to) {
        (*to)[offset] = scn_clamp(scn_scale_small(*sum++, scale) + zero_point, low, high);
    }
}

static void put_saturated(int32_t zero_point, scn_scaler_t scale, const int32_t *sum, int8_t *const *to, int32_t offset,
                          int32_t count) {
    for (int8_t *const *end = to + count; to < end; ++to) {
        (*to)[offset] = scn_saturate(scn_scale_small(*sum++, scale) + zero_point);
    }
}

static void put_mapped(const scn_conv2d_t *layer, const int8_t *post, scn_scaler_t scale, const int32_t *sum,
                       int8_t *const *to, int32_t offset, int32_t count) {
    const int32_t zero_point = layer->output_zero_point;
    const int32_t low = layer->activation_min, high = layer->activation_max;
    for (int8_t *const *end = to + count; to < end; ++to) {
        (*to)[offset] = post[scn_clamp(scn_scale_small(*sum++, scale) + zero_point, low, high)];
    }
}

void scn_put(const scn_output_t *output, int32_t channel, const int32_t *sum, int8_t *const *to, int32_t offset,
             int32_t count) {
    const scn_conv2d_t *layer = output->layer;
    const scn_multiplier_t scale = layer->scale[channel];
    const int32_t bias = scn_bias(layer, channel);
    const int8_t *post = output->post ? output->post + channel * 256 + 128 : NULL;
    if (!scn_has_scaler(scale) || bias > output->bias_limit || bias < -output->bias_limit) {
        put_any(layer, post, scale, sum, to, offset, count);
    } else if (post) {
        put_mapped(layer, post, scn_scaler(scale), sum, to, offset, count);
    } else if (output->whole_range) {
        put_saturated(layer->output_zero_point, scn_scaler(scale), sum, to, offset, count);
    } else {
        put_small(layer, scn_scaler(scale), sum, to, offset, count);
    }
}
