/* SPDX-License-Identifier: MIT */
/* SPI2 as I2S, its clock, and the DMA stream that empties it (RM0090, 7.3, 10.5, 28.5; RM0390 says the same of the
 * F446). */
#ifndef SCN_STM32F4_AUDIO_H
#define SCN_STM32F4_AUDIO_H

#include "scn_stm32f4.h"

typedef struct {
    scn_register_t CR1, CR2, SR, DR, CRCPR, RXCRCR, TXCRCR, I2SCFGR, I2SPR;
} scn_spi_t;

typedef struct {
    scn_register_t CR, NDTR, PAR, M0AR, M1AR, FCR;
} scn_dma_stream_t;

typedef struct {
    scn_register_t LISR, HISR, LIFCR, HIFCR;
    scn_dma_stream_t STREAM[8];
} scn_dma_t;

#define SCN_SPI2 ((scn_spi_t *)(uintptr_t)0x40003800u)
#define SCN_DMA1 ((scn_dma_t *)(uintptr_t)0x40026000u)
#define SCN_RCC_PLLI2SCFGR (*(scn_register_t *)(uintptr_t)0x40023884u)
#define SCN_RCC_DCKCFGR (*(scn_register_t *)(uintptr_t)0x4002388Cu) /* F446 only */

#define SCN_RCC_CR_PLLI2SON (1u << 26)
#define SCN_RCC_CR_PLLI2SRDY (1u << 27)
#define SCN_RCC_CFGR_I2SSRC (1u << 23)          /* F405, F407: 0 is PLLI2S */
#define SCN_RCC_DCKCFGR_I2SSRC_MASK (15u << 25) /* F446: 0 is PLLI2S */
#define SCN_RCC_PLLCFGR_M_MASK 63u
#define SCN_RCC_AHB1ENR_DMA1EN (1u << 21)
#define SCN_RCC_APB1_SPI2 (1u << 14)

#define SCN_SPI_CR2_RXDMAEN 1u
#define SCN_SPI_SR_OVR (1u << 6)
#define SCN_SPI_I2SCFGR_CHLEN_32 1u
#define SCN_SPI_I2SCFGR_DATLEN_24 (1u << 1)
#define SCN_SPI_I2SCFGR_CKPOL (1u << 3)
#define SCN_SPI_I2SCFGR_STD_LSB (2u << 4)
#define SCN_SPI_I2SCFGR_MASTER_RECEIVE (3u << 8)
#define SCN_SPI_I2SCFGR_I2SE (1u << 10)
#define SCN_SPI_I2SCFGR_I2SMOD (1u << 11)
#define SCN_SPI_I2SPR_ODD (1u << 8)

#define SCN_DMA_CR_EN 1u
#define SCN_DMA_CR_TEIE (1u << 2)
#define SCN_DMA_CR_TCIE (1u << 4)
#define SCN_DMA_CR_MINC (1u << 10)
#define SCN_DMA_CR_PSIZE_16 (1u << 11)
#define SCN_DMA_CR_MSIZE_16 (1u << 13)
#define SCN_DMA_CR_PL_HIGH (2u << 16)
#define SCN_DMA_CR_DBM (1u << 18)
#define SCN_DMA_CR_CT (1u << 19)
/* LISR's and LIFCR's bits of stream 3. */
#define SCN_DMA_TEIF3 (1u << 25)
#define SCN_DMA_TCIF3 (1u << 27)
#define SCN_DMA_ALL3 (0x3Du << 22)

#endif
