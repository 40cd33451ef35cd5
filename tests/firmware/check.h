/* Tests for the board, for QEMU and for this computer. Results are lines that PlatformIO reads, `file:line:name:PASS`.
 *
 *     static void test_name(void) { CHECK(1 + 1 == 2); CHECK_EQUAL(sum, 4); }
 *     int main(void) { check_begin(); RUN(test_name); return check_end(); }
 *
 * A check that fails ends its test. A crash ends the program before its summary, with a status that is not 0. */
#ifndef CHECK_H
#define CHECK_H

#include "scn_port.h"
#include "scn_text.h"

typedef struct {
    const char *failed; /* the expression that was false; NULL while the test passes */
    int line;
    int64_t got, expected;
    bool compared;
    uint32_t tests, failures;
} check_state_t;

static check_state_t check;

#define CHECK(condition) CHECK_OR_RETURN(condition, #condition)

/* Integers of any type that fits int64_t, evaluated once; the message shows both. */
#define CHECK_EQUAL(value, wanted)                                                                                     \
    do {                                                                                                               \
        check.got = (int64_t)(value);                                                                                  \
        check.expected = (int64_t)(wanted);                                                                            \
        check.compared = check.got != check.expected;                                                                  \
        CHECK_OR_RETURN(!check.compared, #value);                                                                      \
    } while (0)

#define CHECK_OR_RETURN(condition, text)                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            check.failed = text;                                                                                       \
            check.line = __LINE__;                                                                                     \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)

#define RUN(test) check_run(__FILE__, __LINE__, #test, test)

static void check_ignore(void *context, uint8_t byte) {
    (void)context;
    (void)byte;
}

static inline void check_begin(void) {
    scn_port_init(check_ignore, NULL);
}

static void check_signed(scn_text_t *text, int64_t value) {
    if (value < 0) {
        scn_text_string(text, "-");
    }
    scn_text_unsigned(text, value < 0 ? 0u - (uint64_t)value : (uint64_t)value);
}

static inline void check_run(const char *file, int line, const char *name, void (*test)(void)) {
    check.failed = NULL;
    check.compared = false;
    test();
    check.tests++;
    scn_text_t text = scn_text_start(scn_port_write);
    scn_text_string(&text, file);
    scn_text_string(&text, ":");
    scn_text_signed(&text, check.failed ? check.line : line);
    scn_text_string(&text, ":");
    scn_text_string(&text, name);
    scn_text_string(&text, check.failed ? ":FAIL: " : ":PASS");
    if (check.failed) {
        check.failures++;
        scn_text_string(&text, check.failed);
        if (check.compared) {
            scn_text_string(&text, " got ");
            check_signed(&text, check.got);
            scn_text_string(&text, " not ");
            check_signed(&text, check.expected);
        }
    }
    scn_text_end_plain(&text);
}

/* Prints the summary. Returns 0: PlatformIO counts the FAIL lines, and a status other than 0 would hide them. */
static inline int check_end(void) {
    scn_text_t text = scn_text_start(scn_port_write);
    scn_text_unsigned(&text, check.tests);
    scn_text_string(&text, " Tests ");
    scn_text_unsigned(&text, check.failures);
    scn_text_string(&text, " Failures 0 Ignored");
    scn_text_end_plain(&text);
    return 0;
}

#endif
