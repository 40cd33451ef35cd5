/* SPDX-License-Identifier: MIT */
/* PDM at 1.024 MHz to samples of 24 bits at 64 kHz: a CIC of order 5 and factor 16, docs/SPEC.md. */
#ifndef SCN_CIC_H
#define SCN_CIC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SCN_PDM_RATE 1024000u
#define SCN_CIC_RATE 64000u /* one sample per word of 16 bits */

/* The newest 96 bits, of which the filter reaches over 76. */
typedef struct {
    uint32_t newest, middle, oldest;
} scn_cic_t;

/* Begin with silence: bits that alternate. */
void scn_cic_begin(scn_cic_t *cic);

/* Take words, the first bit in the most significant place; 1 is up. Each word gives one sample. */
void scn_cic_push(scn_cic_t *cic, const uint16_t *words, size_t count, int32_t *out);

#ifdef __cplusplus
}
#endif

#endif
