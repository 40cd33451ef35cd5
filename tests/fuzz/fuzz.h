/* SPDX-License-Identifier: MIT */
/* Reads numbers out of a fuzzer's bytes. Where no bytes are left, every number is 0, so that an input always ends. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* A promise of the code under test: where it is broken, the fuzzer stops and keeps the input. */
#define FUZZ_REQUIRE(condition)                                                                                        \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

typedef struct {
    const uint8_t *at, *end;
} fuzz_input_t;

static inline size_t fuzz_left(const fuzz_input_t *input) {
    return (size_t)(input->end - input->at);
}

static inline uint8_t fuzz_byte(fuzz_input_t *input) {
    return fuzz_left(input) ? *input->at++ : 0u;
}

static inline uint32_t fuzz_word(fuzz_input_t *input) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        value = value << 8 | fuzz_byte(input);
    }
    return value;
}

/* 0 .. bound - 1; takes one byte for bounds up to 256, else four. */
static inline uint32_t fuzz_below(fuzz_input_t *input, uint32_t bound) {
    return (bound <= 256u ? fuzz_byte(input) : fuzz_word(input)) % bound;
}

static inline int32_t fuzz_between(fuzz_input_t *input, int32_t least, int32_t most) {
    return least + (int32_t)fuzz_below(input, (uint32_t)(most - least) + 1u);
}

/* A number from `least` to `most`, an end of the range every other time. */
static inline int32_t fuzz_extreme(fuzz_input_t *input, int32_t least, int32_t most) {
    switch (fuzz_byte(input) & 3u) {
    case 0:
        return least;
    case 1:
        return most;
    default:
        return (int32_t)(least + (int64_t)(fuzz_word(input) % ((uint64_t)((int64_t)most - least) + 1u)));
    }
}

/* At most `most` bytes of the input itself; their number in `count`. */
static inline const uint8_t *fuzz_run(fuzz_input_t *input, size_t most, size_t *count) {
    const uint8_t *start = input->at;
    *count = fuzz_left(input) < most ? fuzz_left(input) : most;
    input->at += *count;
    return start;
}

/* Fill memory: a pattern of up to 16 bytes, again and again, so that few bytes of input reach all of it. */
static inline void fuzz_fill(fuzz_input_t *input, void *memory, size_t size) {
    size_t period;
    const uint8_t *pattern = fuzz_run(input, 1u + fuzz_below(input, 16u), &period);
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)memory)[i] = period ? pattern[i % period] : 0u;
    }
}

/* Memory of exactly `size` bytes, so that AddressSanitizer sees the first byte beyond it. */
static inline void *fuzz_memory(size_t size) {
    void *memory = malloc(size ? size : 1u);
    FUZZ_REQUIRE(memory);
    return memory;
}

#endif
