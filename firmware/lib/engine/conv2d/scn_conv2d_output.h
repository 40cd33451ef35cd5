/* SPDX-License-Identifier: MIT */
/* Requantizes, clamps, maps and stores the sums of a convolution; private to the kernels. */
#ifndef SCN_CONV2D_OUTPUT_H
#define SCN_CONV2D_OUTPUT_H

#include "scn_conv2d.h"

#include <stdbool.h>

typedef struct {
    const scn_conv2d_t *layer;
    scn_post_t post;
    scn_fused_add_t added;
    const int8_t *origin; /* of the output; its value i belongs to value i of added.skip */
    int32_t bias_limit;   /* sums fit scn_scale_small if the magnitude of the bias does not exceed this */
    bool whole_range;     /* the activation clamps to INT8's own bounds */
} scn_conv2d_output_t;

scn_conv2d_output_t scn_conv2d_output(const scn_conv2d_t *layer, scn_post_t post, scn_fused_add_t added,
                                      const int8_t *origin);

/* Store `count` sums of one channel, bias included, to to[0][offset], to[1][offset], ... */
void scn_conv2d_store(const scn_conv2d_output_t *output, int32_t channel, const int32_t *sum, int8_t *const *to,
                      int32_t offset, int32_t count);

static inline int32_t scn_conv2d_bias(const scn_conv2d_t *layer, int32_t channel) {
    return layer->bias ? layer->bias[channel] : 0;
}

#endif
