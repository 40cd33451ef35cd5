/* SPDX-License-Identifier: MIT */
/* Any samples in blocks of any size into front ends of extreme settings (subjects.h). */
#include "fuzz.h"
#include "scn_clip.h"
#include "subjects.h"

#define MOST_BANDS 256u

/* An amplitude, and noise or a pattern below it: full scale, silence and a single bit included. */
typedef struct {
    uint32_t state;
    int32_t low, high;
    uint8_t kind;
} source_t;

static source_t draw_source(fuzz_input_t *input, uint32_t bits) {
    const int32_t most = (1 << (bits - 1u)) - 1;
    source_t source = {.kind = fuzz_byte(input), .state = fuzz_word(input) | 1u};
    source.low = fuzz_extreme(input, -most - 1, most);
    source.high = fuzz_extreme(input, -most - 1, most);
    return source;
}

static int32_t next_sample(source_t *source) {
    source->state ^= source->state << 13;
    source->state ^= source->state >> 17;
    source->state ^= source->state << 5;
    const bool up = source->kind & 1u ? source->state >> 31 : (source->kind >> (1u + (source->state >> 30))) & 1u;
    return up ? source->high : source->low;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    fuzz_input_t input = {bytes, bytes + count};
    const scn_frontend_tables_t *tables = fuzz_frontends[fuzz_below(&input, fuzz_frontend_count)];
    const size_t words = tables->n_fft, map = (size_t)tables->n_mels * tables->frames;
    int32_t *history = fuzz_memory(words * 4u), *work = fuzz_memory(words * 4u), *block = fuzz_memory(words * 4u);
    int8_t *features = fuzz_memory(map);
    int32_t log_mel[MOST_BANDS];
    scn_clip_t clip;
    scn_clip_begin(&clip, tables, history, work, features);
    for (int turn = 0; turn < 2 && !scn_clip_done(&clip); turn++) {
        source_t source = draw_source(&input, tables->sample_bits);
        const size_t pushed = 1u + fuzz_below(&input, (uint32_t)words);
        for (size_t i = 0; i < pushed; i++) {
            block[i] = next_sample(&source);
        }
        const size_t taken = scn_clip_push(&clip, block, pushed);
        FUZZ_REQUIRE(taken <= pushed && clip.filled < tables->n_fft && clip.column <= tables->frames);
        if (scn_clip_ready(&clip) && !tables->padded && !scn_clip_done(&clip)) {
            scn_clip_slide(&clip, (uint16_t)(1u + fuzz_below(&input, tables->frames)));
            FUZZ_REQUIRE(clip.column < tables->frames);
        }
    }
    if (fuzz_byte(&input) & 1u) {
        source_t source = draw_source(&input, tables->sample_bits);
        for (size_t i = 0; i < words; i++) {
            block[i] = next_sample(&source);
        }
        scn_frontend_log_mel(tables, block, work, log_mel);
    }
    free(history), free(work), free(block), free(features);
    return 0;
}
