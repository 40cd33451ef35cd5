/* SPDX-License-Identifier: MIT */
/* Any samples, frames of I2S or words of PDM in blocks of any size, through filters between any rates. */
#include "fuzz.h"
#include "scn_capture.h"

#define MOST 160u

typedef struct {
    uint8_t kind; /* 0: samples, 1: I2S, 2: PDM */
    uint32_t capture_rate, sample_rate, sample_bits;
} way_t;

static bool begin(scn_capture_t *capture, const way_t *way) {
    return way->kind == 2u ? scn_capture_begin_pdm(capture, way->capture_rate, way->sample_rate, way->sample_bits)
                           : scn_capture_begin(capture, way->capture_rate, way->sample_rate, way->sample_bits);
}

/* Units from `from` on; both input and output have exactly the size that the header demands. */
static size_t push(scn_capture_t *capture, const way_t *way, const void *units, size_t count, int32_t *out) {
    switch (way->kind) {
    case 0:
        return scn_capture_samples(capture, units, count, out);
    case 1:
        return scn_capture_i2s(capture, units, count, out);
    default:
        return scn_capture_pdm(capture, units, count, out);
    }
}

static size_t push_copy(scn_capture_t *capture, const way_t *way, const uint8_t *from, size_t count, int32_t *to) {
    const size_t unit = way->kind == 0 ? sizeof(int32_t) : way->kind == 1u ? 8u : 2u;
    void *units = fuzz_memory(count * unit);
    int32_t *out = fuzz_memory(count * sizeof *out);
    memcpy(units, from, count * unit);
    const size_t made = push(capture, way, units, count, out);
    FUZZ_REQUIRE(made <= count);
    for (size_t i = 0; i < made; i++) {
        FUZZ_REQUIRE(out[i] >= -(1 << (way->sample_bits - 1u)) && out[i] < 1 << (way->sample_bits - 1u));
        to[i] = out[i];
    }
    free(units);
    free(out);
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static const uint32_t rates[] = {0, 8000, 16000, 32000, 48000, 64000, 44100};
    static scn_capture_t whole, parts;
    static union {
        uint8_t bytes[8u * MOST];
        int32_t samples[2u * MOST];
    } units;
    static int32_t expected[MOST], got[MOST];
    fuzz_input_t input = {bytes, bytes + count};
    const way_t way = {(uint8_t)fuzz_below(&input, 3u), rates[fuzz_below(&input, 7u)], rates[fuzz_below(&input, 7u)],
                       fuzz_byte(&input) & 1u ? 16u : 24u};
    const uint32_t total = fuzz_below(&input, MOST) + 1u, block = fuzz_below(&input, 200u) + 1u;
    if (!begin(&whole, &way)) {
        return 0;
    }
    FUZZ_REQUIRE(begin(&parts, &way));
    fuzz_fill(&input, units.bytes, sizeof units.bytes);
    size_t rest;
    const uint8_t *tail = fuzz_run(&input, sizeof units.bytes, &rest);
    memcpy(units.bytes, tail, rest);
    for (size_t i = 0; way.kind == 0 && i < MOST; i++) { /* samples are of 24 bits */
        units.samples[i] = (int32_t)((uint32_t)units.samples[i] << 8) >> 8;
    }
    const size_t unit = way.kind == 0 ? 4u : way.kind == 1u ? 8u : 2u;
    const size_t made = push_copy(&whole, &way, units.bytes, total, expected);
    size_t again = 0;
    for (uint32_t at = 0; at < total; at += block) {
        again += push_copy(&parts, &way, units.bytes + at * unit, total - at < block ? total - at : block, got + again);
    }
    FUZZ_REQUIRE(again == made && memcmp(expected, got, made * sizeof *got) == 0);
    return 0;
}
