/* SPDX-License-Identifier: MIT */
/* The two checksums of the link. */
#ifndef SCN_CRC_H
#define SCN_CRC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* CRC-16/IBM-3740 ("CCITT-FALSE"): polynomial 0x1021, start 0xFFFF, no reflection, no final exclusive or.
 * "123456789" gives 0x29B1. Python: binascii.crc_hqx(data, 0xFFFF). */
#define SCN_CRC16_START 0xFFFFu
uint16_t scn_crc16(uint16_t crc, const void *bytes, size_t count);

/* CRC-32 (IEEE 802.3, zlib's). "123456789" gives 0xCBF43926. */
uint32_t scn_crc32(const void *bytes, size_t count);

/* The same of data in pieces: `crc` is that of all pieces before, 0 before the first. */
uint32_t scn_crc32_more(uint32_t crc, const void *bytes, size_t count);

#ifdef __cplusplus
}
#endif

#endif
