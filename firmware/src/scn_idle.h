/* SPDX-License-Identifier: MIT */
/* How much of the time the processor sleeps. */
#ifndef SCN_IDLE_H
#define SCN_IDLE_H

#include "scn_port.h"

/* Count from now on. */
void scn_idle_begin(void);

/* scn_port_wait, counted as sleep. */
void scn_idle_wait(scn_port_idle_t idle, void *context);

/* Thousandths of the time since scn_idle_begin. */
uint32_t scn_idle_permille(void);

#endif
