/* SPDX-License-Identifier: MIT */
/* TFLite's reciprocals and reciprocal roots; private to the kernels. Python: scenelet.compiler.numerics.inverses. */
#ifndef SCN_INVERSES_H
#define SCN_INVERSES_H

#include "scn_types.h"

#include <stdint.h>

/* 1 / (1 + x), x in [0, 1), both Q0.31: three Newton-Raphson steps. */
int32_t scn_reciprocal(int32_t x);

/* 1 / sqrt(value), value >= 0; 0 is taken for 1. Five Newton-Raphson steps; the shift is -31 .. 3. */
scn_multiplier_t scn_inverse_sqrt(int32_t value);

#endif
