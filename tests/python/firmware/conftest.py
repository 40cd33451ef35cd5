"""A small model, the product firmware around it (for this computer, with sanitizers), and lines that lose bytes."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

from networks import NetworkBuilder
from program_stream import ProgramStream
from tflite_writer import GraphBuilder

from scenelet.compiler.pipeline import Compiled, compile_model
from scenelet.config.recipe import FrontendConfig
from scenelet.core import toolchain
from scenelet.frontend.codegen import render_frontend
from scenelet.frontend.tables import Tables, make_tables
from scenelet.targets.build import cortex_m4, platformio
from scenelet.targets.host import HostTarget
from scenelet.targets.known_answer import render_known_answer
from scenelet.targets.serial.client import Device
from scenelet.tflite.metadata import ModelInfo, attach

FRONTEND = FrontendConfig(n_fft=256, hop_length=256, n_mels=16, clip_seconds=0.256)
LIVE = FrontendConfig(
    n_fft=256, hop_length=128, n_mels=16, clip_seconds=0.16, grid="continuous", slide=3, sample_bits=16,
    capture_rate=16_000,
)  # fmt: skip
WIDE = FrontendConfig(sample_rate=32_000, n_fft=256, hop_length=256, n_mels=16, clip_seconds=0.064)
LABELS = ("rain", "sea waves", "Straßenlärm", 'say "100%"')
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")


@dataclass(frozen=True)
class Small:
    """A model of 16 bands x 9 frames and four classes, and its front end."""

    content: bytes
    compiled: Compiled
    tables: Tables

    def sources(self) -> dict[str, str]:
        answer = render_known_answer(self.compiled, self.tables, self.content)
        return self.compiled.files() | render_frontend(self.tables) | answer

    def windows(self, count: int, seed: int = 0) -> np.ndarray:
        """Noise from silence to clipping, (count, clip samples)."""
        chance = np.random.default_rng(seed)
        loudness = 2.0 ** chance.uniform(0, 25, (count, 1))
        samples = chance.normal(size=(count, FRONTEND.clip_samples)) * loudness
        return samples.clip(-(2**23), 2**23 - 1).astype(np.int32)

    def expected(self, windows: np.ndarray) -> np.ndarray:
        with HostTarget(self.content) as host:
            return host.classify(windows)


def small_model(frontend: FrontendConfig) -> Small:
    shape = (1, frontend.n_mels, frontend.frames, 1)
    network = NetworkBuilder(5, shape)
    network.builder = GraphBuilder("small")
    network.start = network.builder.input(shape, 1 / 64, 0)  # what the front end's features mean
    features = network.convolution(network.start, 6, (3, 3), stride=(2, 2))
    flat = network.reshape(features, (1, 8 * 5 * 6))
    content = attach(
        network.model(network.softmax(network.fully_connected(flat, len(LABELS)))),
        ModelInfo(labels=LABELS, frontend=frontend, recipe="small"),
    )
    compiled = compile_model(content)
    quantization = compiled.graph.tensors[compiled.graph.inputs[0]].quantization
    assert quantization is not None
    tables = make_tables(frontend, float(quantization.scale[0]), int(quantization.zero_point[0]))
    return Small(content, compiled, tables)


@pytest.fixture(scope="session")
def small() -> Small:
    return small_model(FRONTEND)


@pytest.fixture(scope="session")
def model(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network as a file."""
    path: Path = tmp_path_factory.mktemp("model") / "small.tflite"
    path.write_bytes(small.content)
    return path


@pytest.fixture(scope="session")
def live() -> Small:
    """The small network for 9 columns of the continuous grid, 16 bits, behind a microphone at 16 kHz."""
    return small_model(LIVE)


@pytest.fixture(scope="session")
def wide() -> Small:
    """The small network at 32 kHz and 24 bits, whose microphone runs at the same rate."""
    return small_model(WIDE)


def build_for_host(sources: dict[str, str], folder: Path) -> Path:
    """The product firmware for this computer, with every check that the compiler can add."""
    for name, text in sources.items():
        (folder / name).write_text(text, "utf-8")
    firmware = toolchain.FIRMWARE
    libraries = [*toolchain.engine_folders(), firmware / "lib" / "frontend", firmware / "lib" / "link"]
    places = [*libraries, firmware / "src", firmware / "lib" / "port" / "host", firmware / "boards" / "host", folder]
    program = folder / "firmware"
    toolchain.run(
        [
            toolchain.host_compiler(),
            *("-std=c11", "-O1", '-DSCN_VERSION="0"', *SANITIZERS, *cortex_m4.flags()["warnings"]),
            *(f"-I{place}" for place in (*places, firmware / "lib" / "port")),
            *(source for place in places for source in sorted(place.glob("*.c"))),
            *("-o", program),
        ]
    )
    return program


@pytest.fixture(scope="session")
def program(small: Small) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as place:
        yield build_for_host(small.sources(), Path(place))


@pytest.fixture(scope="session")
def live_program(live: Small) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as place:
        yield build_for_host(live.sources(), Path(place))


class NoisyStream:
    """Flips, drops, doubles and invents bytes, in both directions, each with probability ``rate``."""

    def __init__(self, stream: ProgramStream, rate: float, seed: int) -> None:
        self.stream, self.rate, self.chance = stream, rate, random.Random(seed)
        self.damaged = 0

    def _spoil(self, content: bytes) -> bytes:
        spoilt = bytearray()
        for byte in content:
            if self.chance.random() >= self.rate:
                spoilt.append(byte)
                continue
            self.damaged += 1
            change = self.chance.choice(["flip", "drop", "double", "invent"])
            if change == "flip":
                spoilt.append(byte ^ 1 << self.chance.randrange(8))
            elif change == "double":
                spoilt += bytes((byte, byte))
            elif change == "invent":
                spoilt += bytes((byte, self.chance.randrange(256)))
        return bytes(spoilt)

    def read(self, seconds: float) -> bytes:
        return self._spoil(self.stream.read(seconds))

    def write(self, content: bytes) -> None:
        self.stream.write(self._spoil(content))

    def close(self) -> None:
        self.stream.close()


Connect = Callable[..., "contextmanager[tuple[Device, NoisyStream]]"]


@pytest.fixture
def connect(program: Path) -> Connect:
    """Start the firmware on this computer; yields the host's side and the line between them."""

    @contextmanager
    def start(rate: float = 0.0, seed: int = 0) -> Iterator[tuple[Device, NoisyStream]]:
        line = NoisyStream(ProgramStream(program), 0.0, seed)
        device = Device(line, ask_seconds=0.03, give_up_seconds=20)
        device.wait_ready()
        line.rate = rate
        try:
            yield device, line
        finally:
            line.close()
        assert line.stream.process.returncode == 0, "the sanitizers found something"

    return start


@pytest.fixture(autouse=True, scope="session")
def _own_build_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCENELET_BUILD", str(tmp_path_factory.mktemp("build")))
        yield


@pytest.fixture(scope="session")
def product_elf(small: Small) -> Path:
    """The product firmware around the small model, for the emulated board."""
    return platformio.build(small.sources())
