/* SPDX-License-Identifier: MIT */
/*
 * TRANSPOSE, SLICE, STRIDED_SLICE, SPLIT, SPLIT_V, UNPACK, DEPTH_TO_SPACE and others: a copy by strides; scn_engine.h
 * states what holds for all kernels.
 */
#ifndef SCN_COPY_H
#define SCN_COPY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SCN_COPY_DIMS = 6 };

/*
 * The output is dense: size, outermost dim first, 1 in front where there are fewer dims. Its first value is input[start];
 * a step along a dim of the output is stride elements in the input, perhaps backwards.
 */
typedef struct {
    int32_t start;
    int32_t size[SCN_COPY_DIMS];
    int32_t stride[SCN_COPY_DIMS];
} scn_copy_t;

void scn_copy_s8(const scn_copy_t *layer, const int8_t *input, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
