#include "fault.h"

#include "crash.h"
#include "memory_map.h"
#include "scn_port.h"
#include "scn_stm32f4.h"
#include "usart.h"

#include <string.h>

#define FAULT_STATUS 99
#define ICSR_ACTIVE_MASK 0x1FFu

static void print(const char *text) {
    scn_port_write(text, strlen(text));
}

static void print_hex(const char *name, uint32_t value) {
    char text[] = "00000000";
    for (int i = 7; i >= 0; i--, value >>= 4) {
        text[i] = "0123456789abcdef"[value & 15u];
    }
    print(name);
    print(text);
}

/* `frame` is what the processor pushed: r0-r3, r12, lr, pc, xpsr. It is not there after a stack overflow. */
__attribute__((used)) static _Noreturn void report(const uint32_t *frame) {
    const uintptr_t address = (uintptr_t)frame, end = (uintptr_t)scn_stack_top;
    const bool readable = address >= (uintptr_t)scn_stack_bottom && address + 8u * sizeof *frame <= end;
    const scn_port_crash_t crash = {
        .exception = SCN_SCB_ICSR & ICSR_ACTIVE_MASK,
        .pc = readable ? frame[6] : 0u,
        .lr = readable ? frame[5] : 0u,
        .cfsr = SCN_SCB_CFSR,
        .hfsr = SCN_SCB_HFSR,
    };
    const uint32_t count = scn_crash_remember(&crash); /* before anything is printed, which may fail as well */
    print_hex("\r\ne-fault exception=0x", crash.exception);
    print_hex(" pc=0x", crash.pc);
    print_hex(" lr=0x", crash.lr);
    print_hex(" cfsr=0x", crash.cfsr);
    print_hex(" hfsr=0x", crash.hfsr);
    print(readable ? "\r\n" : " stack overflow\r\n");
    if (count < SCN_CRASH_MOST) {
        scn_usart_flush(); /* the reset would cut off the last byte of what was said */
        scn_stm32f4_reset();
        for (;;) {
        }
    }
    scn_port_exit(FAULT_STATUS);
}

/* The handler must not touch the stack before it has a good one: the old one may have overflowed. */
__attribute__((naked)) void scn_fault_handler(void) {
    __asm volatile("mov r0, sp\n"
                   "ldr r1, =scn_stack_top\n"
                   "ldr r2, =scn_stack_bottom + 1024\n"
                   "cmp sp, r2\n"
                   "it lo\n"
                   "movlo sp, r1\n"
                   "b report\n");
}
