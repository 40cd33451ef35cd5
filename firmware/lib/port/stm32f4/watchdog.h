/* SPDX-License-Identifier: MIT */
/* Two watchdogs, one behind the other. SysTick's interrupt counts how long the program has not said that it goes on: a
 * program that hangs is ended with a crash record of where. The chip's independent watchdog runs from its own
 * oscillator and is refreshed by that interrupt: where interrupts no longer come, it resets the chip, without a record.
 */
#ifndef SCN_STM32F4_WATCHDOG_H
#define SCN_STM32F4_WATCHDOG_H

#include <stdint.h>

/* Turns of SysTick, 2^24 cycles each, without scn_port_alive: 10 s at 168 MHz, 105 s at 16 MHz. An inference takes less
 * than a tenth of that; the rest is for an emulator on a busy computer, whose time goes on while it waits its turn. */
#define SCN_WATCHDOG_TURNS 100u

/* The independent watchdog's patience, in periods of its clock by 64. That clock is specified at 17 to 47 kHz, 32 kHz
 * typically (DS8626): 2.7 to 7.5 s, and a turn of SysTick at 16 MHz takes 1.05 s. */
#define SCN_WATCHDOG_RELOAD 1999u

/* SysTick's interrupt. `frame` is what the processor pushed. */
void scn_watchdog_tick(const uint32_t *frame);

#endif
