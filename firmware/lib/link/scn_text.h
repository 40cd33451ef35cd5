/* SPDX-License-Identifier: MIT */
/* Lines of text to the console, with a checksum for machines. */
#ifndef SCN_TEXT_H
#define SCN_TEXT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Destination of the text. */
typedef void (*scn_text_write_t)(const void *bytes, size_t count);

/* An unfinished line; `crc` covers everything since its start. */
typedef struct {
    scn_text_write_t write;
    uint16_t crc;
} scn_text_t;

scn_text_t scn_text_start(scn_text_write_t write);

void scn_text_string(scn_text_t *text, const char *string);
/* A name from a model, as the value of a field: a space, '=', '%', square brackets and control characters become % and
 * two hexadecimal digits, so that no name can end its field or its line, or look like another field. */
void scn_text_name(scn_text_t *text, const char *name);
void scn_text_unsigned(scn_text_t *text, uint64_t value);
void scn_text_signed(scn_text_t *text, int32_t value);

/* `digits` hexadecimal digits of `value`, 1 to 8. */
void scn_text_hex(scn_text_t *text, uint32_t value, int digits);

/* End the line: CR LF, before it " *" and the CRC-16 of the line as four hexadecimal digits. */
void scn_text_end(scn_text_t *text);

/* End the line with CR LF only. */
void scn_text_end_plain(scn_text_t *text);

#ifdef __cplusplus
}
#endif

#endif
