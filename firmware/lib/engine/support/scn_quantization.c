/* SPDX-License-Identifier: MIT */
/* QUANTIZE between INT8 and what a file takes and gives, value by value. */
#include "scn_quantization.h"

#include "scn_fixedpoint.h"

int8_t scn_quantize_u8(uint8_t value, int32_t zero_point_u8, scn_multiplier_t scale, int32_t zero_point) {
    return scn_clamp(scn_wrap_add(scn_scale(value - zero_point_u8, scale), zero_point), INT8_MIN, INT8_MAX);
}

int8_t scn_quantize_s16(int16_t value, int32_t zero_point_s16, scn_multiplier_t scale, int32_t zero_point) {
    return scn_clamp(scn_wrap_add(scn_scale(value - zero_point_s16, scale), zero_point), INT8_MIN, INT8_MAX);
}

int32_t scn_dequantize_s32(int16_t value, int32_t zero_point, scn_multiplier_t scale, int32_t zero_point_s32) {
    const int64_t moved = (int64_t)scn_scale(value - zero_point, scale) + zero_point_s32;
    return (int32_t)(moved < INT32_MIN ? INT32_MIN : moved > INT32_MAX ? INT32_MAX : moved);
}

uint8_t scn_dequantize_u8(int8_t value, int32_t zero_point, scn_multiplier_t scale, int32_t zero_point_u8) {
    const int32_t moved = scn_wrap_add(scn_scale(value - zero_point, scale), zero_point_u8);
    return (uint8_t)(moved < 0 ? 0 : moved > UINT8_MAX ? UINT8_MAX : moved);
}
