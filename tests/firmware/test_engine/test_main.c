/* The kernels as compiled for the board against TFLite's reference interpreter, bit for bit. */
#include "check.h"
#include <scn_engine.h>
#include <scn_port.h> /* named here so that PlatformIO links what check.h uses */
#include <scn_text.h>
#include <string.h>

typedef struct {
    const char *name;
    void (*run)(int8_t *output, void *scratch);
    const int8_t *want;
    int32_t elements;
    int32_t scratch_bytes;
} vector_t;

#include "vectors.h"

enum { GUARD = 16, FILL = 0x5A };

static const vector_t *current;
static _Alignas(4) uint8_t output[GUARD + VECTORS_OUTPUT_BYTES + GUARD];
static _Alignas(4) uint8_t scratch[GUARD + VECTORS_SCRATCH_BYTES + GUARD];

/* Whether nothing was written outside a kernel's memory. */
static bool intact(const uint8_t *memory, size_t size, int32_t used) {
    for (size_t i = 0; i < size; ++i) {
        const bool inside = i >= GUARD && i < GUARD + (size_t)used;
        if (!inside && memory[i] != FILL) {
            return false;
        }
    }
    return true;
}

static void test_vector(void) {
    memset(output, FILL, sizeof output);
    memset(scratch, FILL, sizeof scratch);
    current->run((int8_t *)output + GUARD, scratch + GUARD);
    for (int32_t i = 0; i < current->elements; ++i) {
        CHECK_EQUAL((int8_t)output[GUARD + i], current->want[i]);
    }
    CHECK(intact(output, sizeof output, current->elements));
    CHECK(intact(scratch, sizeof scratch, current->scratch_bytes));
}

int main(void) {
    check_begin();
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; ++i) {
        current = &vectors[i];
        check_run(__FILE__, __LINE__, current->name, test_vector);
    }
    return check_end();
}
