/* SPDX-License-Identifier: MIT */
#include "scn_classifier.h"

#include "scn_crc.h"
#include "scn_port.h"

#include <string.h>

#if SCN_HAS_FRONTEND
_Static_assert(SCN_FRONTEND_SAMPLE_BITS == 16 || SCN_FRONTEND_SAMPLE_BITS == 24,
               "samples are 2 or 3 bytes on the wire");
#endif

static scn_pipeline_t pipeline;
static bool input_held;

uint32_t scn_classifier_loudness(void) {
    return scn_pipeline_loudness(&pipeline);
}

#if SCN_HAS_FRONTEND
static int32_t sample_at(const uint8_t *bytes) {
    uint32_t value = 0; /* left-aligned, so that the shift back extends the sign */
    for (uint32_t i = 0; i < SCN_SAMPLE_BYTES; i++) {
        value |= (uint32_t)bytes[i] << (32u - SCN_FRONTEND_SAMPLE_BITS + 8u * i);
    }
    return (int32_t)value >> (32 - SCN_FRONTEND_SAMPLE_BITS);
}

static size_t push_audio(const uint8_t *bytes, size_t count) {
    size_t taken = 0;
    while (taken + SCN_SAMPLE_BYTES <= count && scn_pipeline_push_sample(&pipeline, sample_at(bytes + taken))) {
        taken += SCN_SAMPLE_BYTES;
    }
    return taken;
}
#else
static size_t push_audio(const uint8_t *bytes, size_t count) {
    (void)bytes;
    return count;
}
#endif

void scn_classifier_begin(scn_input_mode_t mode) {
    input_held = false;
    scn_pipeline_begin(&pipeline, mode);
}

void scn_classifier_reset(void) {
    scn_pipeline_reset(&pipeline);
}

size_t scn_classifier_push(const uint8_t *bytes, size_t count) {
    input_held = false;
    return pipeline.mode == SCN_INPUT_MODE_TENSOR ? scn_pipeline_push_tensor(&pipeline, bytes, count)
                                                  : push_audio(bytes, count);
}

bool scn_classifier_complete(void) {
    return scn_pipeline_complete(&pipeline);
}

bool scn_classifier_silent(void) {
    return scn_pipeline_silent(&pipeline);
}

void scn_classifier_skip(void) {
    scn_pipeline_skip(&pipeline);
}

const int8_t *scn_classifier_decide(scn_observer_t observer, void *context) {
    scn_port_alive();
    scn_pipeline_decide(&pipeline, observer, context);
    input_held = pipeline.mode != SCN_INPUT_MODE_LIVE; /* there the columns have been moved on */
    return pipeline.scores;
}

const int8_t *scn_classifier_answer(void) {
    return scn_pipeline_answer(&pipeline);
}

const int8_t *scn_classifier_input(void) {
    return pipeline.input;
}

bool scn_classifier_input_held(void) {
    return input_held;
}

uint32_t scn_classifier_best(const int8_t *values) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < SCN_PIPELINE_CLASSES; i++) {
        best = values[i] > values[best] ? i : best;
    }
    return best;
}

#if SCN_HAS_FRONTEND
void scn_classifier_known_hops(scn_hop_t hop, void *context) {
    input_held = false;
    scn_selftest_window(&pipeline, hop, context);
}

void scn_classifier_known_window(void) {
    scn_classifier_known_hops(NULL, NULL);
}

static scn_selftest_t known_answer(void) {
    scn_classifier_known_window();
    if (scn_crc32(pipeline.input, sizeof pipeline.input) != SCN_KNOWN_ANSWER_FEATURES_CRC32) {
        return SCN_SELFTEST_FEATURES;
    }
    const int8_t *got = scn_classifier_decide(NULL, NULL);
    return memcmp(got, scn_known_answer_scores, sizeof pipeline.scores) == 0 ? SCN_SELFTEST_PASS : SCN_SELFTEST_SCORES;
}
#else
void scn_classifier_known_window(void) {
    scn_classifier_begin(SCN_INPUT_MODE_TENSOR);
    memset(pipeline.input, 0, sizeof pipeline.input);
    pipeline.filled = sizeof pipeline.input;
}

void scn_classifier_known_hops(scn_hop_t hop, void *context) {
    (void)hop;
    (void)context;
    scn_classifier_known_window();
}

static scn_selftest_t known_answer(void) {
    return SCN_SELFTEST_NONE;
}
#endif

static bool intact(void) {
    const scn_port_image_t image = scn_port_image();
    return scn_crc32(image.bytes, image.count) == image.crc32;
}

scn_selftest_t scn_classifier_selftest(void) {
    return intact() ? known_answer() : SCN_SELFTEST_FLASH;
}
