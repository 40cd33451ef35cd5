/* SPDX-License-Identifier: MIT */
/* A region of RAM below the stack without any access: a stack that grows into it faults at once. */
#ifndef SCN_STM32F4_GUARD_H
#define SCN_STM32F4_GUARD_H

/* Bytes, a power of two and at least 32; the linker script reserves as many. A larger frame that skips them ends below
 * RAM, where the bus faults. */
#define SCN_GUARD_BYTES 256u

/* Forbid all access to the guard. Faults escalate to a HardFault, whose handler runs without the MPU. */
void scn_guard_init(void);

#endif
