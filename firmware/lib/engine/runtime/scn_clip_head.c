/* SPDX-License-Identifier: MIT */
#include "scn_clip_head.h"

#include <string.h>

#define MOST_DISTANCE 255 /* below the largest logit, in sixteenths: exp(-16) of it is no score */

void scn_clip_head_reset(scn_clip_memory_t *memory) {
    memory->filled = memory->next = 0;
}

/* The root, rounded down, bit by bit from the highest. */
static uint32_t root(uint32_t square) {
    uint32_t found = 0;
    for (uint32_t bit = UINT32_C(1) << 30; bit; bit >>= 2) {
        const uint32_t tried = found + bit;
        found >>= 1;
        if (square >= tried) {
            square -= tried;
            found += bit;
        }
    }
    return found;
}

/* Statistics of one value of the embeddings, `inputs` apart by `width`. With 32 windows of values up to 255, 256 times
 * n^2 times a variance is below 2^32. */
static void describe(const scn_clip_head_t *head, const scn_clip_memory_t *memory, uint32_t value) {
    const uint32_t count = memory->filled;
    uint32_t sum = 0, squares = 0, most = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t one = (uint32_t)(memory->embeddings[i * head->width + value] + 128);
        sum += one;
        squares += one * one;
        most = one > most ? one : most;
    }
    uint16_t *place = memory->statistics + value;
    if (head->statistics & SCN_CLIP_MEAN) {
        *place = (uint16_t)((32u * sum + count) / (2u * count));
        place += head->width;
    }
    if (head->statistics & SCN_CLIP_MAX) {
        *place = (uint16_t)(16u * most);
        place += head->width;
    }
    if (head->statistics & SCN_CLIP_DEVIATION) {
        *place = (uint16_t)((2u * root(256u * (count * squares - sum * sum)) + count) / (2u * count));
    }
}

static uint32_t inputs_of(const scn_clip_head_t *head) {
    const uint32_t kinds = head->statistics;
    return head->width * ((kinds & 1u) + (kinds >> 1 & 1u) + (kinds >> 2 & 1u));
}

/* At most 3 * 1024 products of 127 and 4080, and a bias: below 2^31. */
static int32_t logit(const scn_clip_head_t *head, const uint16_t *statistics, uint32_t label) {
    const uint32_t inputs = inputs_of(head);
    const int8_t *weights = head->weights + label * inputs;
    int32_t sum = head->bias[label];
    for (uint32_t i = 0; i < inputs; i++) {
        sum += weights[i] * (int32_t)statistics[i];
    }
    const int64_t product = (int64_t)sum * head->multiplier + (INT64_C(1) << (head->shift - 1));
    const int64_t scaled = product >> head->shift; /* arithmetic: it rounds down */
    return scaled > INT32_MAX ? INT32_MAX : scaled < INT32_MIN ? INT32_MIN : (int32_t)scaled;
}

/* 65536 exp(-distance / 16), by the bits of the distance. */
static uint32_t power(uint32_t distance) {
    static const uint16_t powers[8] = {61565, 57835, 51039, 39750, 24109, 8869, 1200, 22};
    uint32_t value = 65536;
    for (uint32_t bit = 0; bit < 8; bit++) {
        if (distance >> bit & 1u) {
            value = (value * powers[bit] + 32768u) >> 16;
        }
    }
    return value;
}

static void softmax(const scn_clip_head_t *head, int32_t *logits, int8_t *scores) {
    int32_t most = logits[0];
    uint32_t total = 0;
    for (uint32_t i = 1; i < head->classes; i++) {
        most = logits[i] > most ? logits[i] : most;
    }
    for (uint32_t i = 0; i < head->classes; i++) {
        const int64_t distance = (int64_t)most - logits[i];
        logits[i] = (int32_t)power(distance > MOST_DISTANCE ? MOST_DISTANCE : (uint32_t)distance);
        total += (uint32_t)logits[i];
    }
    for (uint32_t i = 0; i < head->classes; i++) {
        const int32_t score = (int32_t)((256u * (uint32_t)logits[i] + total / 2u) / total) - 128;
        scores[i] = (int8_t)(score > INT8_MAX ? INT8_MAX : score);
    }
}

void scn_clip_head_push(const scn_clip_head_t *head, scn_clip_memory_t *memory, const int8_t *embedding,
                        int8_t *scores) {
    memcpy(memory->embeddings + (size_t)memory->next * head->width, embedding, head->width);
    memory->next = (uint8_t)((memory->next + 1u) % head->windows);
    memory->filled = (uint8_t)(memory->filled < head->windows ? memory->filled + 1u : head->windows);
    for (uint32_t value = 0; value < head->width; value++) {
        describe(head, memory, value);
    }
    for (uint32_t label = 0; label < head->classes; label++) {
        memory->logits[label] = logit(head, memory->statistics, label);
    }
    softmax(head, memory->logits, scores);
}
