/* SPDX-License-Identifier: MIT */
/* A raised cosine needs no table of its own: it is computed from the FFT's quarter sine wave; some last bits are
 * corrected. */
#include "scn_fft_first_stage.h"
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

void scn_window_computed_radix4(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift,
                                int32_t *work) {
    const int32_t quarter = tables->n_fft / 4;
    const int32_t *sine = tables->sine, *cosine = sine + quarter;
    const uint32_t pairs = (uint32_t)quarter / 2, next = ORDER_END(4) / pairs;
    const uint16_t *fix = tables->computed.fix;
    for (uint32_t pair = 0; pair < pairs; pair++) {
        values_t w;
        compute(&tables->computed, sine, cosine, &w);
        fix = correct(fix, pair, &w);
        first_radix4(windowed(samples, shift, w.at[0], w.at[1]),
                     windowed(samples + 2 * quarter, shift, w.at[4], w.at[5]),
                     windowed(samples + quarter, shift, w.at[2], w.at[3]),
                     windowed(samples + 3 * quarter, shift, w.at[6], w.at[7]), work + scn_rbit(pair * next) / 4);
        samples += 2;
        sine += 2;
        cosine -= 2;
    }
}

void scn_window_computed_radix2(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift,
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
}
