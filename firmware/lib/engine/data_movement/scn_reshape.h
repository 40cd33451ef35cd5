/* SPDX-License-Identifier: MIT */
/* RESHAPE; scn_engine.h states what holds for all kernels. */
#ifndef SCN_RESHAPE_H
#define SCN_RESHAPE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* RESHAPE that the memory plan could not turn into an alias. In place: output may be the input. */
void scn_reshape_s8(int32_t elements, const int8_t *input, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
