/* SPDX-License-Identifier: MIT */
/* Complex points of the FFT, two words each; private to the front end. */
#ifndef SCN_COMPLEX_H
#define SCN_COMPLEX_H

#include "scn_dsp.h"

#include <stdint.h>

typedef struct {
    int32_t re, im;
} complex_t;

static inline complex_t load(const int32_t *at) {
    return (complex_t){at[0], at[1]};
}

static inline complex_t add(complex_t a, complex_t b) {
    return (complex_t){a.re + b.re, a.im + b.im};
}

static inline complex_t subtract(complex_t a, complex_t b) {
    return (complex_t){a.re - b.re, a.im - b.im};
}

static inline void store(int32_t *at, int32_t re, int32_t im) {
    at[0] = re;
    at[1] = im;
}

/* z * e^(-j w) / 2. */
static inline complex_t turn(complex_t z, int32_t cosine, int32_t sine) {
    return (complex_t){scn_mlar(scn_mulr(z.re, cosine), z.im, sine), scn_mlsr(scn_mulr(z.im, cosine), z.re, sine)};
}

#endif
