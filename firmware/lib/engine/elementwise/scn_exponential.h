/* SPDX-License-Identifier: MIT */
/*
 * exp(x) for x <= 0 in fixed point: a polynomial on [-1/4, 0) times factors exp(-2^k), one per bit of the rest. Private
 * to the kernels. Qm.n: sign, m integer bits, n fraction bits.
 */
#ifndef SCN_EXPONENTIAL_H
#define SCN_EXPONENTIAL_H

#include "scn_fixedpoint.h"

#include <stdint.h>

enum { SCN_EXP_FRACTION = 26 /* of the argument: Q5.26 */ };

/* exp(x), x in [-1/4, 0), both Q0.31: Taylor's series of order 4 around -1/8. */
static inline int32_t scn_exp_small(int32_t x) {
    const int32_t exp_eighth = 1895147668; /* exp(-1/8) */
    const int32_t third = 715827883;
    const int32_t d = x + (1 << 28);
    const int32_t d2 = scn_high_mul(d, d);
    const int32_t d3 = scn_high_mul(d2, d);
    const int32_t d4 = scn_high_mul(d2, d2);
    const int32_t cubic = scn_high_mul(scn_round_shift(d4, 2) + d3, third);
    const int32_t higher = scn_round_shift(cubic + d2, 1);
    return exp_eighth + scn_high_mul(exp_eighth, d + higher);
}

/* exp(x), x <= 0 in Q5.26, result in Q0.31. */
static inline int32_t scn_exp_negative(int32_t x) {
    /* exp(-2^k) in Q0.31 for k = -2 .. 4. */
    static const int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int32_t quarter = 1 << (SCN_EXP_FRACTION - 2);
    if (x == 0) {
        return INT32_MAX;
    }
    const int32_t small = (x & (quarter - 1)) - quarter;
    const int32_t rest = small - x;
    int32_t result = scn_exp_small(scn_wrap_shift(small, 31 - SCN_EXP_FRACTION));
    for (int k = 0; k < (int)(sizeof factors / sizeof factors[0]); ++k) {
        if (rest & (quarter << k)) {
            result = scn_high_mul(result, factors[k]);
        }
    }
    return result;
}

#endif
