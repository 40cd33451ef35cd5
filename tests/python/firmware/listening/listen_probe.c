/* The path from the microphone's interrupt to the main loop; a test plays the microphone. */
#include "scn_listen.h"
#include "scn_port.h"

static scn_port_microphone_t kind;
static bool starts = true;
static scn_port_block_t hear;
static void *hear_context;
static uint32_t started;

scn_port_microphone_t scn_port_microphone(void) {
    return kind;
}

bool scn_port_microphone_start(uint32_t rate, scn_port_block_t heard, void *context) {
    (void)rate;
    hear = heard;
    hear_context = context;
    started++;
    return starts;
}

void scn_port_microphone_stop(void) {}

static uint64_t now;

scn_port_clock_t scn_port_clock(void) {
    return SCN_PORT_CLOCK_EXTERNAL;
}

uint32_t scn_port_cpu_hz(void) {
    return 1000u;
}

uint64_t scn_port_cycles(void) {
    return now;
}

/* A millisecond is a cycle here. */
void probe_wait(uint32_t milliseconds) {
    now += milliseconds;
}

int probe_restart(void) {
    return scn_listen_restart();
}

uint32_t probe_started(void) {
    return started;
}

int probe_start(int pdm, int works) {
    kind = pdm ? SCN_PORT_MICROPHONE_PDM : SCN_PORT_MICROPHONE_I2S;
    starts = works;
    return scn_listen_start();
}

void probe_block(const uint16_t *block) {
    hear(hear_context, block);
}

size_t probe_take(uint8_t *bytes, size_t count) {
    return scn_listen_take(bytes, count);
}

int probe_idle(void) {
    return scn_listen_idle();
}

int probe_gap(void) {
    return scn_listen_gap();
}

uint32_t probe_overruns(void) {
    return scn_listen_lost().overruns;
}

uint32_t probe_lost_blocks(void) {
    return scn_listen_lost().lost_blocks;
}
