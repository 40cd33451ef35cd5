/* Inner product of two channels at four tiles, both operands int16. */
#include "scn_dot_wide.h"
#include "scn_simd.h"

#if defined(__ARM_FEATURE_DSP)

/*
 * 16 MACs in 11 instructions; a naked function for the same reason as scn_dot_2x4:
 * r0 x, r1 w, r2 r3 weights, r4-r7 and r8-r11 the channels' sums, r12 lr two tiles; [sp] end of x, [sp, #4] sum.
 * Eight steps of 44 bytes a round; the first round starts in their midst if steps is no multiple of eight.
 */
#define STEP                                                                                                           \
    "ldrd r2, r3, [r1], #8\n"                                                                                          \
    "ldrd r12, lr, [r0], #8\n"                                                                                         \
    "smlad r4, r2, r12, r4\n"                                                                                          \
    "smlad r8, r3, r12, r8\n"                                                                                          \
    "smlad r5, r2, lr, r5\n"                                                                                           \
    "smlad r9, r3, lr, r9\n"                                                                                           \
    "ldrd r12, lr, [r0], #8\n"                                                                                         \
    "smlad r6, r2, r12, r6\n"                                                                                          \
    "smlad r10, r3, r12, r10\n"                                                                                        \
    "smlad r7, r2, lr, r7\n"                                                                                           \
    "smlad r11, r3, lr, r11\n"

__attribute__((naked)) void scn_dot_wide_2x4(__attribute__((unused)) const uint32_t *x,
                                             __attribute__((unused)) const uint32_t *w,
                                             __attribute__((unused)) int32_t steps,
                                             __attribute__((unused)) int32_t *sum) {
    __asm__ volatile("push {r3-r11, lr}\n"
                     "add r12, r0, r2, lsl #4\n"
                     "push {r12}\n"
                     "rsb r2, r2, #0\n"
                     "and r2, r2, #7\n"
                     "movs r3, #44\n"
                     "mul r2, r2, r3\n"
                     "adr.w r3, 1f\n"
                     "add r3, r2\n"
                     "orr r3, r3, #1\n"
                     "mov r4, #0\n"
                     "mov r5, #0\n"
                     "mov r6, #0\n"
                     "mov r7, #0\n"
                     "mov r8, #0\n"
                     "mov r9, #0\n"
                     "mov r10, #0\n"
                     "mov r11, #0\n"
                     "bx r3\n"
                     ".balign 4\n"
                     "1:\n" STEP STEP STEP STEP STEP STEP STEP STEP "ldr r2, [sp]\n"
                     "cmp r0, r2\n"
                     "bne 1b\n"
                     "ldr r2, [sp, #4]\n"
                     "stm r2, {r4-r11}\n"
                     "add sp, #8\n"
                     "pop {r4-r11, pc}\n");
}

#else

void scn_dot_wide_2x4(const uint32_t *x, const uint32_t *w, int32_t steps, int32_t *sum) {
    memset(sum, 0, 8 * sizeof *sum);
    for (; steps > 0; --steps) {
        for (int tile = 0; tile < 4; ++tile) {
            sum[tile] = scn_dot_pair(w[0], x[tile], sum[tile]);
            sum[4 + tile] = scn_dot_pair(w[1], x[tile], sum[4 + tile]);
        }
        x += 4;
        w += 2;
    }
}

#endif
