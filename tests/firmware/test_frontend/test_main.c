/* The front end as compiled for the board against the NumPy model, bit for bit, and within its memory. */
#include "check.h"
#include <scn_clip.h>
#include <scn_frontend.h>
#include <scn_port.h> /* named here so that PlatformIO links what check.h uses */
#include <scn_text.h>
#include <string.h>

typedef struct {
    const scn_frontend_tables_t *tables;
    uint32_t quieter; /* right shift of the noise */
    const int8_t *want;
    size_t want_bytes;
} vector_t;

#include "vectors.h"

enum { LARGEST_CLIP = 8000, LARGEST_FFT = 2048, LARGEST_MAP = 140 * 8, GUARD = 4, FILL = 0x5a5a5a5a };

static const vector_t *current;
static int32_t clip[LARGEST_CLIP], history[GUARD + LARGEST_FFT + GUARD];
static _Alignas(8) int32_t work[GUARD + LARGEST_FFT + GUARD];
static int8_t features[LARGEST_MAP + GUARD];

/* Xorshift32 from seed 1; make_vectors.py has the same. */
static void noise(int32_t *samples, uint32_t count, uint32_t bits, uint32_t quieter) {
    uint32_t state = 1;
    for (uint32_t i = 0; i < count; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        samples[i] = (int32_t)state >> (32 - bits + quieter);
    }
}

static void prepare(void) {
    const scn_frontend_tables_t *tables = current->tables;
    noise(clip, tables->clip_samples, tables->sample_bits, current->quieter);
    memset(history, FILL & 0xff, sizeof history);
    memset(work, FILL & 0xff, sizeof work);
    memset(features, FILL & 0xff, sizeof features);
}

static bool intact(const int32_t *memory, size_t used) {
    bool whole = true;
    for (size_t i = 0; i < GUARD; i++) {
        whole = whole && memory[i] == FILL && memory[GUARD + used + i] == FILL;
    }
    return whole;
}

static void check_memory(void) {
    const size_t n_fft = current->tables->n_fft;
    CHECK(intact(history, n_fft));
    CHECK(intact(work, n_fft));
    for (size_t i = 0; i < GUARD; i++) {
        CHECK_EQUAL(features[current->want_bytes + i], FILL & 0xff);
    }
}

static void check_features(void) {
    for (size_t i = 0; i < current->want_bytes; i++) {
        CHECK_EQUAL(features[i], current->want[i]);
    }
}

static void test_whole_clip(void) {
    prepare();
    scn_clip_features(current->tables, clip, history + GUARD, work + GUARD, features);
    check_features();
    if (!check.failed) {
        check_memory();
    }
}

static void test_blocks(void) {
    const uint32_t total = current->tables->clip_samples;
    scn_clip_t state;
    prepare();
    scn_clip_begin(&state, current->tables, history + GUARD, work + GUARD, features);
    for (uint32_t at = 0; at < total;) {
        const uint32_t count = total - at < 77 ? total - at : 77;
        at += (uint32_t)scn_clip_push(&state, clip + at, count);
    }
    CHECK(scn_clip_ready(&state));
    CHECK(scn_clip_done(&state));
    CHECK_EQUAL(scn_clip_push(&state, clip, 1), 0);
    check_features();
}

static void test_frame_keeps_samples(void) {
    const scn_frontend_tables_t *tables = current->tables;
    prepare();
    memcpy(history + GUARD, clip, tables->n_fft * sizeof *clip);
    scn_frontend_frame(tables, history + GUARD, work + GUARD, features, 1);
    CHECK_EQUAL(memcmp(history + GUARD, clip, tables->n_fft * sizeof *clip), 0);
    CHECK(intact(work, tables->n_fft));
    CHECK_EQUAL(features[tables->n_mels], FILL & 0xff);
}

/* Sliding by one column equals starting a hop later. */
static void test_slide(void) {
    static int8_t later[LARGEST_MAP];
    const scn_frontend_tables_t *tables = &tables_short;
    const size_t map_bytes = (size_t)tables->n_mels * tables->frames;
    const uint32_t hop = tables->hop_length, total = tables->clip_samples;
    scn_clip_t state;
    noise(clip, total + hop, tables->sample_bits, 3);
    scn_clip_features(tables, clip + hop, history, work, later);
    scn_clip_begin(&state, tables, history, work, features);
    uint32_t at = 0;
    while (!scn_clip_ready(&state)) {
        at += (uint32_t)scn_clip_push(&state, clip + at, 50);
    }
    scn_clip_slide(&state, 1);
    CHECK(!scn_clip_ready(&state));
    while (!scn_clip_ready(&state)) {
        at += (uint32_t)scn_clip_push(&state, clip + at, 50);
    }
    CHECK_EQUAL(memcmp(features, later, map_bytes), 0);
}

int main(void) {
    check_begin();
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        current = &vectors[i];
        RUN(test_whole_clip);
        RUN(test_blocks);
        RUN(test_frame_keeps_samples);
    }
    RUN(test_slide);
    return check_end();
}
