/* SPDX-License-Identifier: MIT */
#include "scn_fft_stages.h"

#include "scn_complex.h"
#include "scn_dsp.h"
#include "scn_fft_m4.h"

#if SCN_DSP_ASM

/* A butterfly loop, and where it begins: words behind the first leg. */
typedef struct {
    void (*run)(void);
    size_t start;
} loop_t;

static void narrow(const scn_frontend_tables_t *tables, int32_t *work, size_t span, loop_t loop) {
    const uint32_t groups = tables->n_fft / (8 * span);
    int32_t *leg = work + loop.start;
    const scn_fft_stage_t stage = {leg,
                                   groups,
                                   loop.run,
                                   8 * span,
                                   tables->sine,
                                   tables->n_fft,
                                   tables->n_fft / span,
                                   leg + span + 8 * span * groups};
    scn_fft_stage_m4(&stage);
}

/* Few groups, and their legs too far apart for the offsets of an instruction. */
static void wide(const scn_frontend_tables_t *tables, int32_t *work, size_t span) {
    for (size_t at = 0; at < tables->n_fft; at += 8 * span) {
        int32_t *leg = work + at + 4 * span;
        const scn_fft_stage_t stage = {leg,          8 * span,      scn_fft_loop_wide,    8 * span,
                                       tables->sine, tables->n_fft, tables->n_fft / span, leg + 3 * span};
        scn_fft_stage_m4(&stage);
    }
}

void scn_fft_stages_from_4(const scn_frontend_tables_t *tables, int32_t *work) {
    narrow(tables, work, 4, (loop_t){scn_fft_loop_4, 0});
    narrow(tables, work, 16, (loop_t){scn_fft_loop_16, 0});
    narrow(tables, work, 64, (loop_t){scn_fft_loop_64, 192});
    for (size_t span = 256; span < tables->n_fft / 2u; span *= 4) {
        wide(tables, work, span);
    }
}

void scn_fft_stages_from_2(const scn_frontend_tables_t *tables, int32_t *work) {
    narrow(tables, work, 2, (loop_t){scn_fft_loop_2, 0});
    narrow(tables, work, 8, (loop_t){scn_fft_loop_8, 0});
    narrow(tables, work, 32, (loop_t){scn_fft_loop_32, 0});
    for (size_t span = 128; span < tables->n_fft / 2u; span *= 4) {
        wide(tables, work, span);
    }
}

#else

/* The three twiddle factors e^(-3 j w), e^(-j w), e^(-2 j w) of a radix-4 butterfly, Q31, in the order of their use. */
typedef struct {
    int32_t cos3, sin3, cos1, sin1, cos2, sin2;
} twiddles_t;

/* The butterflies of one twiddle position in all groups: legs `span` points apart, groups four legs apart. */
static inline void butterflies(int32_t *leg0, size_t groups, size_t span, const twiddles_t *w) {
    for (; groups > 0; groups--, leg0 += 8 * span) {
        int32_t *leg1 = leg0 + 2 * span, *leg2 = leg1 + 2 * span, *leg3 = leg2 + 2 * span;
        const complex_t t3 = turn(load(leg3), w->cos3, w->sin3), t1 = turn(load(leg2), w->cos1, w->sin1);
        const complex_t sum = add(t1, t3), diff = subtract(t1, t3);
        const complex_t t2 = turn(load(leg1), w->cos2, w->sin2);
        const complex_t t0 = {scn_mulr(leg0[0], SCN_DSP_ONE), scn_mulr(leg0[1], SCN_DSP_ONE)};
        const complex_t even = add(t0, t2), odd = subtract(t0, t2);
        store(leg0, even.re + sum.re, even.im + sum.im);
        store(leg1, odd.re + diff.im, odd.im - diff.re);
        store(leg2, even.re - sum.re, even.im - sum.im);
        store(leg3, odd.re - diff.im, odd.im + diff.re);
    }
}

/* Twiddles at angle i of `quarter` steps of a quarter wave, 0 <= i <= quarter / 2. */
static void twiddles(const int32_t *sine, int32_t quarter, int32_t i, twiddles_t *w) {
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

static void radix4_from(const scn_frontend_tables_t *tables, int32_t *work, size_t span) {
    for (; span < tables->n_fft / 2u; span *= 4) {
        radix4(tables, work, span);
    }
}

void scn_fft_stages_from_4(const scn_frontend_tables_t *tables, int32_t *work) {
    radix4_from(tables, work, 4);
}

void scn_fft_stages_from_2(const scn_frontend_tables_t *tables, int32_t *work) {
    radix4_from(tables, work, 2);
}

#endif
