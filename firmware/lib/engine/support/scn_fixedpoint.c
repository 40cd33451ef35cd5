/* SPDX-License-Identifier: MIT */
/* TFLite's rescaling in full; out of line, so that compilers do not inline it beside the fast paths. */
#include "scn_fixedpoint.h"

int32_t scn_scale(int32_t x, scn_multiplier_t by) {
    if (by.shift >= 0) {
        return scn_high_mul(scn_wrap_shift(x, by.shift), by.multiplier);
    }
    return scn_round_shift(scn_high_mul(x, by.multiplier), -by.shift);
}
