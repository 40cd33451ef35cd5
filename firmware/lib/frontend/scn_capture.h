/* SPDX-License-Identifier: MIT */
/* Converts the output of a microphone to the front end's rate and sample width: docs/FRONTEND.md, "Decimation". */
#ifndef SCN_CAPTURE_H
#define SCN_CAPTURE_H

#include "scn_cic.h"
#include "scn_decimator.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Halfwords of an I2S frame: two channels of 32 bits, of which the left one's first 24 count. */
#define SCN_CAPTURE_FRAME 4u

typedef struct {
    scn_cic_t cic;
    scn_decimator_t decimator;
    uint8_t narrower; /* bits that are rounded away at the end: 0 or 8 */
} scn_capture_t;

/* Begin with silence, for samples or frames at `capture_rate`. False where no filters lead from there. */
bool scn_capture_begin(scn_capture_t *capture, uint32_t capture_rate, uint32_t sample_rate, uint32_t sample_bits);

/* The same for PDM, which is first brought to `capture_rate`; 0 where the front end was trained with none: then
 * straight to `sample_rate`. */
bool scn_capture_begin_pdm(scn_capture_t *capture, uint32_t capture_rate, uint32_t sample_rate, uint32_t sample_bits);

/* Each takes `count` of its units, has room for as many samples in `out`, which may be `samples`, and returns how many
 * it wrote. Blocks of any size give the same samples as one large one. */
size_t scn_capture_samples(scn_capture_t *capture, const int32_t *samples, size_t count, int32_t *out);
size_t scn_capture_i2s(scn_capture_t *capture, const uint16_t *halfwords, size_t frames, int32_t *out);
size_t scn_capture_pdm(scn_capture_t *capture, const uint16_t *words, size_t count, int32_t *out);

#ifdef __cplusplus
}
#endif

#endif
