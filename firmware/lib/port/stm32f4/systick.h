/* SPDX-License-Identifier: MIT */
/* The cycle counter: SysTick's 24 bits, extended to 64 by its interrupt. QEMU lacks the DWT's counter. */
#ifndef SCN_STM32F4_SYSTICK_H
#define SCN_STM32F4_SYSTICK_H

#include <stdint.h>

/* Start counting processor cycles. */
void scn_systick_init(void);

/* Cycles since scn_systick_init. */
uint64_t scn_systick_cycles(void);

/* Every 2^24 cycles. */
void scn_systick_interrupt(void);

#endif
