/* SPDX-License-Identifier: MIT */
#include "scn_fft.h"

#include "scn_complex.h"
#include "scn_dsp.h"
#include "scn_fft_m4.h"

static inline void store_power(int32_t *at, int32_t re, int32_t im) {
    const uint64_t power = (uint64_t)((int64_t)re * re) + (uint64_t)((int64_t)im * im);
    at[0] = (int32_t)(uint32_t)power;
    at[1] = (int32_t)(uint32_t)(power >> 32);
}

/* Spectrum of the packed frame to power of the real one. Bins k and n_fft / 2 - k come from the same two points. */
static void split_power(const scn_frontend_tables_t *tables, int32_t *work) {
    store_power(work, work[0] + work[1], 0);
#if SCN_DSP_ASM
    scn_fft_split_m4(work, tables->sine, tables->n_fft);
#else
    const int32_t quarter = tables->n_fft / 4;
    const int32_t *sine = tables->sine, *cosine = sine + quarter;
    int32_t *up = work, *down = work + tables->n_fft;
    for (int32_t k = 1; k <= quarter; k++) {
        up += 2;
        down -= 2;
        const complex_t a = load(up), b = load(down);
        const int32_t even_re = scn_mulr(a.re + b.re, SCN_DSP_ONE), even_im = scn_mulr(a.im - b.im, SCN_DSP_ONE);
        const complex_t odd = turn((complex_t){a.im + b.im, b.re - a.re}, *--cosine, *++sine);
        store_power(down, even_re - odd.re, even_im - odd.im);
        store_power(up, even_re + odd.re, even_im + odd.im);
    }
#endif
}

void scn_fft_power(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift, int32_t *work) {
    tables->transform(tables, samples, shift, work);
    split_power(tables, work);
}
