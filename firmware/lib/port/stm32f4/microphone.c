/* SPDX-License-Identifier: MIT */
#include "microphone.h"

#include "gpio.h"
#include "scn_board.h"
#include "scn_stm32f4_audio.h"

#include <stddef.h>

#ifdef SCN_BOARD_MICROPHONE

/* The PLL for I2S multiplies 1 MHz, which the main PLL's divider derives from the crystal or the internal oscillator. A
 * bit clock of 1.024 MHz is that of a PDM microphone, and of 64 bits per frame at 16 kHz. */
#define VCO_INPUT_HZ 1000000u
#define PLL_R 5u
#define BITS_A_FRAME 64u
#define PDM_HZ 1024000u

/* Polls of a status bit before giving up: 25 ms at 16 MHz and about 8 cycles per poll; locking takes 0.3 ms. */
#define WAIT_POLLS 50000u

#define DMA_IRQ 14u
#define STREAM (&SCN_DMA1->STREAM[3])
#define ALTERNATE_I2S 5u

typedef struct {
    uint32_t bit_hz;
    uint16_t pll_n;
    uint16_t divider; /* of the PLL's output; I2SPR holds its half and its lowest bit */
} pace_t;

#define PACE(hz, n, by)                                                                                                \
    { hz, n, by }
#define IS_EXACT(hz, n, by) ((n)*VCO_INPUT_HZ == (uint64_t)(hz) * (by)*PLL_R)
static const pace_t paces[] = {
    PACE(16000u * BITS_A_FRAME, 256u, 50u),
    PACE(32000u * BITS_A_FRAME, 256u, 25u),
    PACE(48000u * BITS_A_FRAME, 384u, 25u),
};
_Static_assert(IS_EXACT(16000u * BITS_A_FRAME, 256u, 50u) && IS_EXACT(32000u * BITS_A_FRAME, 256u, 25u) &&
                   IS_EXACT(48000u * BITS_A_FRAME, 384u, 25u) && PDM_HZ == 16000u * BITS_A_FRAME,
               "sample rates are exact, as far as the crystal is");

static uint16_t blocks[2][SCN_PORT_MICROPHONE_HALFWORDS];
static scn_port_block_t block_ready;
static void *block_context;
static SCN_PORT_SETTING bool has_clocks;

static void set(scn_register_t *reg, uint32_t bits) {
    SCN_WRITE(*reg, SCN_READ(*reg) | bits);
}

static void clear(scn_register_t *reg, uint32_t bits) {
    SCN_WRITE(*reg, SCN_READ(*reg) & ~bits);
}

static bool wait_for(const scn_register_t *status, uint32_t mask, uint32_t value) {
    for (uint32_t poll = 0; poll < WAIT_POLLS; poll++) {
        if ((SCN_READ(*status) & mask) == value) {
            return true;
        }
    }
    return false;
}

/* The configuration cannot be written while the PLL runs; it has been stopped before. */
static bool start_pll(const pace_t *pace) {
    if (!wait_for(&SCN_RCC->CR, SCN_RCC_CR_PLLI2SRDY, 0)) {
        return false;
    }
#if SCN_BOARD_PLLI2S_OWN_DIVIDER
    /* The divider is the main PLL's; Q, which only the F446 has, keeps its reset value. */
    const uint32_t own = (SCN_READ(SCN_RCC->PLLCFGR) & SCN_RCC_PLLCFGR_M_MASK) | 4u << 24;
    clear(&SCN_RCC_DCKCFGR, SCN_RCC_DCKCFGR_I2SSRC_MASK);
#else
    const uint32_t own = 0;
    clear(&SCN_RCC->CFGR, SCN_RCC_CFGR_I2SSRC);
#endif
    SCN_WRITE(SCN_RCC_PLLI2SCFGR, own | (uint32_t)pace->pll_n << 6 | PLL_R << 28);
    set(&SCN_RCC->CR, SCN_RCC_CR_PLLI2SON);
    return wait_for(&SCN_RCC->CR, SCN_RCC_CR_PLLI2SRDY, SCN_RCC_CR_PLLI2SRDY);
}

