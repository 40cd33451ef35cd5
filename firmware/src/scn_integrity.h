/* SPDX-License-Identifier: MIT */
/* The periodic check of memory: while the device works, the linked image is compared with its seal, slice by slice, and
 * the settings in RAM with the checksum that they had when they were last changed. */
#ifndef SCN_INTEGRITY_H
#define SCN_INTEGRITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of flash per slice: about 60,000 cycles, a third of a millisecond at 168 MHz, in which 31 bytes arrive at most. */
#define SCN_INTEGRITY_SLICE 4096u

/* Cycles from one slice to the next at least, about a wrap of SysTick: 0.1 s at 168 MHz, of which the check takes 0.4 %.
 * An image of 256 kB is checked every 6 s, the settings with every slice. */
#define SCN_INTEGRITY_CYCLES 0x1000000u

/* Memory that does not change, besides the settings of scn_port.h. */
typedef struct {
    const void *bytes;
    size_t count;
} scn_integrity_guard_t;

#define SCN_INTEGRITY_GUARDS 2u

/* Begin at the start of the image, and take the settings as they are: after every self-test, and after every command that
 * changes a setting. */
void scn_integrity_begin(const scn_integrity_guard_t guards[SCN_INTEGRITY_GUARDS]);

/* Check the next slice, if it is due. Damage ends the program: a crash record with the cause "flash" or "ram", and a
 * reset, after which the self-test says whether it has remained. To be called only while the self-test has passed: else a
 * device that is damaged for good would reset for ever. */
void scn_integrity_step(void);

/* A second opinion, by other code, since the bit that has flipped may be in the first one's: whether the last pass gave
 * the seal, and whether passes still come. To be called where scn_integrity_step is. */
#define SCN_INTEGRITY_SPARE_TURNS 8u
void scn_integrity_confirm(void);

/* Whether the whole image gives its seal. The self-test compares it as well: a bit that flips in one comparison leaves the
 * other. Takes about 15 cycles per byte. */
bool scn_integrity_whole(void);

/* Times that the whole image was found intact since the program started. */
uint32_t scn_integrity_passes(void);

#endif
