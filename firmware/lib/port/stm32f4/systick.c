/* SPDX-License-Identifier: MIT */
#include "systick.h"

#include "scn_stm32f4.h"

#define PERIOD 0x1000000u
#define CTRL_PROCESSOR_CLOCK_WITH_INTERRUPT 7u

static volatile uint32_t wraps;

void scn_systick_init(void) {
    SCN_SYSTICK->LOAD = PERIOD - 1u;
    SCN_SYSTICK->VAL = 0;
    SCN_SYSTICK->CTRL = CTRL_PROCESSOR_CLOCK_WITH_INTERRUPT;
}

void scn_systick_interrupt(void) {
    wraps++;
}

uint64_t scn_systick_cycles(void) {
    uint32_t before, value;
    do { /* repeat if the counter wrapped and its interrupt ran between the two reads */
        before = wraps;
        value = SCN_SYSTICK->VAL;
    } while (before != wraps);
    return (uint64_t)before * PERIOD + (PERIOD - 1u - value);
}
