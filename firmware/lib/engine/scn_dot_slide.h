/*
 * The inner products between Winograd's transforms: two output channels at two tiles and two neighbouring positions of
 * the slide axis, plane by plane; private to the kernel.
 *
 * What the first position sees at one slot, the second one sees a tap earlier: each slot and each tap is loaded once
 * for both.
 */
#ifndef SCN_DOT_SLIDE_H
#define SCN_DOT_SLIDE_H

#include <stdint.h>

enum { SCN_SLIDE_MOST_TAPS = 7, SCN_SLIDE_MOST_LED = 4, SCN_UNIT_SUMS = 8, SCN_PLANES = 6, SCN_PLANES_OF_TWO = 4 };

/*
 * x         [step][slot][plane][tile] pairs of channels, from the first slot that counts.
 * w         [step][tap][plane][output channel] pairs of channels, from the first tap that counts.
 * taps      1 .. SCN_SLIDE_MOST_TAPS, or led: slots, 1 .. SCN_SLIDE_MOST_LED.
 * skip      bytes of x from a step's last slot to the next one's first; led: of w from its last tap likewise.
 * w_end     where w stands behind the last step.
 * w_last    the last plane's w.
 * from      what sums start from; sum: where they go; both [plane][output channel][position][tile], from_bytes from one
 *           plane to the next.
 */
typedef struct {
    int32_t skip;
    const uint32_t *w_end;
    int32_t taps;
    const uint32_t *x;
    const uint32_t *w;
    const uint32_t *w_last;
    const int32_t *from;
    int32_t from_bytes;
    int32_t *sum;
} scn_dot_slide_t;

/* The first position sees slots 0 .. taps - 1, the second one slots 1 .. taps. Six planes, or four. */
void scn_dot_slide(const scn_dot_slide_t *dot);
void scn_dot_slide_of_two(const scn_dot_slide_t *dot);

/* Both see all slots: the first one with taps 1, 2, ..., the second one with taps 0, 1, ... */
void scn_dot_led(const scn_dot_slide_t *dot);
void scn_dot_led_of_two(const scn_dot_slide_t *dot);

#endif
