/* SPDX-License-Identifier: MIT */
#include "scn_classifier.h"

#include "scn_crc.h"
#include "scn_port.h"

#include <string.h>

#if SCN_HAS_FRONTEND
#include "scn_clip.h"

_Static_assert(SCN_FRONTEND_FEATURES_BYTES == SCN_MODEL_INPUT_BYTES, "the front end's features must fill the input");
_Static_assert(SCN_FRONTEND_SAMPLE_BITS == 16 || SCN_FRONTEND_SAMPLE_BITS == 24,
               "samples are 2 or 3 bytes on the wire");
#endif

/* Front end and network never run at the same time, so they share memory. The features, which pass from one to the
 * other, lie outside it. */
static union {
    _Alignas(16) uint8_t arena[SCN_MODEL_ARENA_BYTES];
#if SCN_HAS_FRONTEND
    struct {
        _Alignas(8) int32_t work[SCN_FRONTEND_WORK_BYTES / sizeof(int32_t)];
        int32_t history[SCN_FRONTEND_HISTORY_BYTES / sizeof(int32_t)];
    } frontend;
#endif
} memory;

/* Scores of several outputs follow one another; the label is that of the first output's best. */
#ifdef SCN_MODEL_OUTPUT_COUNT
#define FIRST_OUTPUT_BYTES SCN_MODEL_OUTPUT0_BYTES
#else
#define FIRST_OUTPUT_BYTES SCN_MODEL_OUTPUT_BYTES
#endif

static int8_t input[SCN_MODEL_INPUT_BYTES];
static int8_t scores[SCN_MODEL_OUTPUT_BYTES];
static scn_input_mode_t input_mode;
static size_t input_filled;
static bool input_held;

#if SCN_HAS_FRONTEND
static scn_clip_t clip;
static uint64_t loud; /* sum of the absolute samples of `loud_count` */
static uint32_t loud_count;

static void begin_audio(void) {
    loud = loud_count = 0;
    scn_clip_begin(&clip, &scn_frontend_tables, memory.frontend.history, memory.frontend.work, input);
}

/* A live window is complete with its last column: samples after it, up to the length of a clip, belong to no column. */
static bool audio_complete(void) {
    return SCN_FRONTEND_CONTINUOUS && input_mode == SCN_INPUT_MODE_LIVE ? scn_clip_ready(&clip) : scn_clip_done(&clip);
}

#if SCN_FRONTEND_CONTINUOUS
/* Samples that the next frame shares with the last one, saved while the network uses the memory of the history. One
 * word more than necessary, because frames may share nothing. */
static int32_t shared[SCN_FRONTEND_N_FFT - SCN_FRONTEND_HOP_LENGTH + 1];

static void save_history(void) {
    memcpy(shared, memory.frontend.history, clip.filled * sizeof *shared);
}

static void slide(void) {
    loud = loud_count = 0;
    memcpy(memory.frontend.history, shared, clip.filled * sizeof *shared);
    scn_clip_slide(&clip, SCN_FRONTEND_SLIDE);
}
#else
static void save_history(void) {}

static void slide(void) {
    begin_audio();
}
#endif

static int32_t sample_at(const uint8_t *bytes) {
    uint32_t value = 0; /* left-aligned, so that the shift back extends the sign */
    for (uint32_t i = 0; i < SCN_SAMPLE_BYTES; i++) {
        value |= (uint32_t)bytes[i] << (32u - SCN_FRONTEND_SAMPLE_BITS + 8u * i);
    }
    return (int32_t)value >> (32 - SCN_FRONTEND_SAMPLE_BITS);
}

static bool push_sample(int32_t sample) {
    while (!audio_complete()) {
        if (scn_clip_push(&clip, &sample, 1) == 1) {
            loud += (uint32_t)(sample < 0 ? -sample : sample);
            loud_count++;
            return true;
        }
    }
    return false;
}

uint32_t scn_classifier_loudness(void) {
    return loud_count ? (uint32_t)(loud / loud_count) : 0u;
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
static void save_history(void) {}
static void slide(void) {}

uint32_t scn_classifier_loudness(void) {
    return 0;
}

static size_t push_audio(const uint8_t *bytes, size_t count) {
    (void)bytes;
    return count;
}
#endif

void scn_classifier_begin(scn_input_mode_t mode) {
    input_mode = mode;
    input_filled = 0;
    input_held = false;
    begin_audio();
}

size_t scn_classifier_push(const uint8_t *bytes, size_t count) {
    input_held = false;
    if (input_mode != SCN_INPUT_MODE_TENSOR) {
        return push_audio(bytes, count);
    }
    const size_t rest = sizeof input - input_filled, taken = count < rest ? count : rest;
    memcpy(input + input_filled, bytes, taken);
    input_filled += taken;
    return taken;
}

bool scn_classifier_complete(void) {
#if SCN_HAS_FRONTEND
    if (input_mode != SCN_INPUT_MODE_TENSOR) {
        return audio_complete();
    }
#endif
    return input_filled == sizeof input;
}

static void next_window(void) {
    if (input_mode == SCN_INPUT_MODE_LIVE) {
        slide();
    } else {
        scn_classifier_begin(input_mode);
    }
}

void scn_classifier_skip(void) {
    save_history();
    next_window();
}

const int8_t *scn_classifier_decide(scn_observer_t observer, void *context) {
    scn_port_alive();
    save_history();
    scn_model_put_inputs(&scn_model, memory.arena, input);
    scn_model_run(&scn_model, memory.arena, observer, context);
    scn_model_get_outputs(&scn_model, memory.arena, scores);
    next_window();
    input_held = input_mode != SCN_INPUT_MODE_LIVE; /* there the columns have been moved on */
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
    for (uint32_t i = 1; i < FIRST_OUTPUT_BYTES; i++) {
        best = values[i] > values[best] ? i : best;
    }
    return best;
}

#if SCN_HAS_FRONTEND
void scn_classifier_known_hops(scn_hop_t hop, void *context) {
    uint32_t pushed = 0;
    scn_classifier_begin(SCN_INPUT_MODE_CLIPS);
    for (uint32_t state = xorshift32(SCN_KNOWN_ANSWER_SEED);
         push_sample((int32_t)state >> (32 - SCN_FRONTEND_SAMPLE_BITS)); state = xorshift32(state)) {
        if (++pushed % SCN_FRONTEND_HOP_LENGTH == 0) {
            hop(context);
        }
    }
    hop(context); /* the remaining samples, and the columns that the end of the clip completes */
}

static void ignore_hop(void *context) {
    (void)context;
}

void scn_classifier_known_window(void) {
    scn_classifier_known_hops(ignore_hop, NULL);
}

static scn_selftest_t known_answer(void) {
    scn_classifier_known_window();
    if (scn_crc32(input, sizeof input) != SCN_KNOWN_ANSWER_FEATURES_CRC32) {
        return SCN_SELFTEST_FEATURES;
    }
    const int8_t *got = scn_classifier_decide(NULL, NULL);
    return memcmp(got, scn_known_answer_scores, sizeof scores) == 0 ? SCN_SELFTEST_PASS : SCN_SELFTEST_SCORES;
}
#else
void scn_classifier_known_window(void) {
    scn_classifier_begin(SCN_INPUT_MODE_TENSOR);
    memset(input, 0, sizeof input);
    input_filled = sizeof input;
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
