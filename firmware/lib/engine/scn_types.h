/* SPDX-License-Identifier: MIT */
/* Types that kernels share. scn_engine.h states the rules that hold for all kernels. */
#ifndef SCN_TYPES_H
#define SCN_TYPES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A real factor: value = multiplier * 2^(shift - 31), multiplier 0 .. 2^31 - 1, shift -31 .. 30.
 * Applied like TFLite: shift left (wrapping) if shift > 0, doubling high multiplication, rounding shift right.
 */
typedef struct {
    int32_t multiplier;
    int32_t shift;
} scn_multiplier_t;

/*
 * A real factor to 62 bits, for FULLY_CONNECTED: value = (multiplier + fraction * 2^-31) * 2^(shift - 31), multiplier
 * and fraction 0 .. 2^31 - 1, shift -31 .. 30. Applied with one rounding, halves away from zero: TFLite's reference
 * kernel of this operator multiplies in double precision, and no doubly rounded Q31 product gives the same result.
 */
typedef struct {
    int32_t multiplier;
    int32_t fraction;
    int32_t shift;
} scn_fine_multiplier_t;

typedef struct {
    int32_t batches;
    int32_t height;
    int32_t width;
    int32_t channels;
} scn_dims_t;

/* A kernel's window sliding over the input; pads are those before the first row and column. */
typedef struct {
    int32_t height;
    int32_t width;
    int32_t stride_h;
    int32_t stride_w;
    int32_t dilation_h;
    int32_t dilation_w;
    int32_t pad_top;
    int32_t pad_left;
} scn_window_t;

/*
 * Rows of one image, all of them or the latest few in a ring: row y lies at data + y % rows * row_elements. A whole
 * tensor has rows = its height.
 */
typedef struct {
    int8_t *data;
    int32_t rows;
    int32_t row_elements; /* width * channels */
} scn_row_ring_t;

/*
 * Two steps from INT8 to INT8, each sat8((v * multiplier + added) >> 16). No sum may leave int32 for any v. Takes a
 * sixteenth of the bytes of a table, and three more instructions per value.
 */
typedef struct {
    int32_t multiplier;
    int32_t added;
    int32_t multiplier2;
    int32_t added2;
} scn_affine_map_t;

/*
 * An element-wise map per channel that is fused to a step: value v of channel c is replaced. At most one member is set;
 * both are NULL where nothing follows.
 * table    [channels][256]: v becomes table[c * 256 + 128 + v].
 * affine   [channels].
 */
typedef struct {
    const int8_t *table;
    const scn_affine_map_t *affine;
} scn_post_t;

/*
 * ADD that is fused to the step that computes one of its operands: value v becomes
 * sat8((v * multiplier + table[128 + s]) >> 16), where s is the value of the other operand at the same place. The host
 * has proved for all 65,536 pairs that this is TFLite's ADD, and that no sum leaves int32. Python:
 * scenelet.compiler.kernels.fused_add.
 * table    [256], or NULL where nothing is added.
 * skip     the other operand, s; its value i belongs to value i of a call's output. NULL in constants: the caller of
 *          the kernel sets it.
 */
typedef struct {
    const int32_t *table;
    int32_t multiplier;
    const int8_t *skip;
} scn_fused_add_t;

#ifdef __cplusplus
}
#endif

#endif
