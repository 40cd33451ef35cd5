/* SPDX-License-Identifier: MIT */
/* Cycles of each stage of a depth-first segment; see scn_probe.h. Only in the build with SCN_PROBE. */
#ifndef STAGE_TIMER_H
#define STAGE_TIMER_H

#include <stddef.h>
#include <stdint.h>

/* Run the model on an arena that holds its input. After each step, send the number of places (4 bytes) and the cycles
 * (8 bytes) of each: the scheduler, then each stage. */
void scn_stage_timer_measure(uint8_t *arena, void (*send)(const void *bytes, size_t count));

/* Run the model for a plugin of the emulator, which learns the place from the addresses of stores to
 * scn_probe_marks. */
void scn_stage_timer_profile(uint8_t *arena);

/* Stores: to [place]; [SCN_MARK_STEP] at the end of a step; [SCN_MARK_START] and [SCN_MARK_STOP] around the model,
 * [SCN_MARK_FRAME] and [SCN_MARK_STOP] around a frame of the front end. */
#define SCN_MARK_STEP 256
#define SCN_MARK_START 257
#define SCN_MARK_STOP 258
#define SCN_MARK_FRAME 259
extern volatile uint8_t scn_probe_marks[SCN_MARK_FRAME + 1];

#endif
