/* SPDX-License-Identifier: MIT */
/* Symbols of the linker script stm32f4.ld. A size is the address of its symbol: read it with SCN_LINKER_SIZE. */
#ifndef SCN_STM32F4_MEMORY_MAP_H
#define SCN_STM32F4_MEMORY_MAP_H

#include <stdint.h>

extern uint32_t scn_stack_guard[], scn_stack_bottom[], scn_stack_top[];
extern const uint32_t scn_image_start[];
extern const volatile uint32_t scn_image_seal[]; /* written after linking: unknown to the compiler */
extern const uint32_t scn_settings_start[];
extern uint32_t scn_data_source[], scn_data_start[], scn_bss_start[];
extern char scn_stack_bytes[], scn_data_bytes[], scn_bss_bytes[], scn_flash_bytes[], scn_ram_bytes[],
    scn_settings_bytes[];

#define SCN_LINKER_SIZE(symbol) ((uint32_t)(uintptr_t)(symbol))

#endif
