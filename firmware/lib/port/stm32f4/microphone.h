/* SPDX-License-Identifier: MIT */
/* The microphone on SPI2 as I2S, double-buffered by DMA. Differences between boards are in scn_board.h. */
#ifndef SCN_STM32F4_MICROPHONE_H
#define SCN_STM32F4_MICROPHONE_H

#include "clock.h"

/* Take note whether there is a clock tree; before this call there is no microphone. */
void scn_microphone_init(const scn_clock_t *clock);

/* Interrupt of DMA1's stream 3. */
void scn_microphone_interrupt(void);

#endif
