/* SPDX-License-Identifier: MIT */
/* The few registers of the STM32F405/407/446 and of the Cortex-M4 that the port uses (RM0090, RM0390, PM0214). */
#ifndef SCN_STM32F4_H
#define SCN_STM32F4_H

#include <stdbool.h>
#include <stdint.h>

typedef volatile uint32_t scn_register_t;

/* Drivers that a test checks against the reference manual access registers only through these; the test defines its
 * own. */
#ifndef SCN_READ
#define SCN_READ(reg) (reg)
#define SCN_WRITE(reg, value) ((reg) = (value))
#endif

typedef struct {
    scn_register_t CR, PLLCFGR, CFGR, CIR, AHB1RSTR, AHB2RSTR, AHB3RSTR, reserved0, APB1RSTR, APB2RSTR, reserved1[2];
    scn_register_t AHB1ENR, AHB2ENR, AHB3ENR, reserved2, APB1ENR, APB2ENR;
} scn_rcc_t;

typedef struct {
    scn_register_t MODER, OTYPER, OSPEEDR, PUPDR, IDR, ODR, BSRR, LCKR, AFR[2];
} scn_gpio_t;

typedef struct {
    scn_register_t SR, DR, BRR, CR1, CR2, CR3, GTPR;
} scn_usart_t;

typedef struct {
    scn_register_t CTRL, LOAD, VAL, CALIB;
} scn_systick_t;

typedef struct {
    scn_register_t KR, PR, RLR, SR;
} scn_iwdg_t;

typedef struct {
    scn_register_t TYPE, CTRL, RNR, RBAR, RASR;
} scn_mpu_t;

/* A test of this code on another computer defines its own. */
#ifndef SCN_RCC
#define SCN_RCC ((scn_rcc_t *)0x40023800u)
#define SCN_FLASH_ACR (*(scn_register_t *)0x40023C00u)
#endif
#ifndef SCN_RCC_CSR
#define SCN_RCC_CSR (*(scn_register_t *)0x40023874u)
#endif
#ifndef SCN_IWDG
#define SCN_IWDG ((scn_iwdg_t *)0x40003000u)
#define SCN_DBGMCU_APB1_FZ (*(scn_register_t *)0xE0042008u)
#endif
#ifndef SCN_MPU
#define SCN_MPU ((scn_mpu_t *)0xE000ED90u)
#endif
#ifndef SCN_GPIO
#define SCN_GPIO(letter) ((scn_gpio_t *)(uintptr_t)(0x40020000u + 0x400u * (uint32_t)((letter) - 'A')))
#define SCN_USART(number) ((scn_usart_t *)((number) == 1u ? 0x40011000u : 0x40004000u + 0x400u * ((number)-1u)))
#define SCN_NVIC_ISER ((scn_register_t *)(uintptr_t)0xE000E100u)
#endif
#ifndef SCN_SYSTICK
#define SCN_SYSTICK ((scn_systick_t *)0xE000E010u)
#endif
#define SCN_NVIC_ICER ((scn_register_t *)(uintptr_t)0xE000E180u)
#define SCN_NVIC_ICPR ((scn_register_t *)(uintptr_t)0xE000E280u)
#ifndef SCN_NVIC_IPR
#define SCN_NVIC_IPR ((scn_register_t *)(uintptr_t)0xE000E400u)
#endif
#define SCN_NVIC_ISPR ((scn_register_t *)(uintptr_t)0xE000E200u)
#define SCN_SCB_ICSR (*(scn_register_t *)0xE000ED04u)
#define SCN_SCB_VTOR (*(scn_register_t *)0xE000ED08u)
#define SCN_SCB_AIRCR (*(scn_register_t *)0xE000ED0Cu)
#define SCN_SCB_CFSR (*(scn_register_t *)0xE000ED28u)
#define SCN_SCB_HFSR (*(scn_register_t *)0xE000ED2Cu)
#define SCN_SCB_MMFAR (*(scn_register_t *)0xE000ED34u)
#define SCN_SCB_BFAR (*(scn_register_t *)0xE000ED38u)
#define SCN_SCB_CPACR (*(scn_register_t *)0xE000ED88u)

