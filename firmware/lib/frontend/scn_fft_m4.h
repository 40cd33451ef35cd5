/* SPDX-License-Identifier: MIT */
/* The FFT's two inner loops for cores with the DSP instructions, private to scn_fft.c and with the bits of its plain C.
 *
 * From C, gcc 12 needs 63 and 110 instructions per butterfly where these take 50 and 76: 14 registers just hold the
 * live values of the loops, and gcc spills. / */
#ifndef SCN_FFT_M4_H
#define SCN_FFT_M4_H

#include <stddef.h>
#include <stdint.h>

/* leg0   first leg of the first group, two words per point
 * groups butterflies to compute; each group lies 8 * span words behind the one before
 * span   points between two legs
 * w      cos 3w, sin 3w, cos w, sin w, cos 2w, sin 2w in Q31 */
static inline void scn_butterflies_m4(int32_t *leg0, size_t groups, size_t span, const int32_t *w) {
    int32_t a, b, c, d, e, f, g, h, i;
    int32_t *leg = leg0 + 6 * span;
    __asm__ volatile("1:\n\t"
                     "ldrd %[a], %[b], [%[leg]]\n\t" /* leg 3 turned by 3w: e, f */
                     "ldrd %[c], %[d], [%[w]]\n\t"
                     "smmulr %[e], %[a], %[c]\n\t"
                     "smmulr %[f], %[b], %[c]\n\t"
                     "smmlar %[e], %[b], %[d], %[e]\n\t"
                     "smmlsr %[f], %[a], %[d], %[f]\n\t"
                     "sub %[leg], %[leg], %[stride]\n\t"
                     "ldrd %[a], %[b], [%[leg]]\n\t" /* leg 2 turned by w: g, h */
                     "ldrd %[c], %[d], [%[w], #8]\n\t"
                     "smmulr %[g], %[a], %[c]\n\t"
                     "smmulr %[h], %[b], %[c]\n\t"
                     "smmlar %[g], %[b], %[d], %[g]\n\t"
                     "smmlsr %[h], %[a], %[d], %[h]\n\t"
                     "add %[a], %[g], %[e]\n\t" /* sum a, b; difference e, f */
                     "sub %[e], %[g], %[e]\n\t"
                     "add %[b], %[h], %[f]\n\t"
                     "sub %[f], %[h], %[f]\n\t"
                     "sub %[leg], %[leg], %[stride]\n\t"
                     "ldrd %[c], %[d], [%[leg]]\n\t" /* leg 1 turned by 2w: i, g */
                     "ldrd %[g], %[h], [%[w], #16]\n\t"
                     "smmulr %[i], %[c], %[g]\n\t"
                     "smmulr %[g], %[d], %[g]\n\t"
                     "smmlar %[i], %[d], %[h], %[i]\n\t"
                     "smmlsr %[g], %[c], %[h], %[g]\n\t"
                     "sub %[leg], %[leg], %[stride]\n\t"
                     "ldrd %[c], %[d], [%[leg]]\n\t" /* leg 0, not turned: c, d */
                     "smmulr %[c], %[c], %[one]\n\t"
                     "smmulr %[d], %[d], %[one]\n\t"
                     "add %[h], %[c], %[i]\n\t" /* even h, i; odd c, d */
                     "sub %[c], %[c], %[i]\n\t"
                     "add %[i], %[d], %[g]\n\t"
                     "sub %[d], %[d], %[g]\n\t"
                     "add %[g], %[h], %[a]\n\t"
                     "sub %[h], %[h], %[a]\n\t"
                     "add %[a], %[i], %[b]\n\t"
                     "sub %[i], %[i], %[b]\n\t"
                     "strd %[g], %[a], [%[leg]]\n\t"
                     "add %[g], %[c], %[f]\n\t"
                     "sub %[c], %[c], %[f]\n\t"
                     "sub %[a], %[d], %[e]\n\t"
                     "add %[d], %[d], %[e]\n\t"
                     "add %[leg], %[leg], %[stride]\n\t"
                     "strd %[g], %[a], [%[leg]]\n\t"
                     "add %[leg], %[leg], %[stride]\n\t"
                     "strd %[h], %[i], [%[leg]]\n\t"
                     "add %[leg], %[leg], %[stride]\n\t"
                     "strd %[c], %[d], [%[leg]]\n\t"
                     "add %[leg], %[leg], %[stride], lsl #2\n\t"
                     "subs %[groups], %[groups], #1\n\t"
                     "bne 1b"
                     : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [e] "=&r"(e), [f] "=&r"(f), [g] "=&r"(g),
                       [h] "=&r"(h), [i] "=&r"(i), [leg] "+&r"(leg), [groups] "+&r"(groups)
                     : [stride] "r"(8 * span), [w] "r"(w), [one] "r"(INT32_C(0x7fffffff))
                     : "cc", "memory");
}

/* Window and first radix-4 stage where the window's second half mirrors its first.
 *
 * samples  n_fft samples; shifted left by `shift` first
 * quarter  n_fft / 4
 * rise     window's first half; fall: its middle, from where it is read backwards
 * work     n_fft words */
