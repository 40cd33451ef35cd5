/* SPDX-License-Identifier: MIT */
/* Decimation from a microphone's rate to the front end's by FIR stages, 24-bit samples. Exact sums of 64 bits,
 * rounded once; docs/SPEC.md specifies every bit. */
#ifndef SCN_DECIMATOR_H
#define SCN_DECIMATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SCN_DECIMATOR_STAGES 3u
/* Samples that fit a line before those still needed move to its beginning: moves then cost a few per cent. */
#define SCN_FIR_ROOM 64u
/* Lines of the longest chain, 64 to 16 to 8 kHz: filters that need 25, twice 32 and twice 32 samples. */
#define SCN_DECIMATOR_WORDS (25u + 64u + 64u + 5u * SCN_FIR_ROOM)

/* A symmetric filter that keeps every `factor`-th output. Taps are Q30. */
typedef struct {
    const int32_t *outer; /* `pairs` taps on one side of the centre, the farthest first; `pairs` is even */
    int32_t centre;
    uint8_t pairs;
    uint8_t factor;
    bool halfband; /* every second tap is zero: `outer` holds those at the distances 1, 3, 5 .. */
} scn_fir_t;

/* State of a stage. A half-band filter has its centre tap at even samples and all others at odd ones, so the two have
 * lines of their own; other filters use `line[1]` only. */
typedef struct {
    const scn_fir_t *fir;
    int32_t *line[2];
    uint16_t size;
    uint16_t end;  /* in both lines: one past the newest sample */
    uint8_t phase; /* samples since the last output */
} scn_fir_stage_t;

typedef struct {
    scn_fir_stage_t stage[SCN_DECIMATOR_STAGES];
    int32_t words[SCN_DECIMATOR_WORDS];
    uint16_t used; /* of `words` */
    uint8_t stages;
} scn_decimator_t;

/* Begin with silence and without filters. */
void scn_decimator_begin(scn_decimator_t *decimator);

/* Add the filters from one rate to another, in Hz: 16000, 32000, 48000 or 64000 (what scn_cic_push gives) to 8000, and
 * the last three to 16000; equal rates need none. A second call appends its filters. False where there are no such
 * filters or no room. */
bool scn_decimator_extend(scn_decimator_t *decimator, uint32_t rate_in, uint32_t rate_out);

/* Take `count` samples of 24 bits; returns how many were written to `out`, which may be `in`. Blocks of any size give
 * the same samples as one large one. */
size_t scn_decimator_push(scn_decimator_t *decimator, const int32_t *in, size_t count, int32_t *out);

#ifdef __cplusplus
}
#endif

#endif
