/* SPDX-License-Identifier: MIT */
#include "scn_port.h"

#include "clock.h"
#include "crash.h"
#include "gpio.h"
#include "guard.h"
#include "memory_map.h"
#include "microphone.h"
#include "scn_board.h"
#include "scn_stm32f4.h"
#include "semihost.h"
#include "systick.h"
#include "usart.h"

#define STACK_PAINT 0x5CE7E1E7u

static SCN_PORT_SETTING scn_clock_t clocks;

/* Below the stack that is in use now, with room for this function itself. */
static void paint_stack(void) {
    const uintptr_t used_from = (uintptr_t)__builtin_frame_address(0) - 32u;
    for (volatile uint32_t *word = scn_stack_bottom; (uintptr_t)word < used_from; word++) {
        *word = STACK_PAINT;
    }
}

void scn_port_init(scn_port_receive_t receive, void *context) {
    paint_stack();
    scn_guard_init();
    scn_crash_begin();
    clocks = scn_clock_init();
    scn_systick_init();
    scn_usart_init(&clocks, receive, context);
    scn_microphone_init(&clocks);
#ifdef SCN_BOARD_LED_PORT
    scn_gpio_output(SCN_BOARD_LED_PORT, SCN_BOARD_LED_PIN);
#endif
}

const char *scn_port_board(void) {
    return SCN_BOARD_NAME;
}

scn_port_clock_t scn_port_clock(void) {
    return clocks.source;
}

uint32_t scn_port_cpu_hz(void) {
    return clocks.cpu_hz;
}

uint64_t scn_port_cycles(void) {
    return scn_systick_cycles();
}

void scn_port_write(const void *bytes, size_t count) {
    scn_usart_write(bytes, count);
}

void scn_port_wait(scn_port_idle_t idle, void *context) {
    __asm volatile("cpsid i" ::: "memory");
    if (idle(context)) {
        __asm volatile("dsb\n wfi" ::: "memory"); /* a pending interrupt ends it, and is taken after cpsie */
    }
    __asm volatile("cpsie i" ::: "memory");
}

void scn_port_led(bool on) {
#ifdef SCN_BOARD_LED_PORT
    scn_gpio_drive(SCN_BOARD_LED_PORT, SCN_BOARD_LED_PIN, on);
#else
    (void)on;
#endif
}

static uint32_t stack_peak(void) {
    const uint32_t bytes = SCN_LINKER_SIZE(scn_stack_bytes);
    uint32_t untouched = 0;
    while (untouched < bytes / sizeof(uint32_t) && scn_stack_bottom[untouched] == STACK_PAINT) {
        untouched++;
    }
    return bytes - untouched * (uint32_t)sizeof(uint32_t);
}

scn_port_memory_t scn_port_memory(void) {
    return (scn_port_memory_t){
        .flash_bytes = SCN_LINKER_SIZE(scn_flash_bytes),
        .ram_bytes = SCN_LINKER_SIZE(scn_ram_bytes),
        .stack_bytes = SCN_LINKER_SIZE(scn_stack_bytes),
        .stack_peak_bytes = stack_peak(),
    };
}

scn_port_settings_t scn_port_settings(void) {
    return (scn_port_settings_t){scn_settings_start, SCN_LINKER_SIZE(scn_settings_bytes)};
}

scn_port_image_t scn_port_image(void) {
    return (scn_port_image_t){
        .bytes = scn_image_start,
        .count = (size_t)((uintptr_t)scn_image_seal - (uintptr_t)scn_image_start),
        .crc32 = *scn_image_seal,
    };
}

_Noreturn void scn_port_exit(int status) {
    if (scn_stm32f4_emulated()) {
        scn_semihost_exit(status);
    }
    if (status != 0) {
        scn_usart_flush(); /* see fault.c */
        scn_stm32f4_reset();
    }
    for (;;) {
        __asm volatile("wfi");
    }
}
