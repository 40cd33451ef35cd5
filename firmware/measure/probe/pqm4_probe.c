/* SPDX-License-Identifier: MIT */
/* Runs a scheme of pqm4 on the emulated board under the plugin of QEMU: tools/experiments/cycles.py builds it with that
 * project's sources. Each run is a key pair, then what the scheme does with it; a step of the plugin each. */
#include "api.h"
#include "randombytes.h"
#include "scn_port.h"
#include "stage_timer.h"

#include <stddef.h>
#include <string.h>

#define RUNS 5

volatile uint8_t scn_probe_marks[SCN_MARK_FRAME + 1];

/* pqm4's source of random bytes; deterministic here. */
int randombytes(uint8_t *bytes, size_t count) {
    static uint32_t state = 1;
    for (size_t i = 0; i < count; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes[i] = (uint8_t)state;
    }
    return 0;
}

static void end_step(void) {
    scn_probe_marks[SCN_MARK_STEP] = 1;
}

static uint8_t public_key[CRYPTO_PUBLICKEYBYTES], secret_key[CRYPTO_SECRETKEYBYTES];

#ifdef PQM4_KEM
static uint8_t cipher[CRYPTO_CIPHERTEXTBYTES], sent[CRYPTO_BYTES], got[CRYPTO_BYTES];

/* Whether both sides have the same secret. */
static bool run(void) {
    crypto_kem_keypair(public_key, secret_key);
    end_step();
    crypto_kem_enc(cipher, sent, public_key);
    end_step();
    crypto_kem_dec(got, cipher, secret_key);
    end_step();
    return memcmp(sent, got, sizeof sent) == 0;
}
#else
static uint8_t signature[CRYPTO_BYTES];

/* Whether the signature is accepted. */
static bool run(void) {
    static const uint8_t message[59];
    size_t length;
    crypto_sign_keypair(public_key, secret_key);
    end_step();
    crypto_sign_signature(signature, &length, message, sizeof message, secret_key);
    end_step();
    const bool accepted = crypto_sign_verify(signature, length, message, sizeof message, public_key) == 0;
    end_step();
    return accepted;
}
#endif

static void ignore(void *context, uint8_t byte) {
    (void)context;
    (void)byte;
}

int main(void) {
    bool good = true;
    scn_port_init(ignore, NULL);
    scn_probe_marks[SCN_MARK_START] = 1;
    for (int i = 0; i < RUNS; i++) {
        good = run() && good;
    }
    scn_probe_marks[SCN_MARK_STOP] = 1;
    scn_port_exit(good ? 0 : 1);
}
