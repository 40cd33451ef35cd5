/* SPDX-License-Identifier: MIT */
/* What each stage of a depth-first segment takes; see scn_probe.h. Only in the build that has SCN_PROBE. */
#ifndef STAGE_TIMER_H
#define STAGE_TIMER_H

#include <stddef.h>
#include <stdint.h>

/* Run the model on an arena that holds its input. After each step, send the number of places (4 bytes) and the cycles
 * (8 bytes) of each: the schedule, then stage after stage. */
void scn_stage_timer_measure(uint8_t *arena, void (*send)(const void *bytes, size_t count));

/* Run the model while a plugin of the emulator watches. It learns where the program is from the addresses of stores to
 * scn_probe_marks. */
void scn_stage_timer_profile(uint8_t *arena);

/* Stores: to [place], [SCN_MARK_STEP] where a step has ended, [SCN_MARK_START] and [SCN_MARK_STOP] around it all. */
#define SCN_MARK_STEP 256
#define SCN_MARK_START 257
#define SCN_MARK_STOP 258
extern volatile uint8_t scn_probe_marks[SCN_MARK_STOP + 1];

#endif
