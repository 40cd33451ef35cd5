"""Measures the front end and writes docs/results/frontend.md: instructions, memory, and distance from librosa.

    python tools/experiments/frontend.py --out docs/results/frontend.md [--data FOLDER]

FOLDER is any data set that scenelet reads; its recordings get a section of their own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scenelet.config.recipe import FrontendConfig
from scenelet.core import files
from scenelet.data import audio
from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import ParityError, SceneletError
from scenelet.frontend import fixed_point
from scenelet.frontend.accuracy import ErrorReport, error_report
from scenelet.frontend.flash_tables import device_tables
from scenelet.frontend.on_target import probe
from scenelet.frontend.stimuli import Signal, trial_signals
from scenelet.frontend.tables import make_tables

# Configurations to measure in the emulator: the default, the same at 16 bits, and every other FFT size.
CONFIGS = {
    "8 kHz, 2048, hop 1024, 140 bands, 24 bit (default)": FrontendConfig(),
    "the same, 16 bit": FrontendConfig(sample_bits=16),
    "the same, continuous grid": FrontendConfig(grid="continuous"),
    "the same, Hamming window of 1500": FrontendConfig(window="hamming", win_length=1500),
    "8 kHz, 256, hop 128, 40 bands": FrontendConfig(n_fft=256, hop_length=128, n_mels=40),
    "16 kHz, 512, hop 256, 64 bands": FrontendConfig(sample_rate=16000, n_fft=512, hop_length=256, n_mels=64),
    "16 kHz, 1024, hop 512, 64 bands": FrontendConfig(sample_rate=16000, n_fft=1024, hop_length=512, n_mels=64),
    "32 kHz, 4096, hop 2048, 256 bands": FrontendConfig(sample_rate=32000, n_fft=4096, hop_length=2048, n_mels=256),
}
_PROBED_CLIPS = 8
_SEPARATOR = "|---|---|---|---|---|---|---|---|"


def costs() -> Iterator[str]:
    """Lines of the table of costs."""
    yield "| front end | tables | instructions per frame | in the stream | table bytes | code | work | history bytes |"
    yield _SEPARATOR
    for name, config in CONFIGS.items():
        tables = make_tables(config)
        signals = trial_signals(config.sample_rate, config.clip_samples, config.sample_bits)
        windows = np.stack([signal.samples for signal in signals[:: len(signals) // _PROBED_CLIPS]])
        wanted = fixed_point.features(windows, tables)
        for form in ("fast", "compact"):
            device = device_tables(tables, form)
            if form == "compact" and device.computed is None:
                continue
            probed = probe(windows, tables, form=form)
            if not np.array_equal(probed.features, wanted):
                raise ParityError(name, "the emulated board's features differ from the NumPy model's", "report this")
            streamed = round(probed.clip_instructions / config.frames)
            memory = (
                f"{device.table_bytes:,} | {probed.code_bytes:,} | {tables.work_bytes:,} | {tables.history_bytes:,}"
            )
            yield f"| {name} | {form} | {probed.frame_instructions:,} | {streamed:,} | {memory} |"


def recordings(folder: Path, config: FrontendConfig) -> ErrorReport:
    """Error report of all recordings of a data set, at their own level."""
    signals = []
    for clip in open_dataset(folder).clips:
        samples = audio.read_audio(clip.path, config.sample_rate, config.sample_bits)
        for window in audio.windows(samples, config.clip_samples):
            signals.append(Signal("voices", 0, window))
    return error_report(config, signals)


def real_section(folder: Path) -> Iterator[str]:
    """Section on recordings."""
    yield f"## Recordings ({open_dataset(folder).name}, 8 kHz, 1-s windows)\n"
    yield "| samples | windows | error dB mean / p99 / max | INT8 features that differ | by at most |"
    yield "|---|---|---|---|---|"
    for bits in (16, 24):
        report = recordings(folder, FrontendConfig(sample_bits=bits))
        share = (
            f"{report.int8_differ:,} of {report.int8_values:,} ({100 * report.int8_differ / report.int8_values:.4f} %)"
        )
        yield f"| {bits} bit | {report.clips:,} | {report.all} | {share} | {report.int8_most} |"
    yield ""


def document(data: Path | None) -> Iterator[str]:
    """Lines of the whole document."""
    command = "python tools/experiments/frontend.py --out docs/results/frontend.md" + (" --data ESC10" if data else "")
    yield "# Front end: measured\n"
    yield f"Written by `{command}`; do not edit. Instructions are counted by QEMU (`netduinoplus2`, `-icount shift=0`)"
    yield "with the product's compiler flags: the largest count of some clips, exact to about 6. They are no latency."
    yield "Every feature of the emulated board in these runs equals the NumPy model's, bit for bit.\n"
    yield "## Cost\n"
    yield from costs()
    yield '\n"In the stream" includes moving samples into and inside the history. Work is the FFT\'s memory, in place;'
    yield "history is the streaming driver's, and 0 where the caller holds the frame itself.\n"
    if data:
        yield from real_section(data)
    for bits in (16, 24):
        yield f"## Distance from librosa, {bits}-bit trial signals (default front end)\n"
        yield "Against librosa's filters and a float64 STFT of the same integers; INT8 over [-60, +20] dB.\n"
        yield error_report(FrontendConfig(sample_bits=bits)).markdown()


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    try:
        files.write_text(arguments.out, "\n".join(document(arguments.data)))
    except SceneletError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
