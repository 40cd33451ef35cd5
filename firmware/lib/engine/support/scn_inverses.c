/* SPDX-License-Identifier: MIT */
#include "scn_inverses.h"

#include "scn_fixedpoint.h"

int32_t scn_reciprocal(int32_t x) {
    const int32_t one = 1 << 29; /* Q2.29, like the iterate */
    const int32_t half_sum = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
    int32_t guess = 1515870810 + scn_high_mul(half_sum, -1010580540); /* 48/17 - 32/17 * half_sum */
    for (int i = 0; i < 3; ++i) {
        const int32_t error = one - scn_high_mul(half_sum, guess);
        guess += scn_saturating_shift(scn_high_mul(guess, error), 2);
    }
    /* Half the iterate in Q1.30, then Q0.31. */
    return guess >= 1 << 30 ? INT32_MAX : guess * 2;
}

scn_multiplier_t scn_inverse_sqrt(int32_t value) {
    const int32_t one = 1 << 28; /* Q3.28, like the iterate */
    const int32_t half_root_of_two = 1518500250;
    if (value <= 1) {
        return (scn_multiplier_t){INT32_MAX, 0};
    }
    int32_t right = 11;
    while (value >= 1 << 29) {
        value /= 4;
        ++right;
    }
    const int32_t pairs = (__builtin_clz((uint32_t)value) - 1) / 2 - 1;
    const int32_t half = scn_round_shift((value << (2 * pairs)) >> 1, 1);
    right -= pairs;
    int32_t guess = one;
    for (int i = 0; i < 5; ++i) {
        const int32_t cube = scn_saturating_shift(scn_high_mul(scn_high_mul(guess, guess), guess), 6);
        guess = scn_saturating_shift(scn_high_mul(one + one / 2, guess) - scn_high_mul(half, cube), 3);
    }
    const int32_t root = scn_high_mul(guess, half_root_of_two);
    return right < 0 ? (scn_multiplier_t){root * (1 << -right), 0} : (scn_multiplier_t){root, -right};
}
