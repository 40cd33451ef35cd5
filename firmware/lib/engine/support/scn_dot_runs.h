/* SPDX-License-Identifier: MIT */
/* Products of two runs of INT8 values; private to the kernels. */
#ifndef SCN_DOT_RUNS_H
#define SCN_DOT_RUNS_H

#include "scn_fixedpoint.h"
#include "scn_simd.h"

#include <stdint.h>

/* sum of (a[i] - a_zero) * (b[i] - b_zero), modulo 2^32; zero points are INT8. */
static inline int32_t scn_dot_runs(const int8_t *a, int32_t a_zero, const int8_t *b, int32_t b_zero, int32_t count) {
    const uint32_t a_offset = scn_pair(-a_zero, -a_zero), b_offset = scn_pair(-b_zero, -b_zero);
    int32_t sum = 0;
    for (; count >= 4; count -= 4) {
        const uint32_t a_quad = scn_load_quad(a), b_quad = scn_load_quad(b);
        sum = scn_dot_pair(scn_widen_even(a_offset, a_quad), scn_widen_even(b_offset, b_quad), sum);
        sum = scn_dot_pair(scn_widen_odd(a_offset, a_quad), scn_widen_odd(b_offset, b_quad), sum);
        a += 4, b += 4;
    }
    for (int32_t i = 0; i < count; ++i) {
        sum = scn_wrap_add(sum, (a[i] - a_zero) * (b[i] - b_zero));
    }
    return sum;
}

#endif
