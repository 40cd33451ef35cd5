/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include "scn_board.h"
#include "scn_stm32f4.h"

/* VCO input 1 MHz, VCO 336 MHz, processor 168 MHz, USB 48 MHz: the same on every board, whatever its crystal. */
#define VCO_INPUT_HZ 1000000u
#define PLL_N 336u
#define PLL_P 2u
#define PLL_Q 7u
#define HSI_HZ 16000000u
#define CPU_HZ (VCO_INPUT_HZ * PLL_N / PLL_P)

/* Polls of a status bit before giving up: 50 ms at 16 MHz and about 8 cycles per poll. Crystals need under 5 ms. */
#define WAIT_POLLS 100000u

_Static_assert(SCN_BOARD_HSE_HZ % VCO_INPUT_HZ == 0, "the external clock must be a whole number of MHz");
_Static_assert(SCN_BOARD_HSE_HZ >= 4000000u && SCN_BOARD_HSE_HZ <= 26000000u, "the external clock must be 4 to 26 MHz");
_Static_assert(CPU_HZ == 168000000u, "5 wait states and the APB dividers below belong to 168 MHz at 2.7 to 3.6 V");

static bool wait_for(const scn_register_t *status, uint32_t mask, uint32_t value) {
    for (uint32_t poll = 0; poll < WAIT_POLLS; poll++) {
        if ((*status & mask) == value) {
            return true;
        }
    }
    return false;
}

/* Select the internal oscillator, undivided: the state after reset, whatever a boot loader left, and the fallback. */
static void use_internal(void) {
    SCN_RCC->CR |= SCN_RCC_CR_HSION;
    wait_for(&SCN_RCC->CR, SCN_RCC_CR_HSIRDY, SCN_RCC_CR_HSIRDY);
    SCN_RCC->CFGR &= ~(SCN_RCC_CFGR_SW_MASK | SCN_RCC_CFGR_APB_MASK);
    wait_for(&SCN_RCC->CFGR, SCN_RCC_CFGR_SWS_MASK, 0);
    SCN_RCC->CR &= ~SCN_RCC_CR_PLLON; /* its configuration cannot be written while it runs */
    wait_for(&SCN_RCC->CR, SCN_RCC_CR_PLLRDY, 0);
}

static bool start_external(void) {
    SCN_RCC->CR |= SCN_BOARD_HSE_BYPASS ? SCN_RCC_CR_HSEBYP : 0u; /* before HSEON (RM0090, 7.3.1) */
    SCN_RCC->CR |= SCN_RCC_CR_HSEON;
    return wait_for(&SCN_RCC->CR, SCN_RCC_CR_HSERDY, SCN_RCC_CR_HSERDY);
}

static bool start_pll(bool external) {
    const uint32_t divider = (external ? SCN_BOARD_HSE_HZ : HSI_HZ) / VCO_INPUT_HZ;
    SCN_RCC->PLLCFGR = divider | PLL_N << 6 | (PLL_P / 2u - 1u) << 16 | (external ? SCN_RCC_PLLCFGR_SRC_HSE : 0u) |
                       PLL_Q << 24 | 2u << 28; /* PLLR: only the F446 has it; 2 is its reset value */
    SCN_RCC->CR |= SCN_RCC_CR_PLLON;
    return wait_for(&SCN_RCC->CR, SCN_RCC_CR_PLLRDY, SCN_RCC_CR_PLLRDY);
}

static bool switch_to_pll(void) {
    /* Wait states before speed. The regulator's reset value, scale 1, is the one for 168 MHz. */
    SCN_FLASH_ACR = SCN_FLASH_ACR_LATENCY_5 | SCN_FLASH_ACR_PREFETCH | SCN_FLASH_ACR_CACHES;
    if ((SCN_FLASH_ACR & SCN_FLASH_ACR_LATENCY_MASK) !=
        SCN_FLASH_ACR_LATENCY_5) { /* RM0090, 3.5.1, asks to read back */
        return false;
    }
    SCN_RCC->CFGR |= SCN_RCC_CFGR_APB1_DIV4 | SCN_RCC_CFGR_APB2_DIV2;
    SCN_RCC->CFGR = (SCN_RCC->CFGR & ~SCN_RCC_CFGR_SW_MASK) | SCN_RCC_CFGR_SW_PLL;
    return wait_for(&SCN_RCC->CFGR, SCN_RCC_CFGR_SWS_MASK, SCN_RCC_CFGR_SWS_PLL);
}

scn_clock_t scn_clock_init(void) {
    if (scn_stm32f4_emulated()) {
        return (scn_clock_t){SCN_PORT_CLOCK_EMULATED, CPU_HZ, CPU_HZ / 4u, CPU_HZ / 2u};
    }
    use_internal();
    const bool external = start_external();
    const scn_port_clock_t source = external ? SCN_PORT_CLOCK_EXTERNAL : SCN_PORT_CLOCK_INTERNAL;
    if (start_pll(external) && switch_to_pll()) {
        /* A crystal that stops later raises NMI, with the processor on the internal oscillator; fault.c resets. */
        SCN_RCC->CR |= external ? SCN_RCC_CR_CSSON : 0u;
        return (scn_clock_t){source, CPU_HZ, CPU_HZ / 4u, CPU_HZ / 2u};
    }
    use_internal();
    return (scn_clock_t){SCN_PORT_CLOCK_INTERNAL, HSI_HZ, HSI_HZ, HSI_HZ};
}
