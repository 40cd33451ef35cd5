/* SPDX-License-Identifier: MIT */
/* PAD and PADV2; scn_engine.h states what holds for all kernels. */
#ifndef SCN_PAD_H
#define SCN_PAD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The input inside the output: `before` elements in front of it along each dim; all other elements are `value`. */
typedef struct {
    int32_t input_size[4];
    int32_t output_size[4];
    int32_t before[4];
    int8_t value; /* PAD: the output's zero point */
} scn_pad_t;

void scn_pad_s8(const scn_pad_t *layer, const int8_t *input, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
