/* SPDX-License-Identifier: MIT */
/* What is remembered of a crash over the reset that follows it, and why the chip was reset. */
#ifndef SCN_STM32F4_CRASH_H
#define SCN_STM32F4_CRASH_H

#include "scn_port.h"

/* So many crashes in a row, none of which came as far as listening, and resetting helps no more. */
#define SCN_CRASH_MOST 3u

/* At boot: take over what the last run left, if it is whole, and read the reset's cause. Call once, first. */
void scn_crash_begin(void);

/* From the fault handler: remember. Returns the number of crashes in a row. */
uint32_t scn_crash_remember(const scn_port_crash_t *crash);

/* The meaning of RCC_CSR's flags (RM0090, 7.3.21); more than one may be set, and the pin's always is. */
scn_port_reset_t scn_crash_reset_cause(uint32_t csr);

#endif
