/* SPDX-License-Identifier: MIT */
#include "scn_fft_window.h"

#include "scn_fft_first_stage.h"
#include "scn_fft_m4.h"
#include "scn_fft_stages.h"

/* Start and direction of the window's second half. */
static inline const int32_t *second_half(const scn_frontend_tables_t *tables) {
    return tables->window + tables->n_fft / 2;
}

/* Any window; the one that mirrors itself is quicker in scn_window_radix4_m4. */
static inline void first_stage_of_4(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift,
                                    int32_t *work) {
    const int32_t quarter = tables->n_fft / 4, step = tables->window_step;
    const int32_t *rise = tables->window, *fall = second_half(tables);
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

void scn_transform_radix4(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift, int32_t *work) {
#if SCN_DSP_ASM
    if (tables->window_step < 0) {
        const uint32_t next = ORDER_END(4) / (tables->n_fft / 8u);
        const scn_fft_first_t first = {
            samples, tables->window, second_half(tables), shift, tables->n_fft, 0, next, work, ORDER_END(4), 0, 0};
        scn_window_radix4_m4(&first);
        scn_fft_stages_from_4(tables, work);
        return;
    }
#endif
    first_stage_of_4(tables, samples, shift, work);
    scn_fft_stages_from_4(tables, work);
}

void scn_transform_radix2(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift, int32_t *work) {
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
    scn_fft_stages_from_2(tables, work);
}
