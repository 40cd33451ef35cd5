/* SPDX-License-Identifier: MIT */
#include "scn_text.h"

#include "scn_crc.h"

#include <stdbool.h>
#include <string.h>

#define DIGITS 20 /* of the largest uint64_t */

static void put(scn_text_t *text, const char *bytes, size_t count) {
    text->crc = scn_crc16(text->crc, bytes, count);
    text->write(bytes, count);
}

scn_text_t scn_text_start(scn_text_write_t write) {
    return (scn_text_t){write, SCN_CRC16_START};
}

void scn_text_string(scn_text_t *text, const char *string) {
    put(text, string, strlen(string));
}

static bool ends_field(char character) {
    return (unsigned char)character <= ' ' || character == 0x7F || strchr("%=[]", character) != NULL;
}

void scn_text_name(scn_text_t *text, const char *name) {
    for (; *name; name++) {
        if (ends_field(*name)) {
            scn_text_string(text, "%");
            scn_text_hex(text, (unsigned char)*name, 2);
        } else {
            put(text, name, 1);
        }
    }
}

void scn_text_unsigned(scn_text_t *text, uint64_t value) {
    char digits[DIGITS];
    size_t first = DIGITS;
    do {
        digits[--first] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value > 0);
    put(text, digits + first, DIGITS - first);
}

void scn_text_signed(scn_text_t *text, int32_t value) {
    if (value < 0) {
        scn_text_string(text, "-");
    }
    scn_text_unsigned(text, value < 0 ? 0u - (uint32_t)value : (uint32_t)value);
}

void scn_text_hex(scn_text_t *text, uint32_t value, int digits) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
        put(text, &"0123456789abcdef"[value >> shift & 15u], 1);
    }
}

void scn_text_end(scn_text_t *text) {
    const uint16_t crc = text->crc;
    scn_text_string(text, " *");
    scn_text_hex(text, crc, 4);
    scn_text_end_plain(text);
}

void scn_text_end_plain(scn_text_t *text) {
    scn_text_string(text, "\r\n");
}
