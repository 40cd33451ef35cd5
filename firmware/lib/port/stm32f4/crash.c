/* SPDX-License-Identifier: MIT */
#include "crash.h"

#include "scn_stm32f4.h"

/* Marks of a record that the next run has not read yet, and of one that it has read: its count is still valid. */
#define MAGIC_FRESH 0x5CE7C4A5u
#define MAGIC_READ 0x5CE7C4A6u

#define CSR_RMVF (1u << 24)
#define CSR_PINRSTF (1u << 26)
#define CSR_PORRSTF (1u << 27)
#define CSR_SFTRSTF (1u << 28)
#define CSR_IWDGRSTF (1u << 29)
#define CSR_WWDGRSTF (1u << 30)
#define CSR_LPWRRSTF (1u << 31)

/* In memory that neither loader nor startup code writes. After power-on its contents are random: magic and sum tell. */
static struct {
    uint32_t magic;
    scn_port_crash_t crash;
    uint32_t sum;
} kept __attribute__((section(".noinit")));

static SCN_PORT_SETTING scn_port_crash_t last; /* crash of the previous run; `count` 0: none */
static SCN_PORT_SETTING scn_port_reset_t cause;

static uint32_t sum(void) {
    const uint32_t *words = (const uint32_t *)(const void *)&kept.crash;
    uint32_t value = kept.magic;
    for (uint32_t i = 0; i < sizeof kept.crash / sizeof *words; i++) {
        value = (value << 5 | value >> 27) ^ words[i];
    }
    return ~value;
}

static bool whole(void) {
    const bool marked = kept.magic == MAGIC_FRESH || kept.magic == MAGIC_READ;
    return marked && kept.sum == sum() && kept.crash.count > 0;
}

scn_port_reset_t scn_crash_reset_cause(uint32_t csr) {
    static const struct {
        uint32_t flag;
        scn_port_reset_t cause;
    } causes[] = {
        {CSR_PORRSTF, SCN_PORT_RESET_POWER},     {CSR_LPWRRSTF, SCN_PORT_RESET_LOW_POWER},
        {CSR_IWDGRSTF, SCN_PORT_RESET_WATCHDOG}, {CSR_WWDGRSTF, SCN_PORT_RESET_WATCHDOG},
        {CSR_SFTRSTF, SCN_PORT_RESET_SOFTWARE},  {CSR_PINRSTF, SCN_PORT_RESET_PIN},
    };
    for (uint32_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        if (csr & causes[i].flag) {
            return causes[i].cause;
        }
    }
    return SCN_PORT_RESET_UNKNOWN;
}

void scn_crash_begin(void) {
    cause = scn_crash_reset_cause(SCN_RCC_CSR);
    SCN_RCC_CSR |= CSR_RMVF;
    const bool recorded = whole() && kept.magic == MAGIC_FRESH;
    if (cause == SCN_PORT_RESET_WATCHDOG && !recorded) { /* a reset by the independent watchdog leaves no record */
        scn_crash_remember(&(scn_port_crash_t){.cause = SCN_PORT_CRASH_WATCHDOG});
    }
    if (whole()) {
        last = kept.crash;
        kept.magic = MAGIC_READ;
        kept.sum = sum();
    }
}

uint32_t scn_crash_remember(const scn_port_crash_t *crash) {
    const uint32_t before = whole() ? kept.crash.count : 0u;
    kept.magic = MAGIC_FRESH;
    kept.crash = *crash;
    kept.crash.count = before + 1u;
    kept.sum = sum();
    return kept.crash.count;
}

void scn_port_survived(void) {
    kept.magic = 0;
}

scn_port_crash_t scn_port_crash(void) {
    return last;
}

scn_port_reset_t scn_port_reset(void) {
    return cause;
}
