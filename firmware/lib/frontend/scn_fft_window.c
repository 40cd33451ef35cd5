/* SPDX-License-Identifier: MIT */
#include "scn_fft_window.h"

#include "scn_fft_first_stage.h"
#if SCN_DSP_LOOPS
#include "scn_fft_m4.h"
#endif

/* Start and direction of the window's second half. */
static inline const int32_t *second_half(const scn_frontend_tables_t *tables) {
    return tables->window + tables->n_fft / 2;
}

void scn_window_radix4(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift, int32_t *work) {
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
        const complex_t a = windowed(samples, shift, rise[0], rise[1]);
        const complex_t b = windowed(samples + 2 * quarter, shift, fall[0], fall[step]);
        const complex_t c = windowed(samples + quarter, shift, rise[quarter], rise[quarter + 1]);
        const complex_t d = windowed(samples + 3 * quarter, shift, fall[step * quarter], fall[step * quarter + step]);
        first_radix4(a, b, c, d, work + scn_rbit(order) / 4);
        samples += 2;
        rise += 2;
        fall += 2 * step;
    }
}

void scn_window_radix2(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift, int32_t *work) {
    const int32_t half = tables->n_fft / 2, step = tables->window_step;
    const int32_t *rise = tables->window, *fall = second_half(tables);
    const uint32_t next = ORDER_END(2) / ((uint32_t)half / 2);
    for (uint32_t order = 0; order < ORDER_END(2); order += next) {
        const complex_t a = windowed(samples, shift, rise[0], rise[1]);
        const complex_t b = windowed(samples + half, shift, fall[0], fall[step]);
        first_radix2(a, b, work + scn_rbit(order) / 4);
        samples += 2;
        rise += 2;
        fall += 2 * step;
    }
}
