/* SPDX-License-Identifier: MIT */
/* The clock tree: 168 MHz from the board's external clock, or from the internal oscillator where that fails. */
#ifndef SCN_STM32F4_CLOCK_H
#define SCN_STM32F4_CLOCK_H

#include "scn_port.h"

/* Frequencies in Hz, as they are after scn_clock_init. */
typedef struct {
    scn_port_clock_t source;
    uint32_t cpu_hz;
    uint32_t apb1_hz;
    uint32_t apb2_hz;
} scn_clock_t;

/* Start the fastest clock that works. At most about 0.1 s. */
scn_clock_t scn_clock_init(void);

#endif
