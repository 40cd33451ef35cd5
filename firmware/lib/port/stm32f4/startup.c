/* SPDX-License-Identifier: MIT */
/* From reset to main: memory, floating-point unit, vector table. */
#include "fault.h"
#include "memory_map.h"
#include "microphone.h"
#include "scn_port.h"
#include "scn_stm32f4.h"
#include "usart.h"
#include "watchdog.h"

#include <string.h>

int main(void);
_Noreturn void Reset_Handler(void);

#define FPU_FULL_ACCESS (0xFu << 20)
#define INTERRUPTS 97 /* the F446's; the F405 and F407 have 82 */
#define DMA1_STREAM3_IRQ 14
#define USART1_IRQ 37

static const void *const vectors[16 + INTERRUPTS];

_Noreturn void Reset_Handler(void) {
    SCN_SCB_CPACR |= FPU_FULL_ACCESS;
    __asm volatile("dsb\n isb");
    SCN_SCB_VTOR = (uint32_t)(uintptr_t)vectors;
    memcpy(scn_data_start, scn_data_source, SCN_LINKER_SIZE(scn_data_bytes));
    memset(scn_bss_start, 0, SCN_LINKER_SIZE(scn_bss_bytes));
    scn_port_exit(main());
}

/* The watchdog needs the place where the program was: the frame is at the stack pointer, before any prologue. */
__attribute__((naked)) static void systick_handler(void) {
    __asm volatile("mov r0, sp\n"
                   "b scn_watchdog_tick\n");
}

/* Function pointers and the first stack pointer share the table. */
#define FAULT (const void *)scn_fault_handler
#define USART (const void *)scn_usart_interrupt

__attribute__((section(".vectors"), used)) static const void *const vectors[16 + INTERRUPTS] = {
    scn_stack_top,
    (const void *)Reset_Handler,
    [2 ... 6] = FAULT,
    [11 ... 12] = FAULT,
    [14] = FAULT,
    [15] = (const void *)systick_handler,
    [16 ... 15 + DMA1_STREAM3_IRQ] = FAULT,
    [16 + DMA1_STREAM3_IRQ] = (const void *)scn_microphone_interrupt,
    [17 + DMA1_STREAM3_IRQ... 15 + USART1_IRQ] = FAULT,
    [16 + USART1_IRQ... 18 + USART1_IRQ] = USART, /* USART1, 2, 3 */
    [19 + USART1_IRQ... 15 + INTERRUPTS] = FAULT,
};
