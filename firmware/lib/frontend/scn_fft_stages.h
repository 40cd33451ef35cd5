/* SPDX-License-Identifier: MIT */
/* The FFT's radix-4 stages with twiddle factors; private to the front end.
 *
 * One function for each first stage, so that a front end links the loops that it needs. `work` holds n_fft / 2 points in
 * bit-reversed order after the first stage, and their spectrum at the end. */
#ifndef SCN_FFT_STAGES_H
#define SCN_FFT_STAGES_H

#include "scn_frontend.h"

/* After a first stage of radix 4: n_fft is an odd power of two. */
void scn_fft_stages_from_4(const scn_frontend_tables_t *tables, int32_t *work);
/* After a first stage of radix 2. */
void scn_fft_stages_from_2(const scn_frontend_tables_t *tables, int32_t *work);

#endif
