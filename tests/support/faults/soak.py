"""``tests/support/faults/soak.py --target host --hours 24``: audio without end through the whole firmware.

``host``: the product firmware, compiled for this computer, hears a microphone: blocks as DMA brings them, decimated,
framed, slid, classified and decided on, in one run without a pause. ``qemu``: the emulated board gets the audio through
its serial port. Either way every window's scores are compared with the reference's, the firmware's counters with what
was sent, and on this computer the process's memory and open files at the beginning and at the end. The audio is a
synthetic city: recordings that are looped, shifted, amplified up to clipping and mixed with noise; some segments are
silent, constant or square waves. Exit status 1 if anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import _places  # noqa: F401 (first)
import numpy as np
import soxr
from fixtures_firmware import LIVE, SANITIZERS, Small, build_for_host, small_model
from program_stream import ProgramStream

from scenelet.compiler.pipeline import compile_model
from scenelet.core.files import scratch
from scenelet.data.datasets.registry import open_dataset
from scenelet.data.synthetic.city import write_city
from scenelet.data.synthetic.scenes import RECIPES, record
from scenelet.deploy.export import frontend_tables_of
from scenelet.deploy.soak import soak
from scenelet.frontend.decimator_native import Decimator
from scenelet.targets.build import platformio
from scenelet.targets.host import HostTarget
from scenelet.targets.qemu import boot
from scenelet.targets.serial.client import Device, fields
from scenelet.targets.serial.framing import Line

SEGMENT_SECONDS = 10
_CITY_RATE = 44_100
_FULL = 2**23 - 1
_SILENCE_SECONDS = 600.0
_SETTLED = 3  # segments after which the process has all the memory that it needs


@dataclass
class Result:
    """What a soak found."""

    target: str
    audio_seconds: float
    seconds: float = 0.0
    windows: int = 0
    mismatches: int = 0
    misnumbered: int = 0
    overruns: int = 0
    lost_blocks: int = 0
    resident_bytes: tuple[int, int] = (0, 0)
    open_files: tuple[int, int] = (0, 0)
    exit_status: int = 0

    @property
    def ok(self) -> bool:
        """Whether all agrees and nothing has grown."""
        wrong = self.mismatches + self.misnumbered + self.overruns + self.lost_blocks + abs(self.exit_status)
        grown = self.resident_bytes[1] > self.resident_bytes[0] or self.open_files[1] > self.open_files[0]
        return self.windows > 0 and not wrong and not grown


@cache
def _scenes(rate: int) -> list[Any]:
    recorded = (
        record(scene, np.random.default_rng([7, number]), SEGMENT_SECONDS * _CITY_RATE)
        for number, scene in enumerate(RECIPES)
    )
    return [soxr.resample(sound, _CITY_RATE, rate)[: SEGMENT_SECONDS * rate] for sound in recorded]


@lru_cache(maxsize=4)  # the player and the comparison both need it
def segment(number: int, rate: int) -> Any:
    """Ten seconds of audio, int32 of 24 bits; a function of its number."""
    chance = np.random.default_rng([11, number])
    count = SEGMENT_SECONDS * rate
    kind = number % 20
    if kind == 17:
        return np.zeros(count, np.int32)
    if kind == 18:
        return np.full(count, int(chance.choice([-_FULL - 1, -1, 1, _FULL])), np.int32)
    if kind == 19:
        period = int(chance.integers(2, 400))
        return np.where(np.arange(count) % period < period // 2, _FULL, -_FULL - 1).astype(np.int32)
    scenes = _scenes(rate)
    sound = np.roll(scenes[number % len(scenes)], int(chance.integers(count)))
    mixed = sound * 2.0 ** chance.uniform(-6, 6) + chance.normal(0, 2.0 ** chance.uniform(-20, -2), count)
    return np.clip(np.rint(mixed * _FULL), -_FULL - 1, _FULL).astype(np.int32)


def _frames(samples: Any) -> bytes:
    """I2S frames as DMA brings them; the right channel must not be heard."""
    left = samples.astype(np.uint32) << 8
    frames = np.empty((samples.size, 4), "<u2")
    frames[:, 0], frames[:, 1] = left >> 16, left & 0xFFFF
    frames[:, 2:] = 0x5AA5
    return frames.tobytes()


class Reference:
    """Scores of an endless stream, by the host's front end and the generated C."""

    def __init__(self, host: HostTarget, capture_rate: int) -> None:
        self._host, self._config = host, host.tables.config
        rates = (capture_rate, self._config.sample_rate)
        self._decimator = Decimator(*rates) if rates[0] != rates[1] else None
        self._rest = np.empty(0, np.int32)
        self._step = (self._config.slide or 0) * self._config.hop_length or self._config.clip_samples

    def push(self, samples: Any) -> Any:
        """Scores of the windows that these samples complete, (n, classes)."""
        low = self._decimator.push(samples) if self._decimator else samples
        if self._config.sample_bits == 16:
            low = np.clip((low.astype(np.int64) + 128) >> 8, -32_768, 32_767).astype(np.int32)
        rest, length = np.concatenate([self._rest, low]), self._config.clip_samples
        count = max(0, (rest.size - length) // self._step + 1)
        if not count:
            self._rest = rest
            return np.empty((0, 1), np.int8)
        windows = np.lib.stride_tricks.sliding_window_view(rest, length)[:: self._step][:count]
        self._rest = rest[count * self._step :]
        return self._host.classify(np.ascontiguousarray(windows)).reshape(count, -1)


def _resident(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _decisions(device: Device, count: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The next decisions of the device, (window, scores)."""
    while count:
        event = device.event(_SILENCE_SECONDS)
        if event is None:
            raise TimeoutError("the firmware says nothing")
        if isinstance(event, Line) and event.text.startswith("decision "):
            said = fields(event.text)
            yield int(said["window"]), tuple(map(int, said["scores"].split(",")))
            count -= 1


def _started(device: Device) -> int:
    """Switch listening on; returns the microphone's rate."""
    device._stream.write(b"\0listen on\n")
    while event := device.event(_SILENCE_SECONDS):
        if isinstance(event, Line) and event.text.startswith("listen on "):
            return int(fields(event.text)["rate"])
    raise TimeoutError("the firmware does not listen")


def soak_host(model: Small, hours: float, flags: tuple[str, ...]) -> Result:
    """Let the product hear a microphone, a named pipe, for some hours of audio."""
    segments = max(_SETTLED + 1, round(hours * 3600 / SEGMENT_SECONDS))
    result = Result("host", segments * SEGMENT_SECONDS)
    with scratch() as folder, HostTarget(model.content) as host:
        program, pipe = build_for_host(model.sources(), folder, flags), folder / "microphone"
        os.mkfifo(pipe)
        stream = ProgramStream(program, pipe)
        device = Device(stream, give_up_seconds=60)
        device.wait_ready()
        rate_known, rates = threading.Event(), []

        def play() -> None:
            with pipe.open("wb") as microphone:
                rate_known.wait()
                for number in range(segments):
                    microphone.write(_frames(segment(number, rates[0])))

        player = threading.Thread(target=play, daemon=True)
        player.start()
        rates.append(_started(device))
        rate_known.set()
        _compare(result, device, Reference(host, rates[0]), segments, stream.process.pid, rates[0])
        player.join()
        held = device.info()
        result.overruns, result.lost_blocks = int(held["overruns"]), int(held["lost_blocks"])
        stream.close()
        result.exit_status = stream.process.returncode
    return result


def _compare(result: Result, device: Device, reference: Reference, segments: int, process: int, rate: int) -> None:
    began = shown = time.monotonic()
    for number in range(segments):
        expected = reference.push(segment(number, rate))
        for scores, (window, got) in zip(expected, _decisions(device, len(expected)), strict=True):
            result.mismatches += tuple(scores.tolist()) != got
            result.misnumbered += window != result.windows
            result.windows += 1
        now = _resident(process), len(os.listdir(f"/proc/{process}/fd"))
        if number == _SETTLED:
            result.resident_bytes, result.open_files = (now[0], 0), (now[1], 0)
        if number >= _SETTLED:
            result.resident_bytes = result.resident_bytes[0], now[0]
            result.open_files = result.open_files[0], now[1]
        if time.monotonic() - shown > 60:
            shown = time.monotonic()
            sys.stderr.write(f"{number + 1:,} of {segments:,} segments, {result.mismatches} windows differ\n")
    result.seconds = time.monotonic() - began


def soak_qemu(model: Small, hours: float) -> Result:
    """Stream a synthetic city to the emulated board, and compare every window."""
    with scratch() as folder:
        write_city(folder / "city", train_locations=2, test_locations=1, train_seconds=2)
        path = folder / "model.tflite"
        path.write_bytes(model.content)
        with boot(platformio.build(model.sources())) as device:
            done = soak(path, open_dataset(folder / "city"), "all", device._stream, audio_seconds=hours * 3600)
            held = device.info()
    return Result(
        "qemu",
        done.audio_seconds,
        done.seconds,
        done.windows,
        done.mismatches,
        overruns=int(held.get("overruns", 0)),
        lost_blocks=done.dropped_bytes,
    )


def _model(path: Path | None) -> Small:
    if path is None:
        return small_model(LIVE.model_copy(update={"slide": LIVE.frames}))
    compiled = compile_model(path)
    tables = frontend_tables_of(compiled, None, path)
    if tables is None:
        sys.exit(f"{path}: takes no audio")
    return Small(path.read_bytes(), compiled, tables)


def main() -> int:
    """Soak a target; print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=("host", "qemu"), default="host")
    parser.add_argument("--hours", type=float, default=24.0, help="of audio")
    parser.add_argument("--model", type=Path, help="a .tflite with metadata; default: a small network")
    parser.add_argument("--sanitize", action="store_true", help="host: with AddressSanitizer, LeakSanitizer and UBSan")
    arguments = parser.parse_args()
    model = _model(arguments.model)
    flags = SANITIZERS if arguments.sanitize else ()
    if arguments.target == "host":
        result = soak_host(model, arguments.hours, ("-O2", *flags))
    else:
        result = soak_qemu(model, arguments.hours)
    sys.stdout.write(json.dumps(asdict(result), indent=2) + "\n")
    return int(not result.ok)


if __name__ == "__main__":
    sys.exit(main())
