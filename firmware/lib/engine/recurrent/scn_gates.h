/* SPDX-License-Identifier: MIT */
/* The gates' functions of TFLite's integer LSTM, int16 to int16; private to the recurrent kernels. */
#ifndef SCN_GATES_H
#define SCN_GATES_H

#include <stdint.h>

/* Logistic of a value in Q3.12; the result in Q0.15, 0 .. 2^15 - 1. */
int32_t scn_gate_logistic(int32_t value);

/* Hyperbolic tangent of a value with `integer_bits` bits before the point, 0 .. 6, of 15; the result in Q0.15. */
int32_t scn_gate_tanh(int32_t value, int32_t integer_bits);

#endif
