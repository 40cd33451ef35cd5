/* SPDX-License-Identifier: MIT */
#include "scn_clip.h"

#include <string.h>

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

void scn_clip_begin(scn_clip_t *clip, const scn_frontend_tables_t *tables, int32_t *history, int32_t *work,
                    int8_t *features) {
    *clip = (scn_clip_t){
        .tables = tables, .history = history, .work = work, .features = features, .filled = tables->padded};
    memset(history, 0, tables->padded * sizeof *history);
}

bool scn_clip_ready(const scn_clip_t *clip) {
    return clip->column == clip->tables->frames;
}

bool scn_clip_done(const scn_clip_t *clip) {
    return clip->taken == clip->tables->clip_samples;
}

/* The history holds a frame: write its column and keep the samples that the next frame shares with it. */
static void finish_frame(scn_clip_t *clip) {
    const scn_frontend_tables_t *tables = clip->tables;
    scn_frontend_frame(tables, clip->history, clip->work, clip->features + clip->column, tables->frames);
    clip->column++;
    clip->filled = (uint16_t)(tables->n_fft - tables->hop_length);
    memmove(clip->history, clip->history + tables->hop_length, clip->filled * sizeof *clip->history);
}

/* Append samples (silence where NULL) until the frame is full or they are used up; finish a full one. */
static size_t append(scn_clip_t *clip, const int32_t *samples, size_t count) {
    int32_t *at = clip->history + clip->filled;
    count = least(count, (size_t)(clip->tables->n_fft - clip->filled));
    if (samples) {
        memcpy(at, samples, count * sizeof *at);
    } else {
        memset(at, 0, count * sizeof *at);
    }
    clip->filled = (uint16_t)(clip->filled + count);
    if (clip->filled == clip->tables->n_fft) {
        finish_frame(clip);
    }
    return count;
}

size_t scn_clip_push(scn_clip_t *clip, const int32_t *samples, size_t count) {
    const bool was_ready = scn_clip_ready(clip);
    size_t used = 0;
    count = least(count, clip->tables->clip_samples - clip->taken);
    if (was_ready) {
        used = count;
    }
    while (used < count && !scn_clip_ready(clip)) {
        used += append(clip, samples + used, count - used);
    }
    clip->taken += (uint32_t)used;
    while (scn_clip_done(clip) && !scn_clip_ready(clip)) {
        (void)append(clip, NULL, clip->tables->n_fft);
    }
    return used;
}

void scn_clip_slide(scn_clip_t *clip, uint16_t columns) {
    const size_t frames = clip->tables->frames, kept = frames - columns;
    for (int8_t *row = clip->features, *end = row + frames * clip->tables->n_mels; row < end; row += frames) {
        memmove(row, row + columns, kept);
    }
    clip->column = (uint16_t)kept;
    clip->taken -= (uint32_t)columns * clip->tables->hop_length;
}

void scn_clip_features(const scn_frontend_tables_t *tables, const int32_t *samples, int32_t *history, int32_t *work,
                       int8_t *features) {
    scn_clip_t clip;
    size_t used = 0;
    scn_clip_begin(&clip, tables, history, work, features);
    while (!scn_clip_done(&clip)) {
        used += scn_clip_push(&clip, samples + used, tables->clip_samples - used);
    }
}
