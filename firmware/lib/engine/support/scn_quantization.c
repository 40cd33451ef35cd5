/* SPDX-License-Identifier: MIT */
/* QUANTIZE between uint8 and INT8, value by value. */
#include "scn_quantization.h"

#include "scn_fixedpoint.h"

int8_t scn_quantize_u8(uint8_t value, int32_t zero_point_u8, scn_multiplier_t scale, int32_t zero_point) {
    return scn_clamp(scn_wrap_add(scn_scale(value - zero_point_u8, scale), zero_point), INT8_MIN, INT8_MAX);
}

uint8_t scn_dequantize_u8(int8_t value, int32_t zero_point, scn_multiplier_t scale, int32_t zero_point_u8) {
    const int32_t moved = scn_wrap_add(scn_scale(value - zero_point, scale), zero_point_u8);
    return (uint8_t)(moved < 0 ? 0 : moved > UINT8_MAX ? UINT8_MAX : moved);
}
