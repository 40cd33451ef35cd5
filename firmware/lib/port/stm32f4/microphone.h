/* SPDX-License-Identifier: MIT */
/* The microphone on SPI2 as I2S: blocks by DMA, two in turn. What is not on every board is in scn_board.h. */
#ifndef SCN_STM32F4_MICROPHONE_H
#define SCN_STM32F4_MICROPHONE_H

#include "clock.h"

/* Remember whether there is a clock tree at all; until then there is no microphone. */
void scn_microphone_init(const scn_clock_t *clock);

/* Interrupt of DMA1's stream 3. */
void scn_microphone_interrupt(void);

#endif
