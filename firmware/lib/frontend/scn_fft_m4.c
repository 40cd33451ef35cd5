/* SPDX-License-Identifier: MIT */
#include "scn_fft_m4.h"

#include "scn_dsp.h"

#if SCN_DSP_ASM

#include <stddef.h>

_Static_assert(offsetof(scn_fft_stage_t, last) == 28, "registers below");
_Static_assert(offsetof(scn_fft_first_t, swing) == 40, "registers below");

#define NAKED __attribute__((naked))

/* clang-format off */

NAKED uint32_t scn_magnitudes_m4(__attribute__((unused)) const int32_t *samples,
                                 __attribute__((unused)) uint32_t count) {
    __asm__ volatile("push {r4-r10, lr}\n"
                     "add r1, r0, r1, lsl #2\n"
                     "mov r2, #0\n"
                     "1:\n"
                     "ldm r0!, {r3-r10}\n"
                     "eor r3, r3, r3, asr #31\n"
                     "orr r2, r3\n"
                     "eor r4, r4, r4, asr #31\n"
                     "orr r2, r4\n"
                     "eor r5, r5, r5, asr #31\n"
                     "orr r2, r5\n"
                     "eor r6, r6, r6, asr #31\n"
                     "orr r2, r6\n"
                     "eor r7, r7, r7, asr #31\n"
                     "orr r2, r7\n"
                     "eor r8, r8, r8, asr #31\n"
                     "orr r2, r8\n"
                     "eor r9, r9, r9, asr #31\n"
                     "orr r2, r9\n"
                     "eor r10, r10, r10, asr #31\n"
                     "orr r2, r10\n"
                     "cmp r0, r1\n"
                     "bne 1b\n"
                     "mov r0, r2\n"
                     "pop {r4-r10, pc}\n");
}

/* Butterflies. r0 leg, r1 cos 2w, lr sin 2w, r2 count, r3 the value nearest to 1; [sp] cos 3w, sin 3w, cos w, sin w.
 * r4 .. r12 a .. i. The order of legs is that of the plain C. */
#define TURN_2 /* leg 2 turned by w: e, f */                                                                           \
    "ldrd r6, r7, [sp, #8]\n"                                                                                          \
    "smmulr r8, r4, r6\n"                                                                                              \
    "smmulr r9, r5, r6\n"                                                                                              \
    "smmlar r8, r5, r7, r8\n"                                                                                          \
    "smmlsr r9, r4, r7, r9\n"
#define TURN_3 /* plus leg 3 turned by 3w: sum g, h; difference e, f */                                                \
    "ldrd r6, r7, [sp]\n"                                                                                              \
    "smmlar r10, r4, r6, r8\n"                                                                                         \
    "smmlar r11, r5, r6, r9\n"                                                                                         \
    "smmlar r10, r5, r7, r10\n"                                                                                        \
    "smmlsr r11, r4, r7, r11\n"                                                                                        \
    "rsb r8, r10, r8, lsl #1\n"                                                                                        \
    "rsb r9, r11, r9, lsl #1\n"
#define TURN_1 /* leg 1 turned by 2w: i, c */                                                                          \
    "smmulr r12, r4, r1\n"                                                                                             \
    "smmulr r6, r5, r1\n"                                                                                              \
    "smmlar r12, r5, lr, r12\n"                                                                                        \
    "smmlsr r6, r4, lr, r6\n"
#define EVEN_ODD /* leg 0 plus it: even a, b; odd i, c */                                                              \
    "smmlar r4, r4, r3, r12\n"                                                                                         \
    "smmlar r5, r5, r3, r6\n"                                                                                          \
    "sub r12, r4, r12, lsl #1\n"                                                                                       \
    "sub r6, r5, r6, lsl #1\n"
#define RESULT_0 /* d, g; leaves leg 2 in a, b */                                                                      \
    "add r7, r4, r10\n"                                                                                                \
    "sub r4, r4, r10\n"                                                                                                \
    "add r10, r5, r11\n"                                                                                               \
    "sub r5, r5, r11\n"
#define RESULT_1 /* d, g; leaves leg 3 in i, c */                                                                      \
    "add r7, r12, r9\n"                                                                                                \
    "sub r12, r12, r9\n"                                                                                               \
    "sub r10, r6, r8\n"                                                                                                \
    "add r6, r6, r8\n"