static void start_pins(void) {
    scn_gpio_alternate(SCN_BOARD_I2S_CK_PORT, SCN_BOARD_I2S_CK_PIN, ALTERNATE_I2S, SCN_PULL_NONE);
    scn_gpio_alternate(SCN_BOARD_I2S_SD_PORT, SCN_BOARD_I2S_SD_PIN, ALTERNATE_I2S, SCN_PULL_DOWN);
#ifdef SCN_BOARD_I2S_WS_PORT
    scn_gpio_alternate(SCN_BOARD_I2S_WS_PORT, SCN_BOARD_I2S_WS_PIN, ALTERNATE_I2S, SCN_PULL_NONE);
#endif
}

/* Start from reset, so that remains of an overrun, such as half a frame, are discarded. */
static void configure_i2s(const pace_t *pace) {
    const bool pdm = SCN_BOARD_MICROPHONE == SCN_PORT_MICROPHONE_PDM;
    set(&SCN_RCC->APB1ENR, SCN_RCC_APB1_SPI2);
    set(&SCN_RCC->APB1RSTR, SCN_RCC_APB1_SPI2);
    clear(&SCN_RCC->APB1RSTR, SCN_RCC_APB1_SPI2);
    SCN_WRITE(SCN_SPI2->I2SPR, pace->divider / 2u | (pace->divider % 2u ? SCN_SPI_I2SPR_ODD : 0u));
    /* PDM: 16 bits of 16, no frame, sampled at the other clock edge. I2S: 24 bits of 32 in the Philips frame format. */
    SCN_WRITE(SCN_SPI2->I2SCFGR, SCN_SPI_I2SCFGR_I2SMOD | SCN_SPI_I2SCFGR_MASTER_RECEIVE |
                                     (pdm ? SCN_SPI_I2SCFGR_STD_LSB | SCN_SPI_I2SCFGR_CKPOL
                                          : SCN_SPI_I2SCFGR_DATLEN_24 | SCN_SPI_I2SCFGR_CHLEN_32));
    SCN_WRITE(SCN_SPI2->CR2, SCN_SPI_CR2_RXDMAEN);
}

/* Stream 3, channel 0 of DMA1 is SPI2's receiver (RM0090, table 42). */
static bool configure_dma(void) {
    set(&SCN_RCC->AHB1ENR, SCN_RCC_AHB1ENR_DMA1EN);
    clear(&STREAM->CR, SCN_DMA_CR_EN);
    if (!wait_for(&STREAM->CR, SCN_DMA_CR_EN, 0)) { /* the running transfer is finished first */
        return false;
    }
    SCN_WRITE(SCN_DMA1->LIFCR, SCN_DMA_ALL3); /* left-over flags keep a stream from starting */
    SCN_WRITE(STREAM->PAR, (uint32_t)(uintptr_t)&SCN_SPI2->DR);
    SCN_WRITE(STREAM->M0AR, (uint32_t)(uintptr_t)blocks[0]);
    SCN_WRITE(STREAM->M1AR, (uint32_t)(uintptr_t)blocks[1]);
    SCN_WRITE(STREAM->NDTR, SCN_PORT_MICROPHONE_HALFWORDS);
    SCN_WRITE(STREAM->FCR, 0); /* no FIFO: each halfword is written to memory as it arrives */
    SCN_WRITE(STREAM->CR, SCN_DMA_CR_DBM | SCN_DMA_CR_PL_HIGH | SCN_DMA_CR_MSIZE_16 | SCN_DMA_CR_PSIZE_16 |
                              SCN_DMA_CR_MINC | SCN_DMA_CR_TCIE | SCN_DMA_CR_TEIE);
    return true;
}

