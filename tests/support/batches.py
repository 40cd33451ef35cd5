"""Many generated networks in one compilation: one shared library for this computer, or one program for the board.

Compilers and emulators take longer to start than a small network takes to compile and run.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cffi
import numpy as np
from networks import KINDS, random_network
from numpy.typing import NDArray
from streams.generated import STREAM_KINDS, stream_network

from scenelet.compiler.options import DEFAULT, Options
from scenelet.compiler.pipeline import Compiled, compile_model
from scenelet.core import cortex_m4, toolchain
from scenelet.evaluation import parity
from scenelet.frontend import on_target
from scenelet.targets.base import Values
from scenelet.targets.host import _DECLARATIONS, WARNINGS, HostTarget, _aligned_bytes
from scenelet.targets.interpreter import LocalTarget, shown_inputs
from scenelet.targets.litert import LitertTarget

WAYS = {
    "operators alone": Options(fusion=False),
    "default": DEFAULT,
    "packed": Options(weights="packed"),
    "smallest": Options(ram_bytes=0, weights="packed"),
    "smallest expanded": Options(ram_bytes=0, weights="expanded"),
    "roomy": Options(ram_bytes=1_000_000, weights="expanded"),
}
CASES = 4
STEPS = 12
"""Inputs of a network with state, one after the other."""
_END = 0xFFFFFFFF
# What generated C defines for all of a file, except what other files call by name.
_OWN = re.compile(
    r"(?<![.\w])(step\d+_\w+|views|steps|inputs|outputs|states|state\d+_initial|scn_model|scn_model_labels"
    r"|SCN_MODEL_\w+)\b"
)


@dataclass(frozen=True)
class Network:
    """A generated network, and how it is compiled: a key of :data:`WAYS`."""

    seed: int
    layers: int
    kind: str
    way: str

    def model(self) -> bytes:
        """The .tflite."""
        made = stream_network if self.kind in STREAM_KINDS else random_network
        return made(self.seed, self.layers, self.kind)

    @property
    def cases(self) -> int:
        """Inputs that are compared."""
        return STEPS if self.kind in ("stream", "filter", "sequence") else CASES


def spread(end: int, first: int = 0, kinds: Sequence[str] = KINDS) -> list[Network]:
    """Networks number ``first`` .. ``end`` - 1 of every kind and way, the same every time."""
    ways = sorted(WAYS)
    return [
        Network(7_000 + seed, 1 + seed % 9, kinds[seed % len(kinds)], ways[seed // len(kinds) % len(ways)])
        for seed in range(first, end)
    ]


def unit(compiled: Sequence[Compiled], names: Sequence[str]) -> str:
    """One C source of many models: ``scn_networks`` lists them; what each defines begins with its name."""
    parts = ['#define SCN_MODEL_UNLIMITED 1\n#include "scn_engine.h"\n#include "scn_segment.h"\n']
    for one, name in zip(compiled, names, strict=True):
        files = one.files()
        header = re.sub(r"#ifndef SCN_MODEL_H\n|#define SCN_MODEL_H\n|#endif\n\Z", "", files["scn_model.h"])
        source = files["scn_model.c"].replace('#include "scn_model.h"\n', header)
        parts.append(_OWN.sub(lambda found, name=name: f"{name}_{found[1]}", source).replace(
            f"#ifndef {name}_SCN_MODEL_UNLIMITED", "#ifndef SCN_MODEL_UNLIMITED"
        ))  # fmt: skip
    listed = ", ".join(f"&{name}_scn_model" for name in names)
    arena = max(one.plan.arena_bytes for one in compiled)
    parts.append(f"extern const scn_model_t *const scn_networks[{len(names)}];\n")
    parts.append(f"const scn_model_t *const scn_networks[{len(names)}] = {{{listed}}};\n")
    parts.append(f"extern uint8_t scn_networks_arena[{arena}];\n_Alignas(16) uint8_t scn_networks_arena[{arena}];\n")
    return "\n".join(parts)


def _compile(networks: Sequence[Network]) -> tuple[list[bytes], list[Compiled], str]:
    models = [network.model() for network in networks]
    compiled = [compile_model(model, WAYS[network.way]) for model, network in zip(models, networks, strict=True)]
    return models, compiled, unit(compiled, [f"n{number}" for number in range(len(networks))])


class _Member(HostTarget):
    """One network of a library of many."""

    def __init__(self, model: bytes, compiled: Compiled, ffi: Any, library: Any, number: int) -> None:
        LocalTarget.__init__(self, model)
        self.compiled = compiled
        self._ffi, self._library = ffi, library
        self._model = library.scn_networks[number]
        self._arena = _aligned_bytes(self._model.arena_bytes)
        self.reset()


def check_on_host(networks: Sequence[Network]) -> None:
    """Compare every network with TFLite's reference kernels, tensor by tensor.

    Raises
    ------
    ParityError
        Naming the first network that differs.
    """
    models, compiled, text = _compile(networks)
    folders = toolchain.engine_folders()
    engine = toolchain.shared_library("engine", toolchain.engine_sources(), folders, WARNINGS)
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "networks.c"
        source.write_text(text, "utf-8")
        # Nothing to optimise in literals; each library is used once, so it lies beside its source.
        library = Path(place) / "networks.so"
        flags = [
            "-std=c11",
            "-O0",
            "-fPIC",
            "-shared",
            *WARNINGS,
            *(f"-I{path}" for path in folders),
            "-Wl,--no-as-needed",
        ]
        toolchain.run([toolchain.host_compiler(), *flags, source, str(engine), "-o", library])
        ffi = cffi.FFI()
        ffi.cdef(_DECLARATIONS + f"extern const scn_model_t *const scn_networks[{len(networks)}];")
        loaded = ffi.dlopen(str(library))
        for number, (network, model, one) in enumerate(zip(networks, models, compiled, strict=True)):
            member = _Member(model, one, ffi, loaded, number)
            result = parity.check(model, member, network.cases, network.seed)
            result.require(network)
            if network.way == "operators alone":
                shown = set(member.tensors([np.zeros(tensor.shape, tensor.dtype) for tensor in member.inputs]))
                assert shown == {tensor.index for tensor in member.activations()}, "all tensors were compared"


class _Played(LocalTarget):
    """Shows what the board wrote, input after input."""

    name = "qemu"

    def __init__(self, model: bytes, compiled: Compiled, content: Iterator[bytes]) -> None:
        super().__init__(model)
        self._program = compiled.program
        self._content = content

    def reset(self) -> None:
        """The board does so before the first input of each network."""

    def infer(self, inputs: Sequence[NDArray[np.int8]]) -> tuple[NDArray[np.int8], ...]:
        del inputs
        raise AssertionError("every tensor is compared, never the output alone")

    def tensors(self, one: Values) -> dict[int, NDArray[np.int8]]:
        shown = shown_inputs(self, self._program, self.one_each(one))
        while (index := _word(next(self._content))) != _END:
            shown[index] = np.frombuffer(next(self._content), np.int8)
        return {index: self.typed(index, values) for index, values in shown.items()}


def _word(content: bytes) -> int:
    return int.from_bytes(content, "little")


def _records(content: bytes) -> Iterator[bytes]:
    """Tensor number, values, tensor number, values ... the end mark alone, as networks_probe.c writes them."""
    place = 0
    while place < len(content):
        yield content[place : place + 4]
        count = _word(content[place + 4 : place + 8])
        if content[place : place + 4] != b"\xff\xff\xff\xff":
            yield content[place + 8 : place + 8 + count]
        place += 8 + count


def check_on_board(networks: Sequence[Network]) -> None:
    """Compare every network on the emulated Cortex-M4, all of them in one program.

    Raises
    ------
    ParityError
        Naming the first network that differs.
    """
    models, compiled, text = _compile(networks)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "networks.c").write_text(text, "utf-8")
        (folder / "inputs").write_bytes(b"".join(_inputs(models, networks)))
        sources = [folder / "networks.c", *toolchain.engine_sources()]
        on_target.run_program(cortex_m4.probe(folder, "networks_probe", sources))
        content = _records((folder / "tensors").read_bytes())
    for network, model, one in zip(networks, models, compiled, strict=True):
        parity.check(model, _Played(model, one, content), network.cases, network.seed).require(network)
    assert next(content, None) is None, "the board ran no more than was asked"


def _inputs(models: Sequence[bytes], networks: Sequence[Network]) -> Iterator[bytes]:
    for number, (model, network) in enumerate(zip(models, networks, strict=True)):
        with LitertTarget(model) as reference:
            for one in parity.inputs(reference, network.cases, network.seed):
                yield number.to_bytes(4, "little") + LocalTarget.packed(one).tobytes()
