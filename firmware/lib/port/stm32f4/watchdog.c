/* SPDX-License-Identifier: MIT */
#include "watchdog.h"

#include "fault.h"
#include "scn_port.h"
#include "scn_stm32f4.h"
#include "systick.h"

/* Polls until prescaler and reload value have taken effect: up to 5 periods of 17 kHz, 0.3 ms. */
#define WAIT_POLLS 100000u

static SCN_PORT_SETTING volatile bool watching;
static volatile uint32_t silent; /* wraps of SysTick since scn_port_alive */

/* Started first: this starts its oscillator, without which no value takes effect (RM0090, 21.3). */
static void start_independent(void) {
    SCN_IWDG->KR = SCN_IWDG_KR_START;
    SCN_IWDG->KR = SCN_IWDG_KR_WRITE;
    SCN_IWDG->PR = SCN_IWDG_PR_DIV64;
    SCN_IWDG->RLR = SCN_WATCHDOG_RELOAD;
    for (uint32_t poll = 0; (SCN_IWDG->SR & SCN_IWDG_SR_BUSY) && poll < WAIT_POLLS; poll++) {
    }
    SCN_IWDG->KR = SCN_IWDG_KR_REFRESH;
}

void scn_port_watch(void) {
    if (!scn_stm32f4_emulated()) {
        SCN_DBGMCU_APB1_FZ |= SCN_DBGMCU_IWDG_STOP; /* must not reset the chip while a debugger halts the program */
        start_independent();
    }
    silent = 0;
    watching = true;
}

void scn_port_alive(void) {
    silent = 0;
}

void scn_watchdog_tick(const uint32_t *frame) {
    scn_systick_interrupt();
    if (!watching) {
        return;
    }
    silent++;
    if (silent > SCN_WATCHDOG_TURNS) {
        scn_fault_end(SCN_PORT_CRASH_WATCHDOG, frame);
    }
    SCN_IWDG->KR = SCN_IWDG_KR_REFRESH;
}