/* All groups of one position, the legs at these bytes from r0. */
#define NARROW(leg0, leg1, leg2, leg3, group)                                                                          \
    "1:\n"                                                                                                             \
    "ldrd r4, r5, [r0, #" leg2 "]\n" TURN_2                                                                            \
    "ldrd r4, r5, [r0, #" leg3 "]\n" TURN_3                                                                            \
    "ldrd r4, r5, [r0, #" leg1 "]\n" TURN_1                                                                            \
    "ldrd r4, r5, [r0, #" leg0 "]\n" EVEN_ODD                                                                          \
    RESULT_0 "strd r7, r10, [r0, #" leg0 "]\n"                                                                         \
    RESULT_1 "strd r7, r10, [r0, #" leg1 "]\n"                                                                         \
    "strd r4, r5, [r0, #" leg2 "]\n"                                                                                   \
    "strd r12, r6, [r0, #" leg3 "]\n"                                                                                  \
    "subs r2, #1\n"                                                                                                    \
    "add r0, #" group "\n"                                                                                             \
    "bne 1b\n"                                                                                                         \
    "ldr pc, [sp, #16]\n"

NAKED void scn_fft_loop_2(void) {
    __asm__ volatile(NARROW("0", "16", "32", "48", "64"));
}

NAKED void scn_fft_loop_4(void) {
    __asm__ volatile(NARROW("0", "32", "64", "96", "128"));
}

NAKED void scn_fft_loop_8(void) {
    __asm__ volatile(NARROW("0", "64", "128", "192", "256"));
}

NAKED void scn_fft_loop_16(void) {
    __asm__ volatile(NARROW("0", "128", "256", "384", "512"));
}

NAKED void scn_fft_loop_32(void) {
    __asm__ volatile(NARROW("0", "256", "512", "768", "1024"));
}

NAKED void scn_fft_loop_64(void) {
    __asm__ volatile(NARROW("-768", "-256", "256", "768", "2048"));
}

/* One group; r0 begins at leg 2 and ends at leg 3. */
NAKED void scn_fft_loop_wide(void) {
    __asm__ volatile("ldrd r4, r5, [r0]\n"
                     TURN_2
                     "add r0, r2\n"
                     "ldrd r4, r5, [r0]\n"
                     TURN_3
                     "sub r0, r0, r2, lsl #1\n"
                     "ldrd r4, r5, [r0]\n"
                     TURN_1
                     "sub r0, r2\n"
                     "ldrd r4, r5, [r0]\n"
                     EVEN_ODD
                     RESULT_0
                     "strd r7, r10, [r0]\n"
                     "add r0, r2\n"
                     RESULT_1
                     "strd r7, r10, [r0]\n"
                     "add r0, r2\n"
                     "strd r4, r5, [r0]\n"
                     "add r0, r2\n"
                     "strd r12, r6, [r0]\n"
                     "ldr pc, [sp, #16]\n");
}

/* Positions k and span - k in turn: the second's factors are the first's with three signs and two swaps.
 * [sp] cos 3w, sin 3w; #8 cos w, sin w; #16 where a loop returns to; #20 leg at k; #24 count; #28 loop; #32 leg at
 * span - k; #36 sine; #40 quarter; #44 step; #48 last; #52 angle of k. */
