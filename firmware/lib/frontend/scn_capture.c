/* SPDX-License-Identifier: MIT */
#include "scn_capture.h"

#define CAPTURE_BITS 24u

static void begin(scn_capture_t *capture, uint32_t sample_bits) {
    scn_cic_begin(&capture->cic);
    scn_decimator_begin(&capture->decimator);
    capture->narrower = (uint8_t)(CAPTURE_BITS - sample_bits);
}

bool scn_capture_begin(scn_capture_t *capture, uint32_t capture_rate, uint32_t sample_rate, uint32_t sample_bits) {
    begin(capture, sample_bits);
    return scn_decimator_extend(&capture->decimator, capture_rate, sample_rate);
}

bool scn_capture_begin_pdm(scn_capture_t *capture, uint32_t capture_rate, uint32_t sample_rate, uint32_t sample_bits) {
    const uint32_t first = capture_rate ? capture_rate : sample_rate;
    begin(capture, sample_bits);
    return scn_decimator_extend(&capture->decimator, SCN_CIC_RATE, first) &&
           (first == sample_rate || scn_decimator_extend(&capture->decimator, first, sample_rate));
}

static int32_t narrowed(int32_t sample, uint32_t bits) {
    const int32_t most = (1 << (CAPTURE_BITS - 1u - bits)) - 1, value = (sample + (1 << (bits - 1u))) >> bits;
    return value > most ? most : value; /* rounding upwards cannot pass the lowest value */
}

size_t scn_capture_samples(scn_capture_t *capture, const int32_t *samples, size_t count, int32_t *out) {
    const size_t made = scn_decimator_push(&capture->decimator, samples, count, out);
    for (size_t i = 0; capture->narrower && i < made; i++) {
        out[i] = narrowed(out[i], capture->narrower);
    }
    return made;
}

/* Both also use `out` for the input of the filters: an interrupt has little stack. */
size_t scn_capture_i2s(scn_capture_t *capture, const uint16_t *halfwords, size_t frames, int32_t *out) {
    for (size_t i = 0; i < frames; i++, halfwords += SCN_CAPTURE_FRAME) {
        out[i] = (int32_t)((uint32_t)halfwords[0] << 16 | halfwords[1]) >> 8;
    }
    return scn_capture_samples(capture, out, frames, out);
}

size_t scn_capture_pdm(scn_capture_t *capture, const uint16_t *words, size_t count, int32_t *out) {
    scn_cic_push(&capture->cic, words, count, out);
    return scn_capture_samples(capture, out, count, out);
}
