/* SPDX-License-Identifier: MIT */
/* Pins, used by a peripheral or driven directly. */
#ifndef SCN_STM32F4_GPIO_H
#define SCN_STM32F4_GPIO_H

#include <stdbool.h>
#include <stdint.h>

/* PUPDR's values. */
typedef enum { SCN_PULL_NONE, SCN_PULL_UP, SCN_PULL_DOWN } scn_pull_t;

/* Assign a pin to an alternate function, 0 to 15, at medium speed; starts the clock of the port. */
void scn_gpio_alternate(char port, uint32_t pin, uint32_t function, scn_pull_t pull);

/* Configure a pin as push-pull output, low; starts the clock of the port. */
void scn_gpio_output(char port, uint32_t pin);

/* Drive an output. */
void scn_gpio_drive(char port, uint32_t pin, bool high);

#endif
