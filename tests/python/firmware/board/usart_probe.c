/* The console's code over registers in memory: how it configures pins and speed. */
#include "scn_port.h"

static struct scn_fake *fake_rcc(void);
static struct scn_fake *fake_gpio(char letter);
static struct scn_fake *fake_usart(uint32_t number);
#define SCN_RCC ((scn_rcc_t *)fake_rcc())
#define SCN_FLASH_ACR fake_words[0]
#define SCN_GPIO(letter) ((scn_gpio_t *)fake_gpio(letter))
#define SCN_USART(number) ((scn_usart_t *)fake_usart(number))
#define SCN_NVIC_ISER fake_words
#define SCN_NVIC_IPR fake_priorities
static volatile uint32_t fake_words[4], fake_priorities[25];

#include "gpio.c"
#include "usart.c"

typedef struct {
    uint32_t moder, pupdr, afrl, afrh;
} port_t;

typedef struct {
    uint32_t ahb1enr, apb1enr, apb2enr, brr, cr1, number, priority, interrupts[4];
    port_t ports[9];
} probe_t;

static scn_rcc_t rcc;
static scn_gpio_t gpio[9];
static scn_usart_t usart;
static uint32_t used;

static struct scn_fake *fake_rcc(void) {
    return (struct scn_fake *)&rcc;
}

static struct scn_fake *fake_gpio(char letter) {
    return (struct scn_fake *)&gpio[letter - 'A'];
}

static struct scn_fake *fake_usart(uint32_t number) {
    used = number;
    return (struct scn_fake *)&usart;
}

/* Bytes that arrive with these flags; returns what the program is given, and how many errors it counts. */
static uint8_t given;
static uint32_t calls;
static void somebody(void *context, uint8_t byte) {
    (void)context;
    given = byte;
    calls++;
    usart.SR = 0; /* as reading SR and DR clears it */
}

uint32_t receive(uint32_t status, uint32_t byte) {
    const uint32_t before = scn_port_line_errors();
    usart.SR = status;
    usart.DR = byte;
    calls = 0;
    scn_usart_init(&(scn_clock_t){SCN_PORT_CLOCK_EXTERNAL, 0, 42000000, 84000000}, somebody, NULL);
    usart.SR = status;
    scn_usart_interrupt();
    return calls << 16 | (scn_port_line_errors() - before) << 8 | given;
}

static void nobody(void *context, uint8_t byte) {
    (void)context;
    (void)byte;
}

probe_t probe(uint32_t apb1_hz, uint32_t apb2_hz, bool emulated) {
    probe_t seen = {0};
    rcc = (scn_rcc_t){0};
    usart = (scn_usart_t){0};
    for (uint32_t i = 0; i < 9u; i++) {
        gpio[i] = (scn_gpio_t){0};
    }
    for (uint32_t i = 0; i < 4u; i++) {
        fake_words[i] = 0;
    }
    const scn_port_clock_t source = emulated ? SCN_PORT_CLOCK_EMULATED : SCN_PORT_CLOCK_EXTERNAL;
    scn_usart_init(&(scn_clock_t){source, 0, apb1_hz, apb2_hz}, nobody, NULL);
    seen.ahb1enr = rcc.AHB1ENR;
    seen.apb1enr = rcc.APB1ENR;
    seen.apb2enr = rcc.APB2ENR;
    seen.brr = usart.BRR;
    seen.cr1 = usart.CR1;
    seen.number = used;
    seen.priority = fake_priorities[console_irq / 4u] >> console_irq % 4u * 8u & 255u;
    for (uint32_t i = 0; i < 4u; i++) {
        seen.interrupts[i] = fake_words[i];
    }
    for (uint32_t i = 0; i < 9u; i++) {
        seen.ports[i] = (port_t){gpio[i].MODER, gpio[i].PUPDR, gpio[i].AFR[0], gpio[i].AFR[1]};
    }
    return seen;
}
