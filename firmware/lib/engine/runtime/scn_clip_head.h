/* SPDX-License-Identifier: MIT */
/* The clip head: a layer behind a network that classifies the last windows together, by statistics of their embeddings.
 * python/scenelet/tflite/clip_head.py states the arithmetic and computes the same bits. */
#ifndef SCN_CLIP_HEAD_H
#define SCN_CLIP_HEAD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Statistics of an embedding's values over the remembered windows; a head has some of them, in this order. */
#define SCN_CLIP_MEAN 1u
#define SCN_CLIP_MAX 2u
#define SCN_CLIP_DEVIATION 4u

/* Constants of a head. inputs = number of its statistics * width. */
typedef struct {
    const int8_t *weights; /* [classes][inputs], statistic by statistic */
    const int32_t *bias;   /* [classes], at most 2^28 either way */
    int32_t multiplier;    /* a class's logit in sixteenths is its sum * multiplier / 2^shift, rounded half up */
    uint8_t shift;         /* 1 to 62 */
    uint8_t statistics;    /* SCN_CLIP_MEAN | ... */
    uint8_t windows;       /* remembered at most, 1 to 32 */
    uint16_t width;        /* values of an embedding, 1 to 1024 */
    uint16_t classes;      /* 1 to 256 */
    uint16_t step;         /* after this step of the model ... */
    uint32_t offset;       /* ... the embedding lies here, bytes from the arena's start */
} scn_clip_head_t;

/* What is remembered. The caller owns it and the arrays, and sets the pointers once. */
typedef struct {
    int8_t *embeddings;   /* [windows][width], INT8 */
    uint16_t *statistics; /* [inputs], for scn_clip_head_push, 1/16, 0 to 4080 */
    int32_t *logits;      /* [classes], for scn_clip_head_push */
    uint8_t filled;       /* windows that are remembered */
    uint8_t next;         /* place of the next one */
} scn_clip_memory_t;

/* Forget all windows. */
void scn_clip_head_reset(scn_clip_memory_t *memory);

/* Remember the embedding (width values) of a window in place of the oldest one, and give the scores of all that are
 * remembered: [classes], INT8 with scale 1/256 and zero point -128. */
void scn_clip_head_push(const scn_clip_head_t *head, scn_clip_memory_t *memory, const int8_t *embedding,
                        int8_t *scores);

#ifdef __cplusplus
}
#endif

#endif
