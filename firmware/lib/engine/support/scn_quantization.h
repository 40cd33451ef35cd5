/* SPDX-License-Identifier: MIT */
/*
 * Conversions between INT8, or int16 of networks with 16-bit activations, and what a model's file takes and gives, for programs that feed data of their own. Scales and
 * zero points are the macros of scn_model.h. No kernel uses any of this, and none has floating point.
 */
#ifndef SCN_QUANTIZATION_H
#define SCN_QUANTIZATION_H

#include "scn_types.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* value / scale, halves away from zero, at most `farthest` from 0; 0 for NaN. */
static inline int32_t scn_steps_of(float value, float scale, float farthest) {
    const float steps = value / scale;
    int32_t rounded = 0;
    if (steps >= farthest || steps <= -farthest) {
        rounded = steps > 0.0f ? (int32_t)farthest : -(int32_t)farthest;
    } else if (steps == steps) {
        const int32_t whole = (int32_t)steps;
        const float rest = steps - (float)whole; /* exact */
        rounded = whole + (rest >= 0.5f) - (rest <= -0.5f);
    }
    return rounded;
}

/*
 * As QUANTIZE from float32: value / scale, halves away from zero, plus zero_point, clamped to INT8. Infinities are
 * clamped, NaN becomes zero_point.
 */
static inline int8_t scn_quantize_float(float value, float scale, int32_t zero_point) {
    /* From any zero point, what lies farther is clamped. */
    const int32_t moved = scn_steps_of(value, scale, 512.0f) + zero_point;
    return (int8_t)(moved < INT8_MIN ? INT8_MIN : moved > INT8_MAX ? INT8_MAX : moved);
}

/* The same to int16, whose zero point is 0. */
static inline int16_t scn_quantize_float_s16(float value, float scale) {
    const int32_t steps = scn_steps_of(value, scale, 65536.0f);
    return (int16_t)(steps < INT16_MIN ? INT16_MIN : steps > INT16_MAX ? INT16_MAX : steps);
}

/* As DEQUANTIZE from int16 to float32. */
static inline float scn_dequantize_float_s16(int16_t value, float scale) {
    return scale * (float)value;
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
