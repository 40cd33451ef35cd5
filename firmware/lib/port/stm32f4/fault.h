/* SPDX-License-Identifier: MIT */
/* The end of a program that has crashed. */
#ifndef SCN_STM32F4_FAULT_H
#define SCN_STM32F4_FAULT_H

#include "scn_port.h"

/* Handler of every exception that nothing else handles; ends the program as scn_fault_end does. */
void scn_fault_handler(void);

/* Print one line with the registers that show place and cause, store them (crash.h) and reset. `frame` is what the
 * processor pushed, or NULL outside an exception. The third crash in a row ends the program with status 99 in QEMU; a board always resets itself, so
 * that it answers again. */
_Noreturn void scn_fault_end(scn_port_crash_cause_t cause, const uint32_t *frame);

#endif
