/* SPDX-License-Identifier: MIT */
/* A raised cosine needs no table of its own: it is computed from the FFT's quarter sine wave; some last bits are
 * corrected. */
#include "scn_fft_first_stage.h"
#include "scn_fft_m4.h"
#include "scn_fft_stages.h"
#include "scn_fft_window.h"

/* Window values at samples i and i + 1 of each quarter of the frame, quarter by quarter. */
typedef struct {
    int32_t at[8];
} values_t;

/* mean - swing * cos(2 pi i / n_fft): a quarter later, the cosine becomes the sine. */
static inline void compute(const scn_window_computed_t *window, const int32_t *sine, const int32_t *cosine,
                           values_t *values) {
    for (int k = 0; k < 2; k++) {
        const int32_t rise = scn_mulr(sine[k], window->swing), fall = scn_mulr(cosine[-k], window->swing);
        values->at[k] = window->mean - fall;
        values->at[2 + k] = window->mean + rise;
        values->at[4 + k] = window->mean + fall;
        values->at[6 + k] = window->mean - rise;
    }
}

/* Correct the values of pair number `pair`; returns the next pair's corrections. */
static inline const uint16_t *correct(const uint16_t *fix, uint32_t pair, values_t *values) {
    for (; *fix >> 4 == pair; fix++) {
        values->at[*fix >> 1 & 7] += (*fix & 1) ? 1 : -1;
    }
    return fix;
}

/* One butterfly of the first stage, its window corrected; returns the next pair's corrections. */
static inline const uint16_t *corrected_radix4(const scn_frontend_tables_t *tables, const int32_t *samples,
                                               uint32_t shift, uint32_t pair, const uint16_t *fix, int32_t *at) {
    const int32_t quarter = tables->n_fft / 4;
    const int32_t *sine = tables->sine + 2 * pair, *cosine = tables->sine + quarter - 2 * pair;
    values_t w;
    compute(&tables->computed, sine, cosine, &w);
    fix = correct(fix, pair, &w);
    samples += 2 * pair;
    first_radix4(windowed(samples, shift, w.at[0], w.at[1]), windowed(samples + 2 * quarter, shift, w.at[4], w.at[5]),
                 windowed(samples + quarter, shift, w.at[2], w.at[3]),
                 windowed(samples + 3 * quarter, shift, w.at[6], w.at[7]), at);
    return fix;
}

/* Pairs from `pair` on that need no correction; returns the first that may need one. */
static inline uint32_t plain_radix4(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift,
                                    uint32_t pair, uint32_t until, int32_t *work) {
#if SCN_DSP_ASM
    if (pair < until) {
        const uint32_t next = ORDER_END(4) / (tables->n_fft / 8u);
        const scn_fft_first_t first = {samples + 2 * pair,
                                       tables->sine + 2 * pair,
                                       tables->sine + tables->n_fft / 4 - 2 * pair - 1,
                                       shift,
                                       tables->n_fft,
                                       pair * next,
                                       next,
                                       work,
                                       until * next,
                                       tables->computed.mean,
                                       tables->computed.swing};
        scn_window_computed_radix4_m4(&first);
    }
    return until;
#else
    (void)tables, (void)samples, (void)shift, (void)until, (void)work;
    return pair;
#endif
}

void scn_transform_computed_radix4(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift,
                                   int32_t *work) {
    const uint32_t pairs = tables->n_fft / 8u, next = ORDER_END(4) / pairs;
    const uint16_t *fix = tables->computed.fix;
    uint32_t pair = 0;
    while (pair < pairs) {
        const uint32_t fixed = *fix >> 4;
        pair = plain_radix4(tables, samples, shift, pair, fixed < pairs ? fixed : pairs, work);
        if (pair < pairs) {
            fix = corrected_radix4(tables, samples, shift, pair, fix, work + scn_rbit(pair * next) / 4);
            pair++;
        }
    }
    scn_fft_stages_from_4(tables, work);
}

void scn_transform_computed_radix2(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift,
                                   int32_t *work) {
    const int32_t quarter = tables->n_fft / 4;
    const int32_t *sine = tables->sine, *cosine = sine + quarter;
    const uint32_t pairs = (uint32_t)quarter / 2, next = ORDER_END(2) / (2 * pairs);
    const uint16_t *fix = tables->computed.fix;
    for (uint32_t pair = 0; pair < pairs; pair++) {
        values_t w;
        compute(&tables->computed, sine, cosine, &w);
        fix = correct(fix, pair, &w);
        first_radix2(windowed(samples, shift, w.at[0], w.at[1]),
                     windowed(samples + 2 * quarter, shift, w.at[4], w.at[5]), work + scn_rbit(pair * next) / 4);
        first_radix2(windowed(samples + quarter, shift, w.at[2], w.at[3]),
                     windowed(samples + 3 * quarter, shift, w.at[6], w.at[7]),
                     work + scn_rbit((pair + pairs) * next) / 4);
        samples += 2;
        sine += 2;
        cosine -= 2;
    }
    scn_fft_stages_from_2(tables, work);
}
