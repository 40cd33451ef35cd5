"""A model of the chip's audio side, register by register, as the reference manual (RM0090) has it.

It plays the hardware, checks at every access what the manual demands of it, and keeps a log of the writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

RCC, SPI2, DMA1, STREAM3 = 0x4002_3800, 0x4000_3800, 0x4002_6000, 0x4002_6058
NAMES = {
    RCC + 0x00: "RCC_CR",
    RCC + 0x04: "RCC_PLLCFGR",
    RCC + 0x08: "RCC_CFGR",
    RCC + 0x20: "RCC_APB1RSTR",
    RCC + 0x30: "RCC_AHB1ENR",
    RCC + 0x40: "RCC_APB1ENR",
    RCC + 0x84: "RCC_PLLI2SCFGR",
    RCC + 0x8C: "RCC_DCKCFGR",
    SPI2 + 0x04: "SPI2_CR2",
    SPI2 + 0x08: "SPI2_SR",
    SPI2 + 0x0C: "SPI2_DR",
    SPI2 + 0x1C: "SPI2_I2SCFGR",
    SPI2 + 0x20: "SPI2_I2SPR",
    DMA1 + 0x00: "DMA1_LISR",
    DMA1 + 0x08: "DMA1_LIFCR",
    STREAM3 + 0x00: "DMA1_S3CR",
    STREAM3 + 0x04: "DMA1_S3NDTR",
    STREAM3 + 0x08: "DMA1_S3PAR",
    STREAM3 + 0x0C: "DMA1_S3M0AR",
    STREAM3 + 0x10: "DMA1_S3M1AR",
    STREAM3 + 0x14: "DMA1_S3FCR",
    0xE000_E100: "NVIC_ISER0",
    0xE000_E180: "NVIC_ICER0",
    0xE000_E280: "NVIC_ICPR0",
    0xE000_E40C: "NVIC_IPR3",
    **{
        0x4002_0000 + 0x400 * port + offset: f"GPIO{'ABCDEFGH'[port]}_{name}"
        for port in range(8)
        for offset, name in ((0, "MODER"), (8, "OSPEEDR"), (12, "PUPDR"), (24, "BSRR"), (32, "AFRL"), (36, "AFRH"))
    },
}
RESET = {"RCC_CR": 0x83 | 3 << 16 | 3 << 24, "DMA1_S3FCR": 0x21, "RCC_PLLI2SCFGR": 0x2000_3000}

PLLI2SON, PLLI2SRDY = 1 << 26, 1 << 27
I2SE, DMA_EN, TCIF3, TEIF3, OVR, CT = 1 << 10, 1, 1 << 27, 1 << 25, 1 << 6, 1 << 19
SPI2EN, DMA1EN = 1 << 14, 1 << 21


@dataclass
class Chip:
    """Registers by name.

    Attributes
    ----------
    patience
        Reads of a status register until what it waits for has happened.
    locks, stops
        Whether the PLL ever locks, and the DMA stream ever ends its transfer.
    """

    patience: int = 5
    locks: bool = True
    stops: bool = True
    value: dict[str, int] = field(default_factory=lambda: dict(RESET))
    log: list[tuple[str, int]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    reads: int = 0
    _waits: int = 0

    def get(self, name: str) -> int:
        return self.value.get(name, 0)

    def fault(self, text: str) -> None:
        """Remember what the manual forbids: an exception could not pass through C."""
        self.faults.append(text)

    def read(self, address: int) -> int:
        self.reads += 1
        name = NAMES.get(address)
        if name is None:
            self.fault(f"read of {address:#x}")
            return 0
        self._clocked(name)
        if name == "RCC_CR":
            self._follow("RCC_CR", PLLI2SRDY, bool(self.get(name) & PLLI2SON), self.locks)
        if name == "DMA1_S3CR" and not self._wanted:
            self._follow("DMA1_S3CR", DMA_EN, False, self.stops)
        return self.get(name)

    _wanted: bool = False  # EN as last written; the register keeps it until the transfer has ended

    def _follow(self, name: str, bit: int, target: bool, ever: bool) -> None:
        if bool(self.get(name) & bit) == target or not ever:
            return
        self._waits += 1
        if self._waits >= self.patience:
            self._waits = 0
            self.value[name] = self.get(name) & ~bit | (bit if target else 0)

    def write(self, address: int, value: int) -> None:
        name = NAMES.get(address)
        if name is None:
            self.fault(f"write of {value:#x} to {address:#x}")
            return
        self._clocked(name)
        self.log.append((name, value))
        handler = getattr(self, f"_write_{name.lower()}", None)
        if handler:
            handler(value)
        else:
            self._check(name)
            self.value[name] = value

    def _clocked(self, name: str) -> None:
        gates = {"SPI2": ("RCC_APB1ENR", SPI2EN), "DMA1": ("RCC_AHB1ENR", DMA1EN)}
        if name.startswith("GPIO"):
            gate, bit = "RCC_AHB1ENR", 1 << (ord(name[4]) - ord("A"))
        elif name[:4] in gates:
            gate, bit = gates[name[:4]]
        else:
            return
        if not self.get(gate) & bit:
            self.fault(f"{name} without its clock")

    def _check(self, name: str) -> None:
        """What must not change while something runs."""
        if name in ("RCC_PLLI2SCFGR",) and self.get("RCC_CR") & (PLLI2SON | PLLI2SRDY):
            self.fault("PLLI2SCFGR while the PLL runs (7.3.23)")
        if name == "SPI2_I2SPR" and self.get("SPI2_I2SCFGR") & I2SE:
            self.fault("I2SPR while I2S runs (28.5.9)")
        if (
            name in ("DMA1_S3PAR", "DMA1_S3M0AR", "DMA1_S3M1AR", "DMA1_S3NDTR", "DMA1_S3FCR")
            and self.get("DMA1_S3CR") & DMA_EN
        ):
            self.fault(f"{name} while the stream runs (10.3.17)")

    def _write_rcc_cr(self, value: int) -> None:
        self.value["RCC_CR"] = value & ~PLLI2SRDY | self.get("RCC_CR") & PLLI2SRDY

    def _write_rcc_apb1rstr(self, value: int) -> None:
        self.value["RCC_APB1RSTR"] = value
        if value & SPI2EN:
            for name in ("SPI2_CR2", "SPI2_SR", "SPI2_I2SCFGR", "SPI2_I2SPR"):
                self.value[name] = 0

    def _write_spi2_i2scfgr(self, value: int) -> None:
        before = self.get("SPI2_I2SCFGR")
        if before & I2SE and (before ^ value) & ~I2SE:
            self.fault("I2SCFGR changed while I2S runs (28.5.8)")
        if value & I2SE and not before & I2SE:
            if not self.get("RCC_CR") & PLLI2SRDY:
                self.fault("I2S enabled without its clock")
            if not self.get("DMA1_S3CR") & DMA_EN:
                self.fault("I2S enabled before the stream that empties it")
        self.value["SPI2_I2SCFGR"] = value

    def _write_dma1_s3cr(self, value: int) -> None:
        before = self.get("DMA1_S3CR")
        if before & DMA_EN and (before ^ value) & ~(DMA_EN | 0x1E):
            self.fault("S3CR changed while the stream runs (10.5.5)")
        if value & DMA_EN and not before & DMA_EN and self.get("DMA1_LISR"):
            self.fault("a stream enabled with flags set (10.3.17)")
        self._wanted = bool(value & DMA_EN)
        kept = before & DMA_EN if not self._wanted else 0
        self.value["DMA1_S3CR"] = value | kept

    def _write_dma1_lifcr(self, value: int) -> None:
        self.value["DMA1_LISR"] = self.get("DMA1_LISR") & ~value

    def _write_nvic_iser0(self, value: int) -> None:
        self.value["enabled"] = self.get("enabled") | value

    def _write_nvic_icer0(self, value: int) -> None:
        self.value["enabled"] = self.get("enabled") & ~value

    def complete(self, into: int) -> None:
        """The stream has filled block ``into`` and goes on with the other one."""
        self.value["DMA1_LISR"] = self.get("DMA1_LISR") | TCIF3
        self.value["DMA1_S3CR"] = self.get("DMA1_S3CR") & ~CT | (0 if into else CT)

    def order(self, *names: str) -> list[int]:
        """Position in the log of the last write to each register."""
        return [max(at for at, (name, _) in enumerate(self.log) if name == one) for one in names]
