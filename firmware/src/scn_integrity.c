/* SPDX-License-Identifier: MIT */
#include "scn_integrity.h"

#include "scn_crc.h"
#include "scn_port.h"

#include <string.h>

static size_t checked;       /* bytes of the image */
static uint32_t checked_crc; /* of those */
static uint32_t passes;
static uint32_t found_crc; /* of the last whole pass */
static uint32_t confirmed_passes, turns;
static uint64_t confirmed; /* cycles */
static uint64_t due;       /* cycles */
static SCN_PORT_SETTING scn_integrity_guard_t guarded[SCN_INTEGRITY_GUARDS];
static uint32_t settings_crc;

static uint32_t crc_of_settings(void) {
    const scn_port_settings_t settings = scn_port_settings();
    uint32_t crc = scn_crc32_more(0, settings.bytes, settings.count);
    for (uint32_t i = 0; i < SCN_INTEGRITY_GUARDS; i++) {
        crc = scn_crc32_more(crc, guarded[i].bytes, guarded[i].count);
    }
    return crc;
}

void scn_integrity_begin(const scn_integrity_guard_t guards[SCN_INTEGRITY_GUARDS]) {
    memcpy(guarded, guards, sizeof guarded);
    settings_crc = crc_of_settings();
    checked = 0;
    checked_crc = 0;
    found_crc = scn_port_image().crc32;
    turns = 0;
    due = confirmed = scn_port_cycles();
}

/* The port's settings first: they say where the image lies and how a failure is printed. A time that is too far ahead
 * comes from a flipped bit in RAM only. */
void scn_integrity_step(void) {
    const uint64_t now = scn_port_cycles();
    if (now < due && due - now <= SCN_INTEGRITY_CYCLES) {
        return;
    }
    due = now + SCN_INTEGRITY_CYCLES;
    if (crc_of_settings() != settings_crc) {
        scn_port_fail(SCN_PORT_CRASH_RAM);
    }
    const scn_port_image_t image = scn_port_image();
    if (image.count == 0) { /* the program does not lie in flash */
        return;
    }
    const size_t left = image.count - checked, slice = left < SCN_INTEGRITY_SLICE ? left : SCN_INTEGRITY_SLICE;
    checked_crc = scn_crc32_more(checked_crc, (const uint8_t *)image.bytes + checked, slice);
    checked += slice;
    if (checked < image.count) {
        return;
    }
    found_crc = checked_crc;
    if (checked_crc != image.crc32) {
        scn_port_fail(SCN_PORT_CRASH_FLASH);
    }
    passes++;
    checked = 0;
    checked_crc = 0;
}

void scn_integrity_confirm(void) {
    const uint64_t now = scn_port_cycles();
    const scn_port_image_t image = scn_port_image();
    if (now - confirmed >= SCN_INTEGRITY_CYCLES) {
        confirmed = now;
        turns++;
    }
    if (passes != confirmed_passes) {
        confirmed_passes = passes;
        turns = 0;
    }
    const bool stalled =
        image.count > 0 && turns > 2u * (image.count / SCN_INTEGRITY_SLICE + SCN_INTEGRITY_SPARE_TURNS);
    if (stalled || found_crc != image.crc32) {
        scn_port_fail(SCN_PORT_CRASH_FLASH);
    }
}

bool scn_integrity_whole(void) {
    const scn_port_image_t image = scn_port_image();
    return scn_crc32_more(0, image.bytes, image.count) == image.crc32;
}

uint32_t scn_integrity_passes(void) {
    return passes;
}
