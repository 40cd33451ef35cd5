/* SPDX-License-Identifier: MIT */
/* Window and FFT. In the first stage samples are windowed and written in bit-reversed order after a butterfly without
 * twiddles.
 *
 * One function for each radix of the first stage and each source of the window; tables->transform points to the one
 * that a front end needs, so that the others, and the loops of their stages, are not linked.
 *
 * samples  n_fft samples; shifted left by `shift` first
 * work     n_fft words. Out: n_fft / 2 complex points, the spectrum of the packed frame
 */
#ifndef SCN_FFT_WINDOW_H
#define SCN_FFT_WINDOW_H

#include "scn_frontend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tables->window holds the window. */
void scn_transform_radix4(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift, int32_t *work);
void scn_transform_radix2(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift, int32_t *work);

/* The window is computed from tables->sine, see scn_window_computed_t. */
void scn_transform_computed_radix4(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift,
                                   int32_t *work);
void scn_transform_computed_radix2(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift,
                                   int32_t *work);

#ifdef __cplusplus
}
#endif

#endif
