/* SPDX-License-Identifier: MIT */
/* The last word of a program that went wrong. */
#ifndef SCN_STM32F4_FAULT_H
#define SCN_STM32F4_FAULT_H

#include "scn_port.h"

/* Handler of every exception that nothing else handles; ends the program as scn_fault_end does. */
void scn_fault_handler(void);

/* Print one line with the registers that tell where and why, remember them (crash.h) and reset. `frame` is what the
 * processor pushed. The third crash in a row ends the program with status 99 in QEMU; a board always resets itself, so
 * that it can be spoken to again. */
_Noreturn void scn_fault_end(scn_port_crash_cause_t cause, const uint32_t *frame);

#endif
