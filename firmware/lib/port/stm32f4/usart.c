/* SPDX-License-Identifier: MIT */
#include "usart.h"

#include "gpio.h"
#include "scn_board.h"
#include "scn_stm32f4.h"

/* Largest deviation of the console speed, in 1/1000: a UART's ten-bit frame tolerates it and the other side's own. */
#define BAUD_TOLERANCE_PERMILLE 15u

/* Polls for an empty transmitter: a byte takes under 11 us, 1,830 cycles. After that the byte is dropped. */
#define WAIT_POLLS 100000u

/* Bytes taken per interrupt: one or two on the chip; in QEMU as many as its serial port holds. */
#define MOST_AT_ONCE 256u

#define DIVIDER(hz) (((hz) + SCN_PORT_BAUD / 2u) / SCN_PORT_BAUD)
#define IN_TOLERANCE(hz)                                                                                               \
    ((hz)*1000ull <= DIVIDER(hz) * (uint64_t)SCN_PORT_BAUD * (1000u + BAUD_TOLERANCE_PERMILLE) &&                      \
     (hz)*1000ull >= DIVIDER(hz) * (uint64_t)SCN_PORT_BAUD * (1000u - BAUD_TOLERANCE_PERMILLE))
_Static_assert(IN_TOLERANCE(42000000u) && IN_TOLERANCE(84000000u),
               "the console's speed cannot be made from 42 or 84 MHz");
_Static_assert(SCN_BOARD_USART >= 1 && SCN_BOARD_USART <= 3, "only USART1 to 3 are wired up below");

/* In no text line; a frame with it in the place of another byte fails its CRC. */
#define NOT_TEXT 0xFFu

#define USART1_IRQ 37u
#define ALTERNATE_USART 7u

static SCN_PORT_SETTING scn_usart_t *console;
static SCN_PORT_SETTING uint32_t console_irq;
static SCN_PORT_SETTING scn_port_receive_t receive_byte;
static SCN_PORT_SETTING void *receive_context;
static volatile uint32_t line_errors;

void scn_usart_init(const scn_clock_t *clock, scn_port_receive_t receive, void *context) {
    const uint32_t number = clock->source == SCN_PORT_CLOCK_EMULATED ? 1u : SCN_BOARD_USART;
    receive_byte = receive;
    receive_context = context;
    console = SCN_USART(number);
    scn_gpio_alternate(SCN_BOARD_TX_PORT, SCN_BOARD_TX_PIN, ALTERNATE_USART, SCN_PULL_UP); /* an open line is idle */
    scn_gpio_alternate(SCN_BOARD_RX_PORT, SCN_BOARD_RX_PIN, ALTERNATE_USART, SCN_PULL_UP);
    if (number == 1u) {
        SCN_RCC->APB2ENR |= 1u << 4;
    } else {
        SCN_RCC->APB1ENR |= 1u << (15u + number);
    }
    (void)SCN_RCC->APB1ENR;
    console->BRR = DIVIDER(number == 1u ? clock->apb2_hz : clock->apb1_hz);
    console->CR1 = SCN_USART_CR1_UE | SCN_USART_CR1_TE | SCN_USART_CR1_RE | (receive ? SCN_USART_CR1_RXNEIE : 0u);
    console_irq = USART1_IRQ + number - 1u;
    scn_stm32f4_prioritise(console_irq, SCN_PRIORITY_CONSOLE);
    SCN_NVIC_ISER[console_irq / 32u] = 1u << console_irq % 32u;
}

void scn_usart_write(const uint8_t *bytes, size_t count) {
    if (!console) { /* a fault before the console is ready must not cause a second one */
        return;
    }
    for (size_t i = 0; i < count; i++) {
        for (uint32_t poll = 0; !(console->SR & SCN_USART_SR_TXE) && poll < WAIT_POLLS; poll++) {
        }
        console->DR = bytes[i];
    }
}

void scn_usart_flush(void) {
    for (uint32_t poll = 0; console && !(console->SR & SCN_USART_SR_TC) && poll < WAIT_POLLS; poll++) {
    }
}

uint32_t scn_port_line_errors(void) {
    return line_errors;
}

/* A byte with the flags that came with it. What a stop bit or a sample contradicts is not believed, except for a break,
 * which ends a chunk as 0x00 always does. */
static uint8_t believed(uint32_t status, uint8_t byte) {
    if (!(status & (SCN_USART_SR_FE | SCN_USART_SR_NE | SCN_USART_SR_ORE))) {
        return byte;
    }
    line_errors++;
    return (status & (SCN_USART_SR_FE | SCN_USART_SR_NE)) && byte != 0 ? NOT_TEXT : byte;
}

/* Takes all bytes that are ready: if its serial port holds more, QEMU puts the next one into DR while this one is read,
 * and raises no further interrupt. */
void scn_usart_interrupt(void) {
    uint32_t taken = 0;
    for (; taken < MOST_AT_ONCE; taken++) {
        const uint32_t status = console->SR;
        if (!(status & (SCN_USART_SR_RXNE | SCN_USART_SR_ORE))) {
            break;
        }
        /* Reading SR, then DR, also clears the errors; a byte lost in an overrun is noticed as a frame that fails its CRC. */
        receive_byte(receive_context, believed(status, (uint8_t)console->DR));
    }
    if (taken == MOST_AT_ONCE) { /* request another interrupt for the rest */
        SCN_NVIC_ISPR[console_irq / 32u] = 1u << console_irq % 32u;
    }
}
