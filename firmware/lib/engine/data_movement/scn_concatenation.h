/* SPDX-License-Identifier: MIT */
/* CONCATENATION and PACK; scn_engine.h states what holds for all kernels. */
#ifndef SCN_CONCATENATION_H
#define SCN_CONCATENATION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * turns    product of the dims in front of the axis.
 * inputs   their number.
 * runs     [inputs]: elements that each input gives in a turn, the product of its dims from the axis on.
 */
typedef struct {
    int32_t turns;
    int32_t inputs;
    const int32_t *runs;
} scn_concatenation_t;

/* inputs: a pointer to each; the same one may be there twice. */
void scn_concatenation_s8(const scn_concatenation_t *layer, const int8_t *const *inputs, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