NAKED void scn_fft_stage_m4(__attribute__((unused)) const scn_fft_stage_t *stage) {
    __asm__ volatile("push {r4-r11, lr}\n"
                     "ldm r0, {r4-r11}\n"
                     "sub sp, #60\n"
                     "add r7, r4\n"
                     "adr r3, 2f\n"
                     "orr r3, r3, #1\n"
                     "mov r12, #0\n"
                     "add r0, sp, #16\n"
                     "stm r0, {r3-r12}\n"
                     "mvn r3, #0x80000000\n"
                     "1:\n" /* factors at the angle r12, the quarter of the sine wave at r8 .. r8 + r9 */
                     "add r4, r8, r9\n"
                     "ldr r7, [r8, r12]\n"
                     "sub r4, r12\n"
                     "ldr r6, [r4]\n"
                     "sub r4, r12\n"
                     "ldr r1, [r4]\n"
                     "sub r4, r12\n"
                     "strd r6, r7, [sp, #8]\n"
                     "add r5, r8, r12, lsl #1\n"
                     "ldr lr, [r5]\n"
                     "cmp r4, r8\n"
                     "ittee hs\n" /* 3w within the quarter, else beyond it */
                     "ldrhs r6, [r4]\n"
                     "ldrhs r7, [r5, r12]\n"
                     "sublo r4, r8, r4\n"
                     "ldrlo r6, [r8, r4]\n"
                     "bhs 3f\n"
                     "sub r4, r9, r4\n"
                     "ldr r7, [r8, r4]\n"
                     "rsb r6, r6, #0\n"
                     "3:\n"
                     "strd r6, r7, [sp]\n"
                     "ldrd r0, r2, [sp, #20]\n"
                     "ldr pc, [sp, #28]\n"
                     ".balign 4\n"
                     "2:\n" /* after a loop; the stage's last position is its middle one */
                     "ldr r4, [sp, #48]\n"
                     "cmp r0, r4\n"
                     "beq 4f\n"
                     "bhi 5f\n"
                     "ldr r6, [sp, #52]\n"
                     "cbz r6, 5f\n"
                     "ldrd r4, r5, [sp]\n" /* span - k */
                     "ldrd r6, r7, [sp, #8]\n"
                     "rsb r4, r4, #0\n"
                     "rsb r5, r5, #0\n"
                     "strd r5, r4, [sp]\n"
                     "strd r7, r6, [sp, #8]\n"
                     "rsb r1, r1, #0\n"
                     "ldrd r2, r4, [sp, #24]\n"
                     "ldr r0, [sp, #32]\n"
                     "bx r4\n"
                     "5:\n" /* next k */
                     "add r5, sp, #20\n"
                     "ldm r5, {r4-r12}\n"
                     "add r4, #8\n"
                     "sub r7, #8\n"
                     "add r12, r10\n"
                     "str r4, [sp, #20]\n"
                     "str r7, [sp, #32]\n"
                     "str r12, [sp, #52]\n"
                     "b 1b\n"
                     "4:\n"
                     "add sp, #60\n"
                     "pop {r4-r11, pc}\n");
}

/* A bin pair. r0 bin k, r2 bin n_fft / 2 - k, lr the value nearest to 1; r4 .. r9 are used. */
#define SPLIT(cosine, sine)                                                                                            \
    "ldrd r4, r5, [r0]\n"                                                                                              \
    "ldrd r6, r7, [r2]\n"                                                                                              \
    "add r8, r4, r6\n" /* even r8, r6; odd r5, r4 */                                                                   \
    "sub r4, r6, r4\n"                                                                                                 \
    "sub r6, r5, r7\n"                                                                                                 \
    "add r5, r5, r7\n"                                                                                                 \
    "smmulr r8, r8, lr\n"                                                                                              \
    "smmulr r6, r6, lr\n"                                                                                              \
    "smmlar r7, r5, " cosine ", r8\n" /* even plus odd r7, r9; minus r8, r6 */                                         \
    "smmlar r9, r4, " cosine ", r6\n"                                                                                  \
    "smmlar r7, r4, " sine ", r7\n"                                                                                    \
    "smmlsr r9, r5, " sine ", r9\n"                                                                                    \
    "rsb r8, r7, r8, lsl #1\n"                                                                                         \
    "rsb r6, r9, r6, lsl #1\n"                                                                                         \
    "smull r4, r5, r8, r8\n"                                                                                           \
    "smlal r4, r5, r6, r6\n"                                                                                           \
    "strd r4, r5, [r2], #-8\n"                                                                                         \
    "smull r4, r5, r7, r7\n"                                                                                           \
    "smlal r4, r5, r9, r9\n"                                                                                           \
    "strd r4, r5, [r0], #8\n"

NAKED void scn_fft_split_m4(__attribute__((unused)) int32_t *work, __attribute__((unused)) const int32_t *sine,
                            __attribute__((unused)) uint32_t n_fft) {
    __asm__ volatile("push {r4-r11, lr}\n"
                     "add r3, r1, r2\n"
                     "add r2, r0, r2, lsl #2\n"
                     "add r0, #8\n"
                     "sub r2, #8\n"
                     "add r1, #4\n"
                     "sub r3, #4\n"
                     "mvn lr, #0x80000000\n"
                     "1:\n"
                     "ldrd r11, r12, [r1], #8\n"
                     "ldr r10, [r3], #-4\n"
                     SPLIT("r10", "r11")
                     "ldr r10, [r3], #-4\n"
                     SPLIT("r10", "r12")
                     "cmp r0, r2\n"
                     "bls 1b\n"
                     "pop {r4-r11, pc}\n");
}

