/* How much of the time the processor sleeps. */
#ifndef SCN_DUTY_H
#define SCN_DUTY_H

#include "scn_port.h"

/* Count from now on. */
void scn_duty_begin(void);

/* scn_port_wait, counted as sleep. */
void scn_duty_wait(scn_port_idle_t idle, void *context);

/* Thousandths of the time since scn_duty_begin. */
uint32_t scn_duty_asleep_permille(void);

#endif
