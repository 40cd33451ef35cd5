"""Write docs/results/decimator.md and its plot: response and cost of every decimator."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

from scenelet.core.files import write_text
from scenelet.frontend.decimator import CHAINS, CIC_RATE, PDM_RATE, response
from scenelet.frontend.on_target import probe_decimator

mpl.use("svg")
from matplotlib import pyplot as plt

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "results"
WAYS = [*(way for way in CHAINS if way[0] != CIC_RATE), (PDM_RATE, 8000), (PDM_RATE, 16000)]
QUARTER = 4


def instructions(rate_in: int, rate_out: int) -> int:
    """Instructions per second of audio, extrapolated from a quarter of a second."""
    chance = np.random.default_rng(0)
    if rate_in == PDM_RATE:
        content = chance.bytes(rate_in // 8 // QUARTER)
    else:
        content = chance.integers(-(1 << 23), 1 << 23, rate_in // QUARTER).astype("<i4").tobytes()
    return QUARTER * probe_decimator(content, rate_in, rate_out)[1]


def row(rate_in: int, rate_out: int) -> str:
    """Measure one row of the table."""
    frequency = np.linspace(0, rate_in / 2, 40_001)
    level = 20 * np.log10(np.maximum(response(rate_in, rate_out, frequency), 1e-9))
    ripple = np.abs(level[frequency <= 0.425 * rate_out]).max()
    stop = level[frequency >= 0.575 * rate_out].max()
    count = instructions(rate_in, rate_out)
    name = "PDM, 1.024 MHz" if rate_in == PDM_RATE else f"{rate_in / 1000:g} kHz"
    return (
        f"| {name} | {rate_out / 1000:g} kHz | {ripple:.4f} dB to {0.425 * rate_out / 1000:g} kHz "
        f"| {stop:.1f} dB from {0.575 * rate_out / 1000:g} kHz | {count:,} | {count / 168e6:.1%} |"
    )


def plot() -> None:
    """Plot the responses of all decimators to 8 kHz."""
    mpl.rcParams["svg.hashsalt"] = "scenelet"
    figure, (whole, passband) = plt.subplots(2, 1, figsize=(8, 6), layout="constrained")
    for rate_in, rate_out in WAYS:
        if rate_out != 8000:
            continue
        frequency = np.linspace(0, min(rate_in / 2, 24_000), 4001)
        level = 20 * np.log10(np.maximum(response(rate_in, rate_out, frequency), 1e-6))
        name = "PDM" if rate_in == PDM_RATE else f"{rate_in // 1000} kHz"
        whole.plot(frequency / 1000, level, label=name, linewidth=0.8)
        passband.plot(frequency / 1000, level, linewidth=0.8)
    whole.set(ylim=(-120, 5), xlabel="kHz", ylabel="dB", title="To 8 kHz, before aliasing")
    passband.set(xlim=(0, 3.6), ylim=(-0.06, 0.06), xlabel="kHz", ylabel="dB", title="Pass band")
    whole.legend()
    figure.savefig(FOLDER / "decimator.svg", metadata={"Date": None})


def main() -> None:
    """Write the page and its plot."""
    head = (
        "| from | to | pass band within | stop band | instructions per second | of 168 MHz |\n|---|---|---|---|---|---|"
    )
    text = f"""# The decimator: measured

Written by `python tools/experiments/decimator.py`; do not edit. Responses are those of the integer taps. Instructions
are counted by QEMU (`netduinoplus2`, `-icount shift=0`) with the product's compiler flags, on noise in blocks of
256. They are no latency: the share of 168 MHz assumes one instruction per cycle, which no chip reaches in this code.
None of this was measured on silicon.

{head}
{chr(10).join(row(*way) for way in WAYS)}

The PDM rows include the CIC. `decimate` on the emulated board gives the bits of the NumPy model
(`tests/python/frontend/test_decimator.py`).

![Responses](decimator.svg)
"""
    write_text(FOLDER / "decimator.md", text)
    plot()


if __name__ == "__main__":
    main()
