/* SPDX-License-Identifier: MIT */
/* The FFT's inner loops for cores with the DSP instructions, private to the front end and with the bits of its plain C.
 *
 * They need all 14 registers, so each is a function without a frame of the compiler's: any compiler at any level takes
 * them. A product is added to what is there (SMMLAR), and of a sum and a difference the second comes from the first:
 * s = a + b, then 2 a - s. A butterfly takes 36 instructions with its data, where gcc 12 needs 63 from C. */
#ifndef SCN_FFT_M4_H
#define SCN_FFT_M4_H

#include <stdint.h>

/* OR of x ^ (x >> 31) over `count` samples, a multiple of 8. */
uint32_t scn_magnitudes_m4(const int32_t *samples, uint32_t count);

/* A butterfly loop; jumped to by scn_fft_stage_m4 alone. The number is `span`; "wide" is any with one group. */
void scn_fft_loop_2(void), scn_fft_loop_8(void), scn_fft_loop_32(void);
void scn_fft_loop_4(void), scn_fft_loop_16(void), scn_fft_loop_64(void);
void scn_fft_loop_wide(void);

/* One radix-4 stage. Legs lie `span` points of two words apart.
 * leg    where the loop's butterflies begin at position 0: SCN_FFT_LEG of work
 * count  groups; wide: bytes between two legs
 * span   bytes of `span` points
 * sine   quarter sine wave; quarter: its bytes; step: its bytes between two positions
 * last   the loop's last address at position span / 2 */
typedef struct {
    int32_t *leg;
    uint32_t count;
    void (*loop)(void);
    uint32_t span;
    const int32_t *sine;
    uint32_t quarter, step;
    int32_t *last;
} scn_fft_stage_t;
void scn_fft_stage_m4(const scn_fft_stage_t *stage);

/* Bins k and n_fft / 2 - k for k = 1 .. n_fft / 4, see docs/SPEC.md: split, and power in place of the spectrum. */
void scn_fft_split_m4(int32_t *work, const int32_t *sine, uint32_t n_fft);

/* Windows and first radix-4 butterflies of samples, from pair number `order` / `next` on.
 * window   where the window is stored: its first half, and its middle, from where it is read backwards
 * computed sine and cosine at the first pair: the window is mean -+ swing times them, its corrections not applied
 * order    bit-reversed place of the group, counted from the highest bit down to `end` in steps of `next`
 * quarter  bytes of n_fft / 4 samples */
typedef struct {
    const int32_t *samples, *rise, *fall;
    uint32_t shift, quarter, order, next;
    int32_t *work;
    uint32_t end;
    int32_t mean, swing; /* computed alone */
} scn_fft_first_t;
void scn_window_radix4_m4(const scn_fft_first_t *first);
void scn_window_computed_radix4_m4(const scn_fft_first_t *first);

#endif
