/* From a microphone's rate to the front end's: FIR stages with 24-bit samples, and a CIC for PDM. Exact sums of 64
 * bits, rounded once; docs/FRONTEND.md specifies every bit. */
#ifndef SCN_DECIMATOR_H
#define SCN_DECIMATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCN_DECIMATOR_STAGES 3u
#define SCN_FIR_LINE 160u /* the longest filter, 97 samples, and room to move them seldom */

/* A symmetric filter that keeps every `factor`-th output. Taps are Q30. */
typedef struct {
    const int32_t *outer; /* `pairs` taps on one side of the centre, the farthest first; `pairs` is even */
    int32_t centre;
    uint8_t pairs;
    uint8_t factor;
    bool halfband; /* every second tap is zero: `outer` holds those at the distances 1, 3, 5 .. */
} scn_fir_t;

/* One stage at work. A half-band filter meets its centre in the even samples and all other taps in the odd ones, so
 * the two have lines of their own; other filters use `line[1]` only. */
typedef struct {
    const scn_fir_t *fir;
    int32_t line[2][SCN_FIR_LINE];
    uint16_t end;  /* in both lines: one past the newest sample */
    uint8_t phase; /* samples since the last output */
} scn_fir_stage_t;

typedef struct {
    scn_fir_stage_t stage[SCN_DECIMATOR_STAGES];
    uint8_t stages;
} scn_decimator_t;

/* Begin with silence. Rates in Hz: 16000, 32000, 48000 or 64000 (what scn_cic_push gives) to 8000, and the last three
 * to 16000. False where there is no such way. */
bool scn_decimator_begin(scn_decimator_t *decimator, uint32_t rate_in, uint32_t rate_out);

/* Take `count` samples of 24 bits; returns how many were written to `out`, which may be `in`. Blocks of any size give
 * the same samples as one large one. */
size_t scn_decimator_push(scn_decimator_t *decimator, const int32_t *in, size_t count, int32_t *out);

/* PDM at 1.024 MHz to samples at 64 kHz. */
typedef struct {
    uint32_t sum[5], before[5]; /* modulo 2^32: what overflows in the sums is taken back by the differences */
    bool odd;                   /* half of the bits of an output have come */
} scn_cic_t;

/* Begin with nothing heard. */
void scn_cic_begin(scn_cic_t *cic);

/* Take bytes, the first bit in the highest place; 1 is up. Every second byte gives a sample of 24 bits; returns how
 * many. */
size_t scn_cic_push(scn_cic_t *cic, const uint8_t *bytes, size_t count, int32_t *out);

#endif
