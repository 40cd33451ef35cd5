/* SPDX-License-Identifier: MIT */
/* A model of the STM32F4's flash accelerator: how long a Cortex-M4 waits for instructions and constants in flash.
 *
 * Reference manual RM0090, 3.5.2: flash is read in lines of 16 bytes. 64 lines of instructions and 8 of data are kept,
 * the least recently used one is replaced, and the line after the present one is fetched ahead. Assumptions beyond the
 * manual: every line that was fetched is kept; fetching ahead starts when the processor enters a line and takes one
 * cycle more than there are wait states; data does not delay instructions. Never checked against silicon.
 */
#ifndef SCN_FLASH_H
#define SCN_FLASH_H

#include <stdbool.h>
#include <stdint.h>

#define SCN_FLASH_LINE_BYTES 16u
#define SCN_FLASH_MOST_CLOCKS 4

/* What a piece of program waited for: instructions, in cycles for each clock, and lines of data, each of which takes
 * as many cycles as the clock has wait states. */
typedef struct {
    uint64_t fetch[SCN_FLASH_MOST_CLOCKS];
    uint64_t data_lines;
} scn_flash_waits_t;

/* first, end    addresses of flash
 * wait_states   of each clock; count: 1 .. SCN_FLASH_MOST_CLOCKS */
void scn_flash_begin(uint64_t first, uint64_t end, const unsigned *wait_states, int count);

/* The processor executes instructions of one line, for so many cycles. */
void scn_flash_fetch(uint64_t line, unsigned cycles, scn_flash_waits_t *waits);

/* The processor loads from an address. */
void scn_flash_load(uint64_t address, scn_flash_waits_t *waits);

#endif
