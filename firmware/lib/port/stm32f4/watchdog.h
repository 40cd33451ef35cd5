/* SPDX-License-Identifier: MIT */
/* Two watchdogs in two levels. SysTick's interrupt counts the time since the last scn_port_alive: a program that
 * hangs is ended with a crash record of the place. The chip's independent watchdog runs from its own oscillator and
 * is refreshed by that interrupt: where interrupts no longer run, it resets the chip, without a record. */
#ifndef SCN_STM32F4_WATCHDOG_H
#define SCN_STM32F4_WATCHDOG_H

#include <stdint.h>

/* Wraps of SysTick, 2^24 cycles each, without scn_port_alive: 10 s at 168 MHz, 105 s at 16 MHz. An inference takes less
 * than a tenth of that; the rest is for an emulator on a busy computer, whose emulated time goes on while it waits. */
#define SCN_WATCHDOG_TURNS 100u

/* Timeout of the independent watchdog, in periods of its clock divided by 64. The clock is specified at 17 to 47 kHz,
 * 32 kHz typically (DS8626): 2.7 to 7.5 s; SysTick wraps every 1.05 s at 16 MHz. */
#define SCN_WATCHDOG_RELOAD 1999u

/* SysTick's interrupt. `frame` is what the processor pushed. */
void scn_watchdog_tick(const uint32_t *frame);

#endif
