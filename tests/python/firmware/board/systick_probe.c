/* The cycle counter over registers in memory: its interrupt can be made to come between the two reads, which no
 * emulated board does on demand. */
#include "scn_port.h"

static struct scn_fake_systick *fake(void);
#define SCN_SYSTICK ((scn_systick_t *)fake())

#include "systick.c"

static scn_systick_t registers;
static uint32_t interrupt_at, reads, value_after;

/* Called at every access; the counter wraps, and its interrupt comes, just before the one that was asked for. */
static struct scn_fake_systick *fake(void) {
    if (++reads == interrupt_at) {
        scn_systick_interrupt();
        registers.VAL = value_after;
    }
    return (struct scn_fake_systick *)&registers;
}

/* Cycles, the counter being at `value`; at the given access it wraps and goes on at `after`. 0: it does not wrap. */
uint64_t probe(uint32_t earlier_wraps, uint32_t value, uint32_t wrap_at, uint32_t after) {
    wraps = earlier_wraps;
    registers.VAL = value;
    value_after = after;
    interrupt_at = wrap_at;
    reads = 0;
    return scn_systick_cycles();
}
