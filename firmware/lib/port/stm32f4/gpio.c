/* SPDX-License-Identifier: MIT */
#include "gpio.h"

#include "scn_stm32f4.h"

#define MODE_OUTPUT 1u
#define MODE_ALTERNATE 2u
#define SPEED_MEDIUM 1u

/* Write `value` to the field of `bits` bits of a pin. */
static void set_field(scn_register_t *reg, uint32_t pin, uint32_t bits, uint32_t value) {
    const uint32_t mask = ((1u << bits) - 1u) << pin * bits;
    SCN_WRITE(*reg, (SCN_READ(*reg) & ~mask) | value << pin * bits);
}

static scn_gpio_t *awake(char port) {
    SCN_WRITE(SCN_RCC->AHB1ENR, SCN_READ(SCN_RCC->AHB1ENR) | 1u << (port - 'A'));
    (void)SCN_READ(SCN_RCC->AHB1ENR); /* the clock needs two cycles before the first access (errata ES0182, 2.1.13) */
    return SCN_GPIO(port);
}

void scn_gpio_alternate(char port, uint32_t pin, uint32_t function, scn_pull_t pull) {
    scn_gpio_t *gpio = awake(port);
    set_field(&gpio->AFR[pin / 8u], pin % 8u, 4u, function);
    set_field(&gpio->PUPDR, pin, 2u, pull);
    set_field(&gpio->OSPEEDR, pin, 2u, SPEED_MEDIUM);
    set_field(&gpio->MODER, pin, 2u, MODE_ALTERNATE); /* last, so that the pin never has another function in between */
}

void scn_gpio_output(char port, uint32_t pin) {
    scn_gpio_t *gpio = awake(port);
    scn_gpio_drive(port, pin, false);
    set_field(&gpio->MODER, pin, 2u, MODE_OUTPUT);
}

void scn_gpio_drive(char port, uint32_t pin, bool high) {
    SCN_WRITE(SCN_GPIO(port)->BSRR, 1u << (high ? pin : pin + 16u));
}
