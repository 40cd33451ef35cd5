/* SPDX-License-Identifier: MIT */
#include "scn_fft.h"

#include "scn_complex.h"
#include "scn_dsp.h"
#if SCN_DSP_LOOPS
#include "scn_fft_m4.h"
#endif

/* The value nearest to 1 in Q31: the leg without a twiddle factor takes the same multiplication as the others. */
#define ONE INT32_C(0x7fffffff)

/* The three twiddle factors e^(-3 j w), e^(-j w), e^(-2 j w) of a radix-4 butterfly, Q31, in the order of their use. */
typedef struct {
    int32_t cos3, sin3, cos1, sin1, cos2, sin2;
} twiddles_t;

/* z * e^(-j w) / 2. */
static inline complex_t turn(complex_t z, int32_t cosine, int32_t sine) {
    return (complex_t){scn_mlar(scn_mulr(z.re, cosine), z.im, sine), scn_mlsr(scn_mulr(z.im, cosine), z.re, sine)};
}

/* The butterflies of one twiddle position in all groups: legs `span` points apart, groups four legs apart. */
static inline void butterflies(int32_t *leg0, size_t groups, size_t span, const twiddles_t *w) {
#if SCN_DSP_LOOPS
    scn_butterflies_m4(leg0, groups, span, &w->cos3);
#else
    for (; groups > 0; groups--, leg0 += 8 * span) {
        int32_t *leg1 = leg0 + 2 * span, *leg2 = leg1 + 2 * span, *leg3 = leg2 + 2 * span;
        const complex_t t3 = turn(load(leg3), w->cos3, w->sin3), t1 = turn(load(leg2), w->cos1, w->sin1);
        const complex_t sum = add(t1, t3), diff = subtract(t1, t3);
        const complex_t t2 = turn(load(leg1), w->cos2, w->sin2);
        const complex_t t0 = {scn_mulr(leg0[0], ONE), scn_mulr(leg0[1], ONE)};
        const complex_t even = add(t0, t2), odd = subtract(t0, t2);
        store(leg0, even.re + sum.re, even.im + sum.im);
        store(leg1, odd.re + diff.im, odd.im - diff.re);
        store(leg2, even.re - sum.re, even.im - sum.im);
        store(leg3, odd.re - diff.im, odd.im + diff.re);
    }
#endif
}

/* Twiddles at angle i of `quarter` steps of a quarter wave, 0 <= i <= quarter / 2. Not inlined: inlined into radix4,
 * gcc advances six addresses and spills them. */
__attribute__((noinline)) static void twiddles(const int32_t *sine, int32_t quarter, int32_t i, twiddles_t *w) {
    const int32_t *cosine = sine + quarter;
    w->cos1 = cosine[-i];
    w->sin1 = sine[i];
    w->cos2 = cosine[-2 * i];
    w->sin2 = sine[2 * i];
    if (3 * i <= quarter) {
        w->cos3 = cosine[-3 * i];
        w->sin3 = sine[3 * i];
    } else {
        w->cos3 = -sine[3 * i - quarter];
        w->sin3 = cosine[quarter - 3 * i];
    }
}

/* Twiddles at the complementary angle. */
static inline void mirror(twiddles_t *w) {
    *w = (twiddles_t){-w->sin3, -w->cos3, w->sin1, w->cos1, -w->cos2, w->sin2};
}

/* One radix-4 stage: sub-spectra of `span` points become ones of 4 * span. */
static void radix4(const scn_frontend_tables_t *tables, int32_t *work, size_t span) {
    const int32_t quarter = tables->n_fft / 4, step = quarter / (int32_t)span;
    const size_t groups = tables->n_fft / (8 * span);
    twiddles_t w;
    for (size_t k = 0; k <= span / 2; k++) {
        twiddles(tables->sine, quarter, (int32_t)k * step, &w);
        butterflies(work + 2 * k, groups, span, &w);
        if (k && k < span / 2) {
            mirror(&w);
            butterflies(work + 2 * (span - k), groups, span, &w);
        }
    }
}

static inline void store_power(int32_t *at, int32_t re, int32_t im) {
    const uint64_t power = (uint64_t)((int64_t)re * re) + (uint64_t)((int64_t)im * im);
    at[0] = (int32_t)(uint32_t)power;
    at[1] = (int32_t)(uint32_t)(power >> 32);
}

/* Spectrum of the packed frame to power of the real one. Bins k and n_fft / 2 - k come from the same two points. */
static void split_power(const scn_frontend_tables_t *tables, int32_t *work) {
    const int32_t quarter = tables->n_fft / 4;
    const int32_t *sine = tables->sine, *cosine = sine + quarter;
    int32_t *up = work, *down = work + tables->n_fft;
    store_power(work, work[0] + work[1], 0);
    for (int32_t k = 1; k <= quarter; k++) {
        up += 2;
        down -= 2;
        const complex_t a = load(up), b = load(down);
        const int32_t even_re = scn_mulr(a.re + b.re, ONE), even_im = scn_mulr(a.im - b.im, ONE);
        const complex_t odd = turn((complex_t){a.im + b.im, b.re - a.re}, *--cosine, *++sine);
        store_power(down, even_re - odd.re, even_im - odd.im);
        store_power(up, even_re + odd.re, even_im + odd.im);
    }
}

void scn_fft_power(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift, int32_t *work) {
    tables->first_stage(tables, samples, shift, work);
    /* n_fft / 2 is a power of four where n_fft is an odd power of two: then the first stage was one of radix 4. */
    for (size_t span = tables->n_fft & 0xaaaau ? 4 : 2; span < tables->n_fft / 2u; span *= 4) {
        radix4(tables, work, span);
    }
    split_power(tables, work);
}
