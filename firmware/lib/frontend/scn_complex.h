/* SPDX-License-Identifier: MIT */
/* Complex points of the FFT, two words each; private to the front end. */
#ifndef SCN_COMPLEX_H
#define SCN_COMPLEX_H

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

#endif
