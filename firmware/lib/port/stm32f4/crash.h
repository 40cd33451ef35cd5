/* SPDX-License-Identifier: MIT */
/* The crash record that survives a reset, and the cause of the reset. */
#ifndef SCN_STM32F4_CRASH_H
#define SCN_STM32F4_CRASH_H

#include "scn_port.h"

/* After this many crashes in a row, none after a successful boot, resetting is given up. */
#define SCN_CRASH_MOST 3u

/* At boot: read the record of the last run, if it is intact, and the cause of the reset. Call once, first. */
void scn_crash_begin(void);

/* From the fault handler: store a record. Returns the number of crashes in a row. */
uint32_t scn_crash_remember(const scn_port_crash_t *crash);

/* Decode the flags of RCC_CSR (RM0090, 7.3.21); more than one may be set, and the pin's always is. */
scn_port_reset_t scn_crash_reset_cause(uint32_t csr);

#endif
