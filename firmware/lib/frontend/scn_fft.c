#include "scn_fft.h"

#include "scn_dsp.h"

/* 1 in Q31, as near as it goes: the untwiddled leg takes the same multiplication as the others. */
#define ONE INT32_C(0x7fffffff)

typedef struct {
    int32_t re, im;
} complex_t;

/* The three twiddle factors e^(-j w), e^(-2 j w), e^(-3 j w) of a radix-4 butterfly, Q31. */
typedef struct {
    int32_t cos1, sin1, cos2, sin2, cos3, sin3;
} twiddles_t;

static inline complex_t load(const int32_t *at) {
    return (complex_t){at[0], at[1]};
}

static inline void store(int32_t *at, int32_t re, int32_t im) {
    at[0] = re;
    at[1] = im;
}

/* z * e^(-j w) / 2. */
static inline complex_t turn(complex_t z, int32_t cosine, int32_t sine) {
    return (complex_t){scn_mlar(scn_mulr(z.re, cosine), z.im, sine), scn_mlsr(scn_mulr(z.im, cosine), z.re, sine)};
}

/* Two samples, windowed. The shift goes through uint32_t: the bits that leave are copies of the sign. */
static inline complex_t windowed(const int32_t *samples, uint32_t shift, int32_t first, int32_t second) {
    return (complex_t){scn_mulr((int32_t)((uint32_t)samples[0] << shift), first),
                       scn_mulr((int32_t)((uint32_t)samples[1] << shift), second)};
}

/* Where the window's second half starts, and which way it runs. */
static inline const int32_t *second_half(const scn_frontend_tables_t *tables) {
    return tables->window + tables->n_fft / 2;
}

/* Window and first radix-4 stage, without twiddles: four samples a quarter frame apart become four neighbours. */
static void window_radix4(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift, int32_t *work) {
    const int32_t quarter = tables->n_fft / 4, step = tables->window_step;
    const int32_t *rise = tables->window, *fall = second_half(tables);
    const uint32_t drop = scn_clz((uint32_t)quarter / 2) + 1 - 3; /* bit-reversed index to word: times 8 */
    for (uint32_t n = 0; n < (uint32_t)quarter / 2; n++) {
        const complex_t a = windowed(samples, shift, rise[0], rise[1]);
        const complex_t b = windowed(samples + 2 * quarter, shift, fall[0], fall[step]);
        const complex_t c = windowed(samples + quarter, shift, rise[quarter], rise[quarter + 1]);
        const complex_t d = windowed(samples + 3 * quarter, shift, fall[step * quarter], fall[step * quarter + step]);
        int32_t *at = work + (scn_rbit(n) >> drop);
        const int32_t even_re = a.re + b.re + 1, even_im = a.im + b.im + 1; /* + 1: rounds all four halves below */
        const int32_t odd_re = a.re - b.re + 1, odd_im = a.im - b.im + 1;
        const int32_t sum_re = c.re + d.re, sum_im = c.im + d.im, diff_re = c.re - d.re, diff_im = c.im - d.im;
        store(at, (even_re + sum_re) >> 1, (even_im + sum_im) >> 1);
        store(at + 2, (odd_re + diff_im) >> 1, (odd_im - diff_re) >> 1);
        store(at + 4, (even_re - sum_re) >> 1, (even_im - sum_im) >> 1);
        store(at + 6, (odd_re - diff_im) >> 1, (odd_im + diff_re) >> 1);
        samples += 2;
        rise += 2;
        fall += 2 * step;
    }
}

