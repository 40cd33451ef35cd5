/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include "crash.h"
#include "memory_map.h"
#include "scn_stm32f4.h"
#include "usart.h"

#include <string.h>

#define FAULT_STATUS 99
#define ICSR_ACTIVE_MASK 0x1FFu
#define NMI 2u
#define CFSR_STACKING (1u << 4 | 1u << 12) /* MSTKERR, STKERR: the frame could not be pushed */
#define CFSR_MMARVALID (1u << 7)
#define CFSR_BFARVALID (1u << 15)

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

static uint32_t accessed(uint32_t cfsr) {
    if (cfsr & CFSR_MMARVALID) {
        return SCN_SCB_MMFAR;
    }
    return cfsr & CFSR_BFARVALID ? SCN_SCB_BFAR : 0u;
}

static bool in_guard(uint32_t address) {
    return address >= SCN_LINKER_SIZE(scn_stack_guard) && address < SCN_LINKER_SIZE(scn_stack_bottom);
}

/* The frame is r0-r3, r12, lr, pc, xpsr. There is none where the stack was full. */
static scn_port_crash_t describe(scn_port_crash_cause_t cause, const uint32_t *frame) {
    const uint32_t cfsr = SCN_SCB_CFSR, address = accessed(cfsr);
    const uintptr_t place = (uintptr_t)frame, end = (uintptr_t)scn_stack_top;
    const bool pushed = frame && place >= (uintptr_t)scn_stack_bottom && place + 8u * sizeof *frame <= end;
    const bool readable = pushed && !(cfsr & CFSR_STACKING);
    const uint32_t exception = SCN_SCB_ICSR & ICSR_ACTIVE_MASK;
    const bool overflow = cause == SCN_PORT_CRASH_FAULT && (!readable || in_guard(address));
    const bool clock = cause == SCN_PORT_CRASH_FAULT && exception == NMI; /* only clock.c lets it happen */
    return (scn_port_crash_t){
        .cause = clock      ? SCN_PORT_CRASH_CLOCK
                 : overflow ? SCN_PORT_CRASH_STACK
                            : cause,
        .exception = exception,
        .pc = readable ? frame[6] : 0u,
        .lr = readable ? frame[5] : 0u,
        .cfsr = cfsr,
        .hfsr = SCN_SCB_HFSR,
        .address = address,
    };
}

static void tell(const scn_port_crash_t *crash) {
    static const char *const causes[] = {"fault", "stack", "watchdog", "flash", "clock", "ram"};
    print_hex("\r\ne-fault exception=0x", crash->exception);
    print_hex(" pc=0x", crash->pc);
    print_hex(" lr=0x", crash->lr);
    print_hex(" cfsr=0x", crash->cfsr);
    print_hex(" hfsr=0x", crash->hfsr);
    print_hex(" address=0x", crash->address);
    print(" cause=");
    print(causes[crash->cause]);
    print("\r\n");
}

_Noreturn void scn_fault_end(scn_port_crash_cause_t cause, const uint32_t *frame) {
    const scn_port_crash_t crash = describe(cause, frame);
    const uint32_t count = scn_crash_remember(&crash); /* before printing, which may fail as well */
    tell(&crash);
    if (count < SCN_CRASH_MOST) {
        scn_usart_flush(); /* the reset would cut off the last byte of the output */
        scn_stm32f4_reset();
        for (;;) {
        }
    }
    scn_port_exit(FAULT_STATUS);
}

_Noreturn void scn_port_fail(scn_port_crash_cause_t cause) {
    scn_fault_end(cause, NULL);
}

__attribute__((used)) static _Noreturn void report(const uint32_t *frame) {
    scn_fault_end(SCN_PORT_CRASH_FAULT, frame);
}

/* The handler must not use the stack before it has set a valid one: the old one may have overflowed. */
__attribute__((naked)) void scn_fault_handler(void) {
    __asm volatile("mov r0, sp\n"
                   "ldr r1, =scn_stack_top\n"
                   "ldr r2, =scn_stack_bottom + 1024\n"
                   "cmp sp, r2\n"
                   "it lo\n"
                   "movlo sp, r1\n"
                   "b report\n");
}
