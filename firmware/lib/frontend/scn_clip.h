/* SPDX-License-Identifier: MIT */
/* Streaming clip driver: samples in blocks of any size, a column of features as soon as its frame is complete.
 *
 *   scn_clip_begin --> [collecting] --push--> ready (map complete) --push--> done (clip_samples taken)
 *                           ^                   |                              |
 *                           |<---- slide -------+           <---- begin -------+
 *
 * "clip" grid: the frames are centred, so half a frame of silence is assumed before and after the clip; the last
 * columns are complete with the clip's last sample. "continuous" grid: never padded; scn_clip_slide keeps the newest
 * columns and continues without a gap. / */
#ifndef SCN_CLIP_H
#define SCN_CLIP_H

#include "scn_frontend.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Words of history that a clip needs: one frame, no second copy of the audio. */
#define SCN_CLIP_HISTORY_WORDS(n_fft) (n_fft)

/* State of one clip. The caller owns it and all memory that it points to; the fields are for reading only. */
typedef struct {
    const scn_frontend_tables_t *tables;
    int32_t *history; /* SCN_CLIP_HISTORY_WORDS(n_fft) words: the newest samples of the frame that is filling */
    int32_t *work;    /* SCN_FRONTEND_WORK_WORDS(n_fft) words, 8-byte aligned, used only inside scn_clip_push */
    int8_t *features; /* [n_mels][frames] */
    uint32_t taken;   /* samples of this clip so far: 0..clip_samples */
    uint16_t filled;  /* samples in history: 0..n_fft - 1 between calls */
    uint16_t column;  /* columns written: 0..frames */
} scn_clip_t;

/* Start a clip. Memory may be shared with anything that is idle during scn_clip_push (work) or until the clip is
 * done (history, features). May be called at any time to drop a clip. */
void scn_clip_begin(scn_clip_t *clip, const scn_frontend_tables_t *tables, int32_t *history, int32_t *work,
                    int8_t *features);

/* Take samples (range of tables->sample_bits). Returns how many were taken: all of them, or fewer where the map became
 * ready or the clip ended; call again with the rest. 0 once the clip is done. */
size_t scn_clip_push(scn_clip_t *clip, const int32_t *samples, size_t count);

/* Whether all columns are written. */
bool scn_clip_ready(const scn_clip_t *clip);

/* Whether all clip_samples are taken. Samples between ready and done belong to no frame and are dropped. */
bool scn_clip_done(const scn_clip_t *clip);

/* Continuous grid only, and only straight after the push that made the map ready: forget the oldest columns
 * (1..frames) and go on collecting, as if the clip had started columns * hop_length samples later. */
void scn_clip_slide(scn_clip_t *clip, uint16_t columns);

/* A whole clip of tables->clip_samples samples at once: begin and push until done. */
void scn_clip_features(const scn_frontend_tables_t *tables, const int32_t *samples, int32_t *history, int32_t *work,
                       int8_t *features);

#ifdef __cplusplus
}
#endif

#endif
