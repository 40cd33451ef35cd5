/* SPDX-License-Identifier: MIT */
/* The share of time that the processor sleeps. */
#ifndef SCN_IDLE_H
#define SCN_IDLE_H

#include "scn_port.h"

/* Restart counting. */
void scn_idle_begin(void);

/* scn_port_wait, counted as sleep. */
void scn_idle_wait(scn_port_idle_t idle, void *context);

/* Thousandths of the time since scn_idle_begin that were slept. */
uint32_t scn_idle_permille(void);

#endif
