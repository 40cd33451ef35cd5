"""No model ends the process that hands it to an interpreter, and each refusal is one line."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import NetworkBuilder
from tflite_writer import GraphBuilder, lacking, write_model

from scenelet.errors import ModelError, SceneletError, UnsupportedError
from scenelet.graph import Graph
from scenelet.targets.isolation import ChildDied, Isolated
from scenelet.targets.litert import LitertInterpreter, LitertTarget
from scenelet.targets.native import NativeTarget
from scenelet.targets.tflm import TflmTarget
from scenelet.tflite import object_model

SUPPORT = Path(__file__).resolve().parents[2] / "support"
MUTANTS = 80
BOTH = pytest.mark.parametrize("kind", [LitertTarget, TflmTarget])
INPUT = np.arange(-60, 60, dtype=np.int8).reshape(1, 120)


def addition() -> Graph:
    network = NetworkBuilder(3, (1, 120))
    return network.builder.graph(network.add(network.start, network.start))


def without_scale(graph: Graph) -> bytes:
    """LiteRT aborts on such a sum, or follows a null pointer."""
    target = graph.outputs[0]
    return write_model(
        replace(graph, tensors={**graph.tensors, target: replace(graph.tensors[target], quantization=None)})
    )


@pytest.mark.parametrize("target", ["litert", "tflm"])
def test_mutants_run_or_are_refused(target: str) -> None:
    command = [sys.executable, str(SUPPORT / "replay_mutants.py"), target, "0", str(MUTANTS)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout.splitlines()[-1:] + done.stderr.splitlines()[-8:]
    counts = dict(pair.split("=") for pair in done.stdout.splitlines()[-1].split())
    assert int(counts["ran"]) + int(counts["refused"]) == MUTANTS
    assert min(int(counts["ran"]), int(counts["refused"])) > MUTANTS // 5


def test_a_model_that_ends_the_interpreter_is_one_line_with_the_cause() -> None:
    with pytest.raises(UnsupportedError) as caught, LitertTarget(without_scale(addition())) as target:
        target.run(INPUT)
    assert str(caught.value).startswith("model: LiteRT dies of it with SIG")
    assert "(model: ADD 0:t1: output has no scale); convert the model to full INT8" in str(caught.value)


def test_the_interpreters_own_words_are_passed_on() -> None:
    with pytest.raises(
        UnsupportedError, match=r"TFLM refuses it: .*output->quantization\.type.*; convert the model to full"
    ):
        TflmTarget(without_scale(addition()))


def test_an_operator_that_only_the_interpreters_know_runs_the_same_in_a_child() -> None:
    interpreter = LitertInterpreter(lacking((1, 120)))
    interpreter.set_input(0, INPUT)
    interpreter.invoke()
    alone = interpreter.output(0)
    np.testing.assert_array_equal(alone, np.where(np.arange(120) % 2, -7, INPUT))
    for kind in (LitertTarget, TflmTarget):
        with kind(lacking((1, 120))) as target:
            assert target.refusal is not None
            np.testing.assert_array_equal(target.run(INPUT), alone)
            np.testing.assert_array_equal(target.tensors(INPUT)[target.output.index], alone)


@BOTH
def test_a_model_within_the_rules_stays_in_this_process(kind: type[NativeTarget]) -> None:
    with kind(write_model(addition())) as target:
        assert target.refusal is None
        assert not target._children


@BOTH
def test_the_child_ends_with_its_target(kind: type[NativeTarget]) -> None:
    with kind(lacking((1, 120))) as target:
        process = target._children[0]._process
        assert process.poll() is None
    assert process.poll() is not None


def test_a_shape_that_the_interpreter_does_not_find() -> None:
    with (
        LitertTarget(lacking((1, 120), (1, 121))) as place,
        pytest.raises(UnsupportedError, match=r"makes int8 \(1, 120\) of tensor"),
    ):
        place.run(INPUT)


def test_feature_maps_that_no_computer_holds() -> None:
    network = GraphBuilder("vast")
    x = network.input((1, 60_000, 60_000), 0.05, 0)
    model = write_model(network.graph(network.operator("LOGISTIC", (x,), (1, 60_000, 60_000), 1 / 256, -128)))
    with pytest.raises(UnsupportedError, match=r"feature maps take 7,200,000,000 bytes, .*; use a smaller input"):
        LitertTarget(model)


def test_offsets_outside_the_file_never_reach_tflm() -> None:
    whole = write_model(addition())
    refused = 0
    for position in range(8, len(whole) - 4, 5):
        damaged = bytearray(whole)
        damaged[position : position + 4] = (0x7FFFFF00).to_bytes(4, "little")
        try:
            assert object_model.repack(bytes(damaged))[4:8] == object_model.IDENTIFIER
        except ModelError:
            refused += 1
    assert refused > 10


class Dying:
    """Does what damaged native code does."""

    def __init__(self, content: bytes) -> None:
        if content == b"no":
            raise ValueError("not this one")

    def abort(self) -> None:
        os.abort()

    def leave(self) -> None:
        os._exit(7)

    def twice(self, values: np.ndarray) -> np.ndarray:
        return values * 2


def test_every_end_of_a_child_is_told() -> None:
    with pytest.raises(RuntimeError, match="not this one"):
        Isolated(Dying, b"no")
    child = Isolated(Dying, b"yes")
    np.testing.assert_array_equal(child.twice(INPUT), INPUT * 2)
    with pytest.raises(ChildDied, match="SIGABRT"):
        child.abort()
    with pytest.raises(ChildDied, match="SIGABRT"):
        child.twice(INPUT)
    with pytest.raises(ChildDied, match="status 7"):
        Isolated(Dying, b"yes").leave()


def test_a_childs_death_is_not_the_commands(tmp_path: Path) -> None:
    path = tmp_path / "sum.tflite"
    path.write_bytes(without_scale(addition()))
    np.save(tmp_path / "x.npy", INPUT)
    command = [sys.executable, "-m", "scenelet", "run", str(path), str(tmp_path / "x.npy")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == SceneletError.exit_status
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"scenelet: {path}: LiteRT dies of it")
