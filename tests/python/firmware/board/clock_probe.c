/* The clock tree's code over registers in memory. A status bit that is set from the start is a clock that starts; QEMU
 * cannot show any of this, since it has no clock tree. */
#include "scn_port.h"

static struct scn_fake_rcc *fake(void);
#define SCN_RCC ((scn_rcc_t *)fake())
#define SCN_FLASH_ACR fake_acr
static volatile uint32_t fake_acr;

#include "clock.c"

static scn_rcc_t registers;
static struct scn_fake_rcc *fake(void) {
    return (struct scn_fake_rcc *)&registers;
}

typedef struct {
    uint32_t source, cpu_hz, apb1_hz, apb2_hz, cr, pllcfgr, cfgr, acr;
} probe_t;

probe_t probe(uint32_t cr, uint32_t cfgr) {
    registers.CR = cr;
    registers.CFGR = cfgr;
    registers.PLLCFGR = 0;
    fake_acr = 0;
    const scn_clock_t clock = scn_clock_init();
    return (probe_t){(uint32_t)clock.source, clock.cpu_hz,      clock.apb1_hz,  clock.apb2_hz,
                     registers.CR,           registers.PLLCFGR, registers.CFGR, fake_acr};
}