#define SCN_RCC_CR_HSION 1u
#define SCN_RCC_CR_HSIRDY 2u
#define SCN_RCC_CR_HSEON (1u << 16)
#define SCN_RCC_CR_HSERDY (1u << 17)
#define SCN_RCC_CR_HSEBYP (1u << 18)
#define SCN_RCC_CR_CSSON (1u << 19)
#define SCN_RCC_CR_PLLON (1u << 24)
#define SCN_RCC_CR_PLLRDY (1u << 25)
#define SCN_RCC_PLLCFGR_SRC_HSE (1u << 22)
#define SCN_RCC_CFGR_SW_PLL 2u
#define SCN_RCC_CFGR_SW_MASK 3u
#define SCN_RCC_CFGR_SWS_PLL (2u << 2)
#define SCN_RCC_CFGR_SWS_MASK (3u << 2)
#define SCN_RCC_CFGR_APB_MASK (63u << 10)
#define SCN_RCC_CFGR_APB1_DIV4 (5u << 10)
#define SCN_RCC_CFGR_APB2_DIV2 (4u << 13)

#define SCN_FLASH_ACR_LATENCY_MASK 7u
#define SCN_FLASH_ACR_LATENCY_5 5u
#define SCN_FLASH_ACR_PREFETCH (1u << 8)
#define SCN_FLASH_ACR_CACHES (3u << 9)

#define SCN_USART_SR_FE (1u << 1)
#define SCN_USART_SR_NE (1u << 2)
#define SCN_USART_SR_ORE (1u << 3)
#define SCN_USART_SR_RXNE (1u << 5)
#define SCN_USART_SR_TC (1u << 6)
#define SCN_USART_SR_TXE (1u << 7)
#define SCN_USART_CR1_RE (1u << 2)
#define SCN_USART_CR1_TE (1u << 3)
#define SCN_USART_CR1_RXNEIE (1u << 5)
#define SCN_USART_CR1_UE (1u << 13)

#define SCN_IWDG_KR_WRITE 0x5555u
#define SCN_IWDG_KR_REFRESH 0xAAAAu
#define SCN_IWDG_KR_START 0xCCCCu
#define SCN_IWDG_PR_DIV64 4u
#define SCN_IWDG_SR_BUSY 3u /* PVU, RVU: a value is being transferred to the other clock domain */
#define SCN_DBGMCU_IWDG_STOP (1u << 12)

#define SCN_MPU_CTRL_ENABLE 1u
#define SCN_MPU_CTRL_DEFAULT_MAP (1u << 2) /* PRIVDEFENA: everything outside the regions as without an MPU */
#define SCN_MPU_RASR_ENABLE 1u
#define SCN_MPU_RASR_XN (1u << 28)

/* Priorities of interrupts, lower is more urgent. SysTick keeps 0, so that its watchdog also ends an interrupt that hangs;
 * the console must take a byte every 11 us. */
#define SCN_PRIORITY_CONSOLE 0x10u
#define SCN_PRIORITY_MICROPHONE 0x20u

/* Set the priority of an interrupt. */
static inline void scn_stm32f4_prioritise(uint32_t irq, uint32_t priority) {
    const uint32_t shift = irq % 4u * 8u;
    scn_register_t *reg = &SCN_NVIC_IPR[irq / 4u];
    SCN_WRITE(*reg, (SCN_READ(*reg) & ~(0xFFu << shift)) | priority << shift);
}

/* Reset the chip, and QEMU's; memory keeps its contents. Takes effect at once or within microseconds. */
static inline void scn_stm32f4_reset(void) {
    SCN_SCB_AIRCR = 0x05FA0000u | 1u << 2;
    __asm volatile("dsb" ::: "memory");
}

/* QEMU has no clock tree: its RCC reads 0, where silicon never runs without an oscillator. */
static inline bool scn_stm32f4_emulated(void) {
    return SCN_RCC->CR == 0;
}

#endif
