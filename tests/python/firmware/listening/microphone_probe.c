/* The microphone's driver with every register access handed to a test, which plays the chip. Addresses are the real
 * ones, so that the test knows registers by what the reference manual says and not by the driver's own names. */
#include <stdint.h>

static uint32_t (*bus_read)(uint32_t address);
static void (*bus_write)(uint32_t address, uint32_t value);

#define SCN_READ(reg) bus_read((uint32_t)(uintptr_t) & (reg))
#define SCN_WRITE(reg, value) bus_write((uint32_t)(uintptr_t) & (reg), (uint32_t)(value))
#define SCN_RCC ((scn_rcc_t *)(uintptr_t)0x40023800u)
#define SCN_RCC_CSR (*(scn_register_t *)(uintptr_t)0x40023874u)
#define SCN_FLASH_ACR (*(scn_register_t *)(uintptr_t)0x40023C00u)

#include "gpio.c"
#include "microphone.c"

static uint32_t heard_blocks, lost_blocks;
static uint16_t heard_first;
static void (*while_hearing)(void);

static void hear(void *context, const uint16_t *block) {
    (void)context;
    if (!block) {
        lost_blocks++;
        return;
    }
    heard_blocks++;
    heard_first = block[0];
    if (while_hearing) {
        while_hearing();
    }
}

void probe_bus(uint32_t (*read)(uint32_t), void (*write)(uint32_t, uint32_t), void (*hearing)(void)) {
    bus_read = read;
    bus_write = write;
    while_hearing = hearing;
    heard_blocks = lost_blocks = 0;
    blocks[0][0] = 100;
    blocks[1][0] = 101;
}

int probe_start(uint32_t rate, int emulated) {
    const scn_clock_t clock = {.source = emulated ? SCN_PORT_CLOCK_EMULATED : SCN_PORT_CLOCK_EXTERNAL};
    scn_microphone_init(&clock);
    return scn_port_microphone_start(rate, hear, NULL);
}

void probe_stop(void) {
    scn_port_microphone_stop();
}

void probe_interrupt(void) {
    scn_microphone_interrupt();
}

int probe_kind(void) {
    return scn_port_microphone();
}

uint32_t probe_heard(void) {
    return heard_blocks;
}

uint32_t probe_lost(void) {
    return lost_blocks;
}

uint32_t probe_first(void) {
    return heard_first;
}

void probe_led(int on) {
    scn_gpio_output(SCN_BOARD_LED_PORT, SCN_BOARD_LED_PIN);
    scn_gpio_drive(SCN_BOARD_LED_PORT, SCN_BOARD_LED_PIN, on);
}

uint32_t probe_block_address(uint32_t which) {
    return (uint32_t)(uintptr_t)blocks[which];
}
