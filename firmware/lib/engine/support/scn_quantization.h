/* SPDX-License-Identifier: MIT */
/*
 * Conversions between INT8 and what a model's file takes and gives, for programs that feed data of their own. Scales and
 * zero points are the macros of scn_model.h. No kernel uses any of this, and none has floating point.
 */
#ifndef SCN_QUANTIZATION_H
#define SCN_QUANTIZATION_H

#include "scn_types.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * As QUANTIZE from float32: value / scale, halves away from zero, plus zero_point, clamped to INT8. Infinities are
 * clamped, NaN becomes zero_point.
 */
static inline int8_t scn_quantize_float(float value, float scale, int32_t zero_point) {
    const float steps = value / scale;
    const float farthest = 512.0f; /* from any zero point, what lies farther is clamped */
    int32_t rounded = 0;
    if (steps >= farthest || steps <= -farthest) {
        rounded = steps > 0.0f ? (int32_t)farthest : -(int32_t)farthest;
    } else if (steps == steps) {
        const int32_t whole = (int32_t)steps;
        const float rest = steps - (float)whole; /* exact */
        rounded = whole + (rest >= 0.5f) - (rest <= -0.5f);
    }
    const int32_t moved = rounded + zero_point;
    return (int8_t)(moved < INT8_MIN ? INT8_MIN : moved > INT8_MAX ? INT8_MAX : moved);
}

/* As DEQUANTIZE to float32. */
static inline float scn_dequantize_float(int8_t value, float scale, int32_t zero_point) {
    return scale * (float)(value - zero_point);
}

/* As QUANTIZE from uint8 to INT8. scale: uint8 scale / INT8 scale. */
int8_t scn_quantize_u8(uint8_t value, int32_t zero_point_u8, scn_multiplier_t scale, int32_t zero_point);

/* As QUANTIZE from int16 to INT8. scale: int16 scale / INT8 scale. */
int8_t scn_quantize_s16(int16_t value, int32_t zero_point_s16, scn_multiplier_t scale, int32_t zero_point);

/* As QUANTIZE from int16, as SOFTMAX gives it, to int32. scale: int16 scale / int32 scale. */
int32_t scn_dequantize_s32(int16_t value, int32_t zero_point, scn_multiplier_t scale, int32_t zero_point_s32);

/* As QUANTIZE from INT8 to uint8. scale: INT8 scale / uint8 scale. */
uint8_t scn_dequantize_u8(int8_t value, int32_t zero_point, scn_multiplier_t scale, int32_t zero_point_u8);

#ifdef __cplusplus
}
#endif

#endif
