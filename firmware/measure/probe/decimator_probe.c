/* SPDX-License-Identifier: MIT */
/* Runs the decimator on the emulated board: reads "header" (rate in, rate out; rate in 1,024,000 is PDM) and "input"
 * (int32 samples, or uint16 words of PDM), writes "output" (int32 samples) and "cycles" (uint64, of all of them). */
#include "scn_cic.h"
#include "scn_decimator.h"
#include "scn_port.h"
#include "semihost.h"

#define BLOCK 256u /* samples, or words of PDM */

static scn_decimator_t decimator;
static scn_cic_t cic;
static uint16_t words[BLOCK];
static int32_t block[BLOCK];

static void ignore(void *context, uint8_t byte) {
    (void)context;
    (void)byte;
}

static size_t take(bool pdm, int32_t *out, size_t count, uint64_t *cycles) {
    const uint64_t start = scn_port_cycles();
    if (pdm) {
        scn_cic_push(&cic, words, count, block);
    }
    count = scn_decimator_push(&decimator, block, count, out);
    *cycles += scn_port_cycles() - start;
    return count;
}

int main(void) {
    static int32_t out[BLOCK];
    uint32_t rates[2] = {0};
    uint64_t cycles = 0;
    scn_port_init(ignore, NULL);
    const int header = scn_semihost_open("header", SCN_SEMIHOST_READ);
    const int input = scn_semihost_open("input", SCN_SEMIHOST_READ);
    const int output = scn_semihost_open("output", SCN_SEMIHOST_WRITE);
    const int spent = scn_semihost_open("cycles", SCN_SEMIHOST_WRITE);
    if (header < 0 || input < 0 || output < 0 || spent < 0 || scn_semihost_read(header, rates, sizeof rates) != 0) {
        return 1;
    }
    const bool pdm = rates[0] == SCN_PDM_RATE;
    scn_cic_begin(&cic);
    scn_decimator_begin(&decimator);
    if (!scn_decimator_extend(&decimator, pdm ? SCN_CIC_RATE : rates[0], rates[1])) {
        return 2;
    }
    const size_t unit = pdm ? sizeof *words : sizeof *block, most = BLOCK * unit;
    size_t missing = 0;
    while (missing == 0) {
        missing = (size_t)scn_semihost_read(input, pdm ? (void *)words : (void *)block, most);
        if (missing < most) {
            const size_t made = take(pdm, out, (most - missing) / unit, &cycles);
            scn_semihost_write(output, out, made * sizeof *out);
        }
    }
    scn_semihost_write(spent, &cycles, sizeof cycles);
    scn_semihost_close(output);
    scn_semihost_close(spent);
    return 0;
}
