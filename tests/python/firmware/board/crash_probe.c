/* Boots with one record in memory, with reset flags that QEMU does not have. */
#include "scn_port.h"

#define SCN_RCC_CSR fake_csr
static volatile uint32_t fake_csr;

#include "crash.c"

/* Power-on: the memory that survives resets holds anything. */
void power_on(uint8_t filling) {
    uint8_t *bytes = (uint8_t *)&kept;
    for (uint32_t i = 0; i < sizeof kept; i++) {
        bytes[i] = filling;
    }
}

/* One boot; returns the record of the run before. */
scn_port_crash_t reboot(uint32_t csr) {
    last = (scn_port_crash_t){0};
    fake_csr = csr;
    scn_crash_begin();
    return scn_port_crash();
}

bool flags_were_cleared(void) {
    return (fake_csr & CSR_RMVF) != 0;
}

uint32_t crash(uint32_t pc) {
    return scn_crash_remember(&(scn_port_crash_t){.cause = SCN_PORT_CRASH_FAULT, .pc = pc});
}

/* A bit of the record flips. */
void damage(void) {
    kept.crash.pc ^= 1u;
}