static inline void scn_window_radix4_m4(const int32_t *samples, size_t quarter, const int32_t *rise,
                                        const int32_t *fall, uint32_t shift, int32_t *work) {
    int32_t a, b, c, d, e, f, g, h, i;
    const uint32_t next = (UINT32_C(1) << 28) / quarter; /* counts to 2^27 in quarter / 2 steps */
    uint32_t order = 0;
    int32_t *at;
    __asm__ volatile("1:\n\t"
                     "ldr %[a], %[order]\n\t" /* bit-reversed place of the group */
                     "ldr %[b], %[next]\n\t"
                     "rbit %[c], %[a]\n\t"
                     "add %[a], %[a], %[b]\n\t"
                     "ldr %[d], %[work]\n\t"
                     "str %[a], %[order]\n\t"
                     "add %[d], %[d], %[c]\n\t"
                     "str %[d], %[at]\n\t"
                     "ldrd %[a], %[b], [%[x]]\n\t" /* first point: a, b */
                     "ldrd %[e], %[f], [%[rise]]\n\t"
                     "lsl %[a], %[a], %[shift]\n\t"
                     "lsl %[b], %[b], %[shift]\n\t"
                     "smmulr %[a], %[a], %[e]\n\t"
                     "smmulr %[b], %[b], %[f]\n\t"
                     "add %[x], %[x], %[quarter], lsl #1\n\t"
                     "ldrd %[c], %[d], [%[x]]\n\t" /* half a frame on: c, d */
                     "ldrd %[e], %[f], [%[fall], #-4]\n\t"
                     "lsl %[c], %[c], %[shift]\n\t"
                     "lsl %[d], %[d], %[shift]\n\t"
                     "smmulr %[c], %[c], %[f]\n\t"
                     "smmulr %[d], %[d], %[e]\n\t"
                     "add %[a], %[a], #1\n\t" /* rounds all halves below */
                     "add %[b], %[b], #1\n\t"
                     "add %[a], %[a], %[c]\n\t" /* even a, b; odd c, d */
                     "add %[b], %[b], %[d]\n\t"
                     "sub %[c], %[a], %[c], lsl #1\n\t"
                     "sub %[d], %[b], %[d], lsl #1\n\t"
                     "sub %[x], %[x], %[quarter]\n\t"
                     "ldrd %[e], %[f], [%[x]]\n\t" /* a quarter on: e, f */
                     "add %[rise], %[rise], %[quarter]\n\t"
                     "ldrd %[g], %[h], [%[rise]], #8\n\t"
                     "lsl %[e], %[e], %[shift]\n\t"
                     "lsl %[f], %[f], %[shift]\n\t"
                     "smmulr %[e], %[e], %[g]\n\t"
                     "smmulr %[f], %[f], %[h]\n\t"
                     "add %[x], %[x], %[quarter], lsl #1\n\t"
                     "ldrd %[g], %[h], [%[x]], #8\n\t" /* three quarters on: g, h */
                     "sub %[fall], %[fall], %[quarter]\n\t"
                     "ldr %[i], [%[fall], #-4]\n\t"
                     "lsl %[h], %[h], %[shift]\n\t"
                     "smmulr %[h], %[h], %[i]\n\t"
                     "ldr %[i], [%[fall]], #-8\n\t"
                     "lsl %[g], %[g], %[shift]\n\t"
                     "smmulr %[g], %[g], %[i]\n\t"
                     "add %[e], %[e], %[g]\n\t" /* sum e, f; difference g, h */
                     "add %[f], %[f], %[h]\n\t"
                     "sub %[g], %[e], %[g], lsl #1\n\t"
                     "sub %[h], %[f], %[h], lsl #1\n\t"
                     "add %[a], %[a], %[e]\n\t" /* results a, b; c, d; e, f; g, h */
                     "add %[b], %[b], %[f]\n\t"
                     "sub %[e], %[a], %[e], lsl #1\n\t"
                     "sub %[f], %[b], %[f], lsl #1\n\t"
                     "add %[c], %[c], %[h]\n\t"
                     "sub %[d], %[d], %[g]\n\t"
                     "sub %[h], %[c], %[h], lsl #1\n\t"
                     "add %[g], %[d], %[g], lsl #1\n\t"
                     "ldr %[i], %[at]\n\t"
                     "asr %[a], %[a], #1\n\t"
                     "asr %[b], %[b], #1\n\t"
                     "strd %[a], %[b], [%[i]]\n\t"
                     "asr %[c], %[c], #1\n\t"
                     "asr %[d], %[d], #1\n\t"
                     "strd %[c], %[d], [%[i], #8]\n\t"
                     "asr %[e], %[e], #1\n\t"
                     "asr %[f], %[f], #1\n\t"
                     "strd %[e], %[f], [%[i], #16]\n\t"
                     "asr %[h], %[h], #1\n\t"
                     "asr %[g], %[g], #1\n\t"
                     "strd %[h], %[g], [%[i], #24]\n\t"
                     "ldr %[i], %[order]\n\t"
                     "sub %[x], %[x], %[quarter]\n\t"
                     "sub %[x], %[x], %[quarter], lsl #1\n\t"
                     "sub %[rise], %[rise], %[quarter]\n\t"
                     "add %[fall], %[fall], %[quarter]\n\t"
                     "cmp %[i], #0x8000000\n\t"
                     "bne 1b"
                     : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [e] "=&r"(e), [f] "=&r"(f), [g] "=&r"(g),
                       [h] "=&r"(h), [i] "=&r"(i), [x] "+&r"(samples), [rise] "+&r"(rise), [fall] "+&r"(fall),
                       [order] "+m"(order), [at] "=m"(at)
                     : [quarter] "r"(4 * quarter), [shift] "r"(shift), [next] "m"(next), [work] "m"(work)
                     : "cc", "memory");
}

#endif
