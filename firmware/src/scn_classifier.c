#include "scn_classifier.h"

#include "scn_crc.h"

#include <string.h>

#if SCN_HAS_FRONTEND
#include "scn_clip.h"

_Static_assert(SCN_FRONTEND_FEATURES_BYTES == SCN_MODEL_INPUT_BYTES, "the front end's features must fill the input");
_Static_assert(SCN_FRONTEND_SAMPLE_BITS == 16 || SCN_FRONTEND_SAMPLE_BITS == 24,
               "samples are 2 or 3 bytes on the wire");
#endif

/* The front end listens while the network sleeps, and the other way round: they share memory. What passes from one to
 * the other, the features, lies outside. */
static union {
    _Alignas(16) uint8_t arena[SCN_MODEL_ARENA_BYTES];
#if SCN_HAS_FRONTEND
    struct {
        _Alignas(8) int32_t work[SCN_FRONTEND_WORK_BYTES / sizeof(int32_t)];
        int32_t history[SCN_FRONTEND_HISTORY_BYTES / sizeof(int32_t)];
    } listening;
#endif
} memory;

static int8_t input[SCN_MODEL_INPUT_BYTES];
static int8_t scores[SCN_MODEL_OUTPUT_BYTES];
static bool hears_audio;
static size_t input_filled;
static bool input_held;

#if SCN_HAS_FRONTEND
static scn_clip_t clip;

static void begin_audio(void) {
    scn_clip_begin(&clip, &scn_frontend_tables, memory.listening.history, memory.listening.work, input);
}

static int32_t sample_at(const uint8_t *bytes) {
    uint32_t value = 0; /* left-aligned, so that the shift back extends the sign */
    for (uint32_t i = 0; i < SCN_SAMPLE_BYTES; i++) {
        value |= (uint32_t)bytes[i] << (32u - SCN_FRONTEND_SAMPLE_BITS + 8u * i);
    }
    return (int32_t)value >> (32 - SCN_FRONTEND_SAMPLE_BITS);
}

static bool push_sample(int32_t sample) {
    while (!scn_clip_done(&clip)) {
        if (scn_clip_push(&clip, &sample, 1) == 1) {
            return true;
        }
    }
    return false;
}

static size_t push_audio(const uint8_t *bytes, size_t count) {
    size_t taken = 0;
    while (taken + SCN_SAMPLE_BYTES <= count && push_sample(sample_at(bytes + taken))) {
        taken += SCN_SAMPLE_BYTES;
    }
    return taken;
}

static uint32_t xorshift32(uint32_t state) {
    state ^= state << 13;
    state ^= state >> 17;
    return state ^ state << 5;
}
#else
static void begin_audio(void) {}

static size_t push_audio(const uint8_t *bytes, size_t count) {
    (void)bytes;
    return count;
}
#endif

void scn_classifier_begin(bool audio) {
    hears_audio = audio;
    input_filled = 0;
    input_held = false;
    begin_audio();
}

size_t scn_classifier_push(const uint8_t *bytes, size_t count) {
    input_held = false;
    if (hears_audio) {
        return push_audio(bytes, count);
    }
    const size_t rest = sizeof input - input_filled, taken = count < rest ? count : rest;
    memcpy(input + input_filled, bytes, taken);
    input_filled += taken;
    return taken;
}

bool scn_classifier_complete(void) {
#if SCN_HAS_FRONTEND
    if (hears_audio) {
        return scn_clip_done(&clip);
    }
#endif
    return input_filled == sizeof input;
}

const int8_t *scn_classifier_decide(scn_observer_t observer, void *context) {
    memcpy(memory.arena + scn_model.input_offset, input, sizeof input);
    scn_model_run(&scn_model, memory.arena, observer, context);
    memcpy(scores, memory.arena + scn_model.output_offset, sizeof scores);
    scn_classifier_begin(hears_audio);
    input_held = true;
    return scores;
}

const int8_t *scn_classifier_input(void) {
    return input;
}

bool scn_classifier_input_held(void) {
    return input_held;
}

uint32_t scn_classifier_best(const int8_t *values) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < SCN_MODEL_OUTPUT_BYTES; i++) {
        best = values[i] > values[best] ? i : best;
    }
    return best;
}

#if SCN_HAS_FRONTEND
void scn_classifier_known_window(void) {
    scn_classifier_begin(true);
    for (uint32_t state = xorshift32(SCN_KNOWN_ANSWER_SEED);
         push_sample((int32_t)state >> (32 - SCN_FRONTEND_SAMPLE_BITS)); state = xorshift32(state)) {
    }
}

scn_selftest_t scn_classifier_selftest(void) {
    scn_classifier_known_window();
    if (scn_crc32(input, sizeof input) != SCN_KNOWN_ANSWER_FEATURES_CRC32) {
        return SCN_SELFTEST_FEATURES;
    }
    const int8_t *got = scn_classifier_decide(NULL, NULL);
    return memcmp(got, scn_known_answer_scores, sizeof scores) == 0 ? SCN_SELFTEST_PASS : SCN_SELFTEST_SCORES;
}
#else
void scn_classifier_known_window(void) {
    scn_classifier_begin(false);
    memset(input, 0, sizeof input);
    input_filled = sizeof input;
}

scn_selftest_t scn_classifier_selftest(void) {
    return SCN_SELFTEST_NONE;
}
#endif
