/* SPDX-License-Identifier: MIT */
#include "scn_fault_injection.h"

#ifdef SCN_FAULT_INJECTION
#include "scn_commands.h"

#include <stdint.h>
#include <string.h>

static void fault(void) {
    __builtin_trap(); /* an undefined instruction */
}

/* Endless recursion that the compiler cannot recognise. Every frame is written, so that none skips the guard. */
__attribute__((noinline)) static int deeper(volatile int depth) {
    volatile char frame[64];
    frame[0] = (char)depth;
    return depth < INT32_MAX ? deeper(depth + 1) + frame[0] : 0;
}

static void stack(void) {
    deeper(0);
}

static void hang(void) {
    for (volatile bool on = true; on;) {
    }
}

/* Like a program that hangs in an interrupt: only the independent watchdog of the chip can end it. */
static void deaf(void) {
#ifdef __arm__
    __asm volatile("cpsid i" ::: "memory");
#endif
    hang();
}

/* The chip's report that the external clock has stopped. */
static void stop_clock(void) {
#ifdef __arm__
    *(volatile uint32_t *)0xE000ED04u = 1u << 31; /* ICSR.NMIPENDSET */
#endif
}

static const struct {
    const char *word;
    void (*crash)(void);
} ways[] = {{"fault", fault}, {"stack", stack}, {"hang", hang}, {"deaf", deaf}, {"clock", stop_clock}};

bool scn_inject_fault(const char *line) {
    const char *word = scn_command_rest(line, "provoke");
    for (uint32_t i = 0; word && i < sizeof ways / sizeof *ways; i++) {
        if (strcmp(word, ways[i].word) == 0) {
            ways[i].crash();
            return true;
        }
    }
    return false;
}
#endif
