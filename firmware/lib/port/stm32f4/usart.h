/* SPDX-License-Identifier: MIT */
/* The console: polled transmitter (QEMU never raises its interrupts), receiver by interrupt. */
#ifndef SCN_STM32F4_USART_H
#define SCN_STM32F4_USART_H

#include "clock.h"

/* In QEMU the console is always USART1, QEMU's first -serial, so that the ELF of every board uses it. */
void scn_usart_init(const scn_clock_t *clock, scn_port_receive_t receive, void *context);

void scn_usart_write(const uint8_t *bytes, size_t count);

/* Wait, for a bounded time, until the last byte has been sent. */
void scn_usart_flush(void);

/* Receive interrupt of USART1, 2 and 3. */
void scn_usart_interrupt(void);

#endif
