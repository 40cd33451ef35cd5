/* SPDX-License-Identifier: MIT */
/* ADD of two whole maps. */
#include "scn_elementwise_ops.h"
#include "scn_fixedpoint.h"

void scn_add_lut_s8(const scn_add_lut_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output) {
    const int32_t *middle = layer->table + 128;
    const int32_t multiplier = layer->multiplier;
    for (const int8_t *end = input1 + layer->elements; input1 < end;) {
        *output++ = (int8_t)scn_add_lut(middle, multiplier, *input1++, *input2++);
    }
}