/* First stage. r0 samples, r1 rise or sine, r2 fall or cosine, r3 shift, lr quarter; [sp] order, #4 next, #8 work, #12
 * end, #16 where the group goes to, #20 mean, #24 swing. */
#define FIRST_BEGIN                                                                                                    \
    "push {r4-r11, lr}\n"                                                                                              \
    "sub sp, #28\n"                                                                                                    \
    "add r12, r0, #20\n"                                                                                               \
    "ldm r12, {r4-r9}\n"                                                                                               \
    "strd r4, r5, [sp]\n"                                                                                              \
    "strd r6, r7, [sp, #8]\n"                                                                                          \
    "strd r8, r9, [sp, #20]\n"                                                                                         \
    "rbit r5, r4\n"                                                                                                    \
    "add r5, r6\n"                                                                                                     \
    "str r5, [sp, #16]\n"                                                                                              \
    "ldr lr, [r0, #16]\n"                                                                                              \
    "ldm r0, {r0-r3}\n"                                                                                                \
    "1:\n"
/* Even er, ei and odd or, oi of the first two legs, sum sr, si and difference dr, di of the others: four results. */
#define FIRST_RESULTS(er, ei, or, oi, sr, si, dr, di, at)                                                              \
    "add " er ", " sr "\n"                                                                                             \
    "add " ei ", " si "\n"                                                                                             \
    "sub " sr ", " er ", " sr ", lsl #1\n"                                                                             \
    "sub " si ", " ei ", " si ", lsl #1\n"                                                                             \
    "add " or ", " di "\n"                                                                                             \
    "sub " oi ", " dr "\n"                                                                                             \
    "sub " di ", " or ", " di ", lsl #1\n"                                                                             \
    "add " dr ", " oi ", " dr ", lsl #1\n"                                                                             \
    "ldr " at ", [sp, #16]\n"                                                                                          \
    "asr " er ", #1\n"                                                                                                 \
    "asr " ei ", #1\n"                                                                                                 \
    "strd " er ", " ei ", [" at "]\n"                                                                                  \
    "asr " or ", #1\n"                                                                                                 \
    "asr " oi ", #1\n"                                                                                                 \
    "strd " or ", " oi ", [" at ", #8]\n"                                                                              \
    "asr " sr ", #1\n"                                                                                                 \
    "asr " si ", #1\n"                                                                                                 \
    "strd " sr ", " si ", [" at ", #16]\n"                                                                             \
    "asr " di ", #1\n"                                                                                                 \
    "asr " dr ", #1\n"                                                                                                 \
    "strd " di ", " dr ", [" at ", #24]\n"
#define FIRST_END                                                                                                      \
    "ldm sp, {r4-r7}\n"                                                                                                \
    "add r4, r5\n"                                                                                                     \
    "str r4, [sp]\n"                                                                                                   \
    "rbit r5, r4\n"                                                                                                    \
    "add r5, r6\n"                                                                                                     \
    "str r5, [sp, #16]\n"                                                                                              \
    "sub r0, lr\n"                                                                                                     \
    "sub r0, r0, lr, lsl #1\n"                                                                                         \
    "cmp r4, r7\n"                                                                                                     \
    "bne 1b\n"                                                                                                         \
    "add sp, #28\n"                                                                                                    \
    "pop {r4-r11, pc}\n"

