/* The watchdogs' code over registers in memory. QEMU ignores the independent watchdog, so its registers are modelled as
 * the manual describes them: locked but after 0x5555, values busy on their way until their oscillator has ticked. */
#include "scn_port.h"

static struct scn_fake_rcc *fake_rcc(void);
static struct scn_fake_iwdg *fake_iwdg(void);
#define SCN_RCC ((scn_rcc_t *)fake_rcc())
#define SCN_FLASH_ACR fake_register
#define SCN_IWDG ((scn_iwdg_t *)fake_iwdg())
#define SCN_DBGMCU_APB1_FZ fake_register
static volatile uint32_t fake_register;

#include "watchdog.c"

typedef struct {
    uint32_t started, prescaler, reload, refreshed, accesses, errors, ended, cause, freeze;
} probe_t;

static scn_rcc_t rcc = {.CR = SCN_RCC_CR_HSION};
static scn_iwdg_t iwdg;
static probe_t model;
static uint32_t unlocked, busy_for;

static struct scn_fake_rcc *fake_rcc(void) {
    return (struct scn_fake_rcc *)&rcc;
}

/* Before each access: take in what the one before has written. A value that is written while its register is locked,
 * busy, or before the oscillator runs is an error. */
static struct scn_fake_iwdg *fake_iwdg(void) {
    model.accesses++;
    model.started += iwdg.KR == SCN_IWDG_KR_START;
    model.refreshed += iwdg.KR == SCN_IWDG_KR_REFRESH;
    unlocked = iwdg.KR ? iwdg.KR == SCN_IWDG_KR_WRITE : unlocked;
    iwdg.KR = 0;
    if (iwdg.PR != model.prescaler || iwdg.RLR != model.reload) {
        model.errors += !unlocked || !model.started;
        model.prescaler = iwdg.PR;
        model.reload = iwdg.RLR;
        iwdg.SR = SCN_IWDG_SR_BUSY;
    } else if (busy_for > 0) {
        busy_for--;
    } else {
        iwdg.SR = 0;
    }
    return (struct scn_fake_iwdg *)&iwdg;
}

void scn_systick_interrupt(void) {}

/* In the firmware this never returns; here it must, so that the test can inspect it. */
__attribute__((noreturn)) static void leave(void);
#include <setjmp.h>
static jmp_buf before;
static void leave(void) {
    longjmp(before, 1);
}

_Noreturn void scn_fault_end(scn_port_crash_cause_t cause, const uint32_t *frame) {
    (void)frame;
    model.ended = 1;
    model.cause = cause;
    leave();
}

/* Start with registers that stay busy for so many accesses, then let SysTick wrap; the program calls scn_port_alive
 * every `alive_every` wraps (0: never). */
probe_t probe(uint32_t busy, uint32_t turns, uint32_t alive_every) {
    model = (probe_t){0};
    iwdg = (scn_iwdg_t){0};
    watching = false;
    unlocked = 0;
    busy_for = busy;
    fake_register = 0;
    scn_watchdog_tick(NULL); /* before anything is watched */
    scn_port_watch();
    if (setjmp(before) == 0) {
        for (volatile uint32_t turn = 1; turn <= turns; turn++) {
            scn_watchdog_tick(NULL);
            if (alive_every > 0 && turn % alive_every == 0) {
                scn_port_alive();
            }
        }
    }
    (void)fake_iwdg(); /* take in the last write */
    model.freeze = fake_register;
    return model;
}
