/* SPDX-License-Identifier: MIT */
/* Shared code of the FFT's first stages; private to them. */
#ifndef SCN_FFT_FIRST_STAGE_H
#define SCN_FFT_FIRST_STAGE_H

#include "scn_complex.h"
#include "scn_dsp.h"

/* A counter runs up to ORDER_END(legs) in as many steps as the first stage has butterflies. Its reversed bits are the
 * bit-reversed place, in bytes, of the group of `legs` points of each butterfly. */
#define ORDER_END(legs) ((UINT32_C(1) << 29) / (legs))

/* Two samples, windowed. The shift goes through uint32_t: the bits that leave are copies of the sign. */
static inline complex_t windowed(const int32_t *samples, uint32_t shift, int32_t first, int32_t second) {
    return (complex_t){scn_mulr((int32_t)((uint32_t)samples[0] << shift), first),
                       scn_mulr((int32_t)((uint32_t)samples[1] << shift), second)};
}

/* Four samples a quarter frame apart, b half a frame after a, become four neighbours. */
static inline void first_radix4(complex_t a, complex_t b, complex_t c, complex_t d, int32_t *at) {
    a.re += 1; /* rounds all halves below */
    a.im += 1;
    const complex_t even = add(a, b), odd = subtract(a, b), sum = add(c, d), diff = subtract(c, d);
    store(at, (even.re + sum.re) >> 1, (even.im + sum.im) >> 1);
    store(at + 2, (odd.re + diff.im) >> 1, (odd.im - diff.re) >> 1);
    store(at + 4, (even.re - sum.re) >> 1, (even.im - sum.im) >> 1);
    store(at + 6, (odd.re - diff.im) >> 1, (odd.im + diff.re) >> 1);
}

/* Two samples half a frame apart become neighbours. Exact, so nothing is halved. */
static inline void first_radix2(complex_t a, complex_t b, int32_t *at) {
    store(at, a.re + b.re, a.im + b.im);
    store(at + 2, a.re - b.re, a.im - b.im);
}

#endif
