/* SPDX-License-Identifier: MIT */
#include "scn_crc.h"

/* One step of CRC-16 for a byte without a table (the polynomial has few terms): 8 shifts become 5 operations. */
static uint16_t crc16_byte(uint16_t crc, uint8_t byte) {
    uint32_t x = (uint32_t)(crc >> 8) ^ byte;
    x ^= x >> 4;
    return (uint16_t)((uint32_t)crc << 8 ^ x << 12 ^ x << 5 ^ x);
}

uint16_t scn_crc16(uint16_t crc, const void *bytes, size_t count) {
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < count; i++) {
        crc = crc16_byte(crc, byte[i]);
    }
    return crc;
}

/* The polynomial 0xEDB88320 for each half byte: 64 bytes of table, a third of the time of a bitwise loop. */
static const uint32_t crc32_half[16] = {
    0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
    0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
};

uint32_t scn_crc32_more(uint32_t crc, const void *bytes, size_t count) {
    const uint8_t *byte = bytes;
    crc = ~crc;
    for (size_t i = 0; i < count; i++) {
        crc ^= byte[i];
        crc = crc >> 4 ^ crc32_half[crc & 15u];
        crc = crc >> 4 ^ crc32_half[crc & 15u];
    }
    return ~crc;
}

uint32_t scn_crc32(const void *bytes, size_t count) {
    return scn_crc32_more(0, bytes, count);
}