/* Window and radix-2 stage: two samples half a frame apart become neighbours. Exact, so nothing is halved. */
static void window_radix2(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift, int32_t *work) {
    const int32_t half = tables->n_fft / 2, step = tables->window_step;
    const int32_t *rise = tables->window, *fall = second_half(tables);
    const uint32_t drop = scn_clz((uint32_t)half / 2) + 1 - 2; /* bit-reversed index to word: times 4 */
    for (uint32_t n = 0; n < (uint32_t)half / 2; n++) {
        const complex_t a = windowed(samples, shift, rise[0], rise[1]);
        const complex_t b = windowed(samples + half, shift, fall[0], fall[step]);
        int32_t *at = work + (scn_rbit(n) >> drop);
        store(at, a.re + b.re, a.im + b.im);
        store(at + 2, a.re - b.re, a.im - b.im);
        samples += 2;
        rise += 2;
        fall += 2 * step;
    }
}

/* The butterflies of one twiddle position in all groups: legs 2 * span words apart, groups four legs apart. */
static inline void butterflies(int32_t *leg0, const int32_t *end, size_t span, const twiddles_t *w) {
    for (; leg0 < end; leg0 += 8 * span) {
        int32_t *leg1 = leg0 + 2 * span, *leg2 = leg1 + 2 * span, *leg3 = leg2 + 2 * span;
        const complex_t t3 = turn(load(leg3), w->cos3, w->sin3);
        const complex_t t1 = turn(load(leg2), w->cos1, w->sin1);
        const complex_t sum = {t1.re + t3.re, t1.im + t3.im}, diff = {t1.re - t3.re, t1.im - t3.im};
        const complex_t t2 = turn(load(leg1), w->cos2, w->sin2);
        const complex_t t0 = {scn_mulr(leg0[0], ONE), scn_mulr(leg0[1], ONE)};
        const complex_t even = {t0.re + t2.re, t0.im + t2.im}, odd = {t0.re - t2.re, t0.im - t2.im};
        store(leg0, even.re + sum.re, even.im + sum.im);
        store(leg1, odd.re + diff.im, odd.im - diff.re);
        store(leg2, even.re - sum.re, even.im - sum.im);
        store(leg3, odd.re - diff.im, odd.im + diff.re);
    }
}

/* Twiddles at angle i of the quarter wave's `quarter` steps, 0 <= i <= quarter / 2. */
static inline twiddles_t twiddles(const int32_t *sine, int32_t quarter, int32_t i) {
    twiddles_t w = {sine[quarter - i], sine[i], sine[quarter - 2 * i], sine[2 * i], 0, 0};
    if (3 * i <= quarter) {
        w.cos3 = sine[quarter - 3 * i];
        w.sin3 = sine[3 * i];
    } else {
        w.cos3 = -sine[3 * i - quarter];
        w.sin3 = sine[2 * quarter - 3 * i];
    }
    return w;
}

/* Twiddles at the angle that complements to a right one. */
static inline twiddles_t mirrored(const twiddles_t *w) {
    return (twiddles_t){w->sin1, w->cos1, -w->cos2, w->sin2, -w->sin3, -w->cos3};
}

/* One radix-4 stage: sub-spectra of `span` points become ones of 4 * span. */
static void radix4(const scn_frontend_tables_t *tables, int32_t *work, size_t span) {
    const int32_t quarter = tables->n_fft / 4, step = quarter / (int32_t)span;
    const int32_t *end = work + tables->n_fft;
    for (size_t k = 0; k <= span / 2; k++) {
        twiddles_t w = twiddles(tables->sine, quarter, (int32_t)k * step);
        butterflies(work + 2 * k, end, span, &w);
        if (k && k < span / 2) {
            w = mirrored(&w);
            butterflies(work + 2 * (span - k), end, span, &w);
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
    size_t span;
    /* n_fft / 2 is a power of four where n_fft is an odd power of two. */
    if (tables->n_fft & 0xaaaau) {
        window_radix4(tables, samples, shift, work);
        span = 4;
    } else {
        window_radix2(tables, samples, shift, work);
        span = 2;
    }
    for (; span < tables->n_fft / 2u; span *= 4) {
        radix4(tables, work, span);
    }
    split_power(tables, work);
}
