/* Types that kernels share; scn_engine.h states what holds for all of them. */
#ifndef SCN_TYPES_H
#define SCN_TYPES_H

#include <stdint.h>

/*
 * A real factor: value = multiplier * 2^(shift - 31), multiplier 0 .. 2^31 - 1, shift -31 .. 30.
 * Applied like TFLite: shift left (wrapping) if shift > 0, doubling high multiplication, rounding shift right.
 */
typedef struct {
    int32_t multiplier;
    int32_t shift;
} scn_multiplier_t;

/*
 * A real factor to 62 bits, as FULLY_CONNECTED wants it: value = (multiplier + fraction * 2^-31) * 2^(shift - 31),
 * multiplier and fraction 0 .. 2^31 - 1, shift -31 .. 30. Applied with one rounding, halves away from zero: TFLite's
 * reference for this operator multiplies in double precision, which no doubly rounded Q31 product equals.
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
 * Rows of one image, whole or as many as are needed at a time: row y lies at data + y % rows * row_elements. A whole
 * tensor has rows = its height.
 */
typedef struct {
    int8_t *data;
    int32_t rows;
    int32_t row_elements; /* width * channels */
} scn_lines_t;

#endif
