/* SPDX-License-Identifier: MIT */
/* Widens what dense loops multiply, once for all outputs. */
#include "scn_dense_four.h"
#include "scn_simd.h"

enum { WIDEN_STEP = 8 };

void scn_dense_widen(const int8_t *values, int32_t count, int32_t zero_point, uint32_t *pairs) {
    const uint32_t offset = scn_pair(-zero_point, -zero_point);
    const int32_t whole = count / 4 * 4, padded = (count + WIDEN_STEP - 1) / WIDEN_STEP * WIDEN_STEP;
    for (const int8_t *end = values + whole; values < end; values += 4) {
        const uint32_t quad = scn_load_quad(values);
        *pairs++ = scn_widen_even(offset, quad);
        *pairs++ = scn_widen_odd(offset, quad);
    }
    for (int32_t i = whole; i < padded; i += 4) {
        int32_t last[4] = {0};
        for (int k = 0; k < count - i && k < 4; ++k) {
            last[k] = values[k] - zero_point;
        }
        *pairs++ = scn_pair(last[0], last[2]);
        *pairs++ = scn_pair(last[1], last[3]);
    }
}