static void allow_interrupt(void) {
    scn_stm32f4_prioritise(DMA_IRQ, SCN_PRIORITY_MICROPHONE);
    SCN_WRITE(SCN_NVIC_ICPR[DMA_IRQ / 32u], 1u << DMA_IRQ % 32u);
    SCN_WRITE(SCN_NVIC_ISER[DMA_IRQ / 32u], 1u << DMA_IRQ % 32u);
}

/* The clock first, so that no more halfwords arrive. */
static void halt(void) {
    clear(&SCN_SPI2->I2SCFGR, SCN_SPI_I2SCFGR_I2SE);
    clear(&STREAM->CR, SCN_DMA_CR_EN);
}

void scn_microphone_init(const scn_clock_t *clock) {
    has_clocks = clock->source != SCN_PORT_CLOCK_EMULATED;
}

scn_port_microphone_t scn_port_microphone(void) {
    return has_clocks ? (scn_port_microphone_t)SCN_BOARD_MICROPHONE : SCN_PORT_MICROPHONE_NONE;
}

static const pace_t *pace_of(uint32_t bit_hz) {
    for (size_t i = 0; i < sizeof paces / sizeof *paces; i++) {
        if (paces[i].bit_hz == bit_hz) {
            return &paces[i];
        }
    }
    return NULL;
}

bool scn_port_microphone_start(uint32_t rate, scn_port_block_t on_block, void *context) {
    const bool pdm = SCN_BOARD_MICROPHONE == SCN_PORT_MICROPHONE_PDM;
    const pace_t *pace = pace_of(pdm ? PDM_HZ : rate * BITS_A_FRAME);
    if (!has_clocks || !pace) {
        return false;
    }
    scn_port_microphone_stop();
    block_ready = on_block;
    block_context = context;
    start_pins();
    if (!start_pll(pace)) {
        return false;
    }
    configure_i2s(pace);
    if (!configure_dma()) {
        return false;
    }
    allow_interrupt();
    set(&STREAM->CR, SCN_DMA_CR_EN); /* the stream must wait for the first halfword, not the other way round */
    set(&SCN_SPI2->I2SCFGR, SCN_SPI_I2SCFGR_I2SE);
    return true;
}

void scn_port_microphone_stop(void) {
    if (!has_clocks) {
        return;
    }
    SCN_WRITE(SCN_NVIC_ICER[DMA_IRQ / 32u], 1u << DMA_IRQ % 32u);
    set(&SCN_RCC->APB1ENR, SCN_RCC_APB1_SPI2); /* without clocks, registers ignore what is written */
    set(&SCN_RCC->AHB1ENR, SCN_RCC_AHB1ENR_DMA1EN);
    halt();
    clear(&SCN_RCC->CR, SCN_RCC_CR_PLLI2SON);
}

static void lose(void) {
    halt();
    block_ready(block_context, NULL);
}

void scn_microphone_interrupt(void) {
    const uint32_t flags = SCN_READ(SCN_DMA1->LISR) & SCN_DMA_ALL3;
    SCN_WRITE(SCN_DMA1->LIFCR, flags);
    if ((flags & SCN_DMA_TEIF3) || (SCN_READ(SCN_SPI2->SR) & SCN_SPI_SR_OVR)) {
        lose();
        return;
    }
    if (!(flags & SCN_DMA_TCIF3)) {
        return;
    }
    block_ready(block_context, blocks[SCN_READ(STREAM->CR) & SCN_DMA_CR_CT ? 0 : 1]); /* CT: the one being filled */
    if (SCN_READ(SCN_DMA1->LISR) &
        SCN_DMA_TCIF3) { /* the other one is full too: this one has been overwritten while it was read */
        lose();
    }
}

#else

void scn_microphone_init(const scn_clock_t *clock) {
    (void)clock;
}

scn_port_microphone_t scn_port_microphone(void) {
    return SCN_PORT_MICROPHONE_NONE;
}

bool scn_port_microphone_start(uint32_t rate, scn_port_block_t on_block, void *context) {
    (void)rate, (void)on_block, (void)context;
    return false;
}

void scn_port_microphone_stop(void) {}

void scn_microphone_interrupt(void) {}

#endif
