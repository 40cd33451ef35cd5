/* SPDX-License-Identifier: MIT */
/* Windowed power spectrum of one real frame, in place, in int32.
 *
 * The real frame is packed as n_fft / 2 complex points x[2n] + j x[2n+1]; radix 4 in bit-reversed order, a radix-2
 * stage first where n_fft / 2 is an odd power of two; then the split into the spectrum of the real frame.
 */
#ifndef SCN_FFT_H
#define SCN_FFT_H

#include "scn_frontend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* samples  n_fft samples
 * shift    left shift that leaves at least the sign bit of each sample
 * work     n_fft words. Out: power of bin k = 0 .. n_fft / 2 - 1 as uint64, low word at 2k, high word at 2k + 1;
 *          below 1.2 * 2^60 */
void scn_fft_power(const scn_frontend_tables_t *tables, const int32_t *samples, uint32_t shift, int32_t *work);

#ifdef __cplusplus
}
#endif

#endif