NAKED void scn_window_radix4_m4(__attribute__((unused)) const scn_fft_first_t *first) {
    __asm__ volatile(FIRST_BEGIN
                     "ldrd r4, r5, [r0]\n" /* first point, plus what rounds all halves below: r4, r5 */
                     "ldrd r6, r7, [r1]\n"
                     "lsl r4, r3\n"
                     "lsl r5, r3\n"
                     "mov r12, #1\n"
                     "smmlar r4, r4, r6, r12\n"
                     "smmlar r5, r5, r7, r12\n"
                     "add r0, r0, lr, lsl #1\n"
                     "ldrd r6, r7, [r0]\n" /* half a frame on: even r6, r7; odd r4, r5 */
                     "ldrd r8, r9, [r2, #-4]\n"
                     "lsl r6, r3\n"
                     "lsl r7, r3\n"
                     "smmlar r6, r6, r9, r4\n"
                     "smmlar r7, r7, r8, r5\n"
                     "rsb r4, r6, r4, lsl #1\n"
                     "rsb r5, r7, r5, lsl #1\n"
                     "sub r0, lr\n"
                     "ldrd r8, r9, [r0]\n" /* a quarter on: r8, r9 */
                     "add r1, lr\n"
                     "ldrd r10, r11, [r1], #8\n"
                     "lsl r8, r3\n"
                     "lsl r9, r3\n"
                     "smmulr r8, r8, r10\n"
                     "smmulr r9, r9, r11\n"
                     "sub r1, lr\n"
                     "add r0, r0, lr, lsl #1\n"
                     "ldrd r10, r11, [r0], #8\n" /* three quarters on: sum r10, r11; difference r8, r9 */
                     "sub r2, lr\n"
                     "ldr r12, [r2, #-4]\n"
                     "lsl r11, r3\n"
                     "smmlar r11, r11, r12, r9\n"
                     "ldr r12, [r2], #-8\n"
                     "lsl r10, r3\n"
                     "smmlar r10, r10, r12, r8\n"
                     "add r2, lr\n"
                     "rsb r8, r10, r8, lsl #1\n"
                     "rsb r9, r11, r9, lsl #1\n"
                     FIRST_RESULTS("r6", "r7", "r4", "r5", "r10", "r11", "r8", "r9", "r12")
                     FIRST_END);
}

/* The rising half is mean - swing * cosine, a quarter later mean + swing * sine; the falling half the other sign. */
NAKED void scn_window_computed_radix4_m4(__attribute__((unused)) const scn_fft_first_t *first) {
    __asm__ volatile(FIRST_BEGIN
                     "ldrd r8, r9, [r2], #-8\n"
                     "ldrd r10, r11, [sp, #20]\n"
                     "smmlar r9, r9, r11, r10\n" /* falling r9, r8; rising r12, r10 */
                     "smmlar r8, r8, r11, r10\n"
                     "rsb r12, r9, r10, lsl #1\n"
                     "rsb r10, r8, r10, lsl #1\n"
                     "ldrd r4, r5, [r0]\n" /* first point, plus what rounds all halves below: r4, r5 */
                     "lsl r4, r3\n"
                     "lsl r5, r3\n"
                     "mov r11, #1\n"
                     "smmlar r4, r4, r12, r11\n"
                     "smmlar r5, r5, r10, r11\n"
                     "add r0, r0, lr, lsl #1\n"
                     "ldrd r6, r7, [r0]\n" /* half a frame on: even r6, r7; odd r4, r5 */
                     "lsl r6, r3\n"
                     "lsl r7, r3\n"
                     "smmlar r6, r6, r9, r4\n"
                     "smmlar r7, r7, r8, r5\n"
                     "rsb r4, r6, r4, lsl #1\n"
                     "rsb r5, r7, r5, lsl #1\n"
                     "ldrd r8, r9, [r1], #8\n"
                     "ldrd r10, r11, [sp, #20]\n"
                     "smmlar r8, r8, r11, r10\n" /* rising r8, r9 */
                     "smmlar r9, r9, r11, r10\n"
                     "sub r0, lr\n"
                     "ldrd r11, r12, [r0]\n" /* a quarter on: r11, r12 */
                     "lsl r11, r3\n"
                     "lsl r12, r3\n"
                     "smmulr r11, r11, r8\n"
                     "smmulr r12, r12, r9\n"
                     "rsb r8, r8, r10, lsl #1\n" /* falling r8, r9 */
                     "rsb r9, r9, r10, lsl #1\n"
                     "add r0, r0, lr, lsl #1\n"
                     "ldr r10, [r0, #4]\n" /* three quarters on: sum r8, r9; difference r11, r12 */
                     "lsl r10, r3\n"
                     "smmlar r9, r10, r9, r12\n"
                     "ldr r10, [r0], #8\n"
                     "lsl r10, r3\n"
                     "smmlar r8, r10, r8, r11\n"
                     "rsb r11, r8, r11, lsl #1\n"
                     "rsb r12, r9, r12, lsl #1\n"
                     FIRST_RESULTS("r6", "r7", "r4", "r5", "r8", "r9", "r11", "r12", "r10")
                     FIRST_END);
}

/* clang-format on */

#endif
