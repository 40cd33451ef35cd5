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

uint32_t scn_crc32(const void *bytes, size_t count) {
    const uint8_t *byte = bytes;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        crc ^= byte[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}
