/* SPDX-License-Identifier: MIT */
/* DIV: reciprocal of the divisor, with the dividend widened as far as int32 goes. */
#include "scn_broadcast.h"
#include "scn_elementwise_ops.h"
#include "scn_fixedpoint.h"
#include "scn_inverses.h"

/* dividend / divisor times the factor. */
static int32_t quotient(int32_t dividend, int32_t divisor, scn_multiplier_t by) {
    const int32_t sign = divisor < 0 ? -1 : 1;
    const int32_t size = divisor == 0 ? 1 : sign * divisor;
    const int32_t value = sign * dividend;
    if (value == 0) {
        return 0;
    }
    const int32_t zeros = __builtin_clz((uint32_t)size);
    const int32_t headroom = __builtin_clrsb(value);
    const int32_t inverse = scn_reciprocal((int32_t)(((uint32_t)size << zeros) - (1u << 31)));
    const int32_t high = scn_high_mul(scn_high_mul(scn_wrap_shift(value, headroom), inverse), by.multiplier);
    const int32_t right = headroom + 31 - zeros - by.shift;
    return right > 0 ? scn_round_shift(high, right) : high;
}

static void div_row(const void *layer, int32_t count, const int8_t *a, int32_t stride1, const int8_t *b,
                    int32_t stride2, int8_t *out) {
    const scn_div_t div = *(const scn_div_t *)layer;
    for (int32_t i = 0; i < count; ++i) {
        const int32_t value = quotient(*a - div.zero_point1, *b - div.zero_point2, div.scale);
        out[i] = scn_clamp(scn_wrap_add(value, div.output_zero_point), div.activation_min, div.activation_max);
        a += stride1;
        b += stride2;
    }
}

void scn_div_s8(const scn_div_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output) {
    scn_broadcast_rows(&layer->shape, div_row, layer, input1, input2, output);
}
