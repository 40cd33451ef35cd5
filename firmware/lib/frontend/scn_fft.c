#include "scn_fft.h"

#include "scn_dsp.h"
#if SCN_DSP_LOOPS
#include "scn_fft_m4.h"
#endif

/* 1 in Q31, as near as it goes: the untwiddled leg takes the same multiplication as the others. */
#define ONE INT32_C(0x7fffffff)

typedef struct {
    int32_t re, im;
} complex_t;

/* Counting up to ORDER_END(legs) in as many steps as the first stage has butterflies and reversing each count's bits
 * gives the bit-reversed place, in bytes, of their groups of `legs` points. */
#define ORDER_END(legs) ((UINT32_C(1) << 29) / (legs))

/* The three twiddle factors e^(-3 j w), e^(-j w), e^(-2 j w) of a radix-4 butterfly, Q31, in the order of their use. */
typedef struct {
    int32_t cos3, sin3, cos1, sin1, cos2, sin2;
} twiddles_t;

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
#if SCN_DSP_LOOPS
    if (step < 0) {
        scn_window_radix4_m4(samples, tables->n_fft / 4u, rise, fall, shift, work);
        return;
    }
#endif
    const uint32_t next = ORDER_END(4) / ((uint32_t)quarter / 2);
    for (uint32_t order = 0; order < ORDER_END(4); order += next) {
        int32_t *at = work + scn_rbit(order) / 4;
        complex_t a = windowed(samples, shift, rise[0], rise[1]);
        const complex_t b = windowed(samples + 2 * quarter, shift, fall[0], fall[step]);
        a.re += 1; /* rounds all halves below */
        a.im += 1;
        const complex_t even = add(a, b), odd = subtract(a, b);
        const complex_t c = windowed(samples + quarter, shift, rise[quarter], rise[quarter + 1]);
        const complex_t d = windowed(samples + 3 * quarter, shift, fall[step * quarter], fall[step * quarter + step]);
        const complex_t sum = add(c, d), diff = subtract(c, d);
        store(at, (even.re + sum.re) >> 1, (even.im + sum.im) >> 1);
        store(at + 2, (odd.re + diff.im) >> 1, (odd.im - diff.re) >> 1);
        store(at + 4, (even.re - sum.re) >> 1, (even.im - sum.im) >> 1);
        store(at + 6, (odd.re - diff.im) >> 1, (odd.im + diff.re) >> 1);
        samples += 2;
        rise += 2;
        fall += 2 * step;
    }
}

/* Window and radix-2 stage: two samples half a frame apart become neighbours. Exact, so nothing is halved. */
static void window_radix2(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift, int32_t *work) {
    const int32_t half = tables->n_fft / 2, step = tables->window_step;
    const int32_t *rise = tables->window, *fall = second_half(tables);
    const uint32_t next = ORDER_END(2) / ((uint32_t)half / 2);
    for (uint32_t order = 0; order < ORDER_END(2); order += next) {
        const complex_t a = windowed(samples, shift, rise[0], rise[1]);
        const complex_t b = windowed(samples + half, shift, fall[0], fall[step]);
        int32_t *at = work + scn_rbit(order) / 4;
        store(at, a.re + b.re, a.im + b.im);
        store(at + 2, a.re - b.re, a.im - b.im);
        samples += 2;
        rise += 2;
        fall += 2 * step;
    }
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

/* Twiddles at angle i of the quarter wave's `quarter` steps, 0 <= i <= quarter / 2. Kept out of line: inlined into
 * radix4, it makes gcc advance six addresses and spill them. */
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

/* Twiddles at the angle that complements to a right one. */
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
