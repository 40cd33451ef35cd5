"""Networks with several inputs and outputs, in any order of types, through every target and command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from networks import NetworkBuilder
from tflite_writer import write_model
from typer.testing import CliRunner

from scenelet.cli.app import app
from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import compile_model
from scenelet.deploy.export import export
from scenelet.errors import InputError, UnsupportedError
from scenelet.evaluation import parity
from scenelet.targets.host import HostTarget
from scenelet.targets.interpreter import LocalTarget
from scenelet.targets.litert import LitertTarget
from scenelet.targets.qemu import QemuTarget
from scenelet.targets.tflm import TflmTarget

SHAPES = ((12, 6, 3), (6, 3, 4), (5,))


def network() -> bytes:
    """Three inputs, the second one float32; outputs: float32, scores, a renamed input, and the first one's INT8."""
    made = NetworkBuilder(3, (1, *SHAPES[0]))
    skip = made.entered((1, *SHAPES[1]), 0.07, 5, "float32")
    values = made.builder.input((1, *SHAPES[2]), 0.05, -3)
    joined = made.add(made.convolution(made.start, 4, (3, 3), stride=(2, 2)), skip)
    last = made.convolution(joined, 4, (3, 3))
    scores = made.logistic(made.fully_connected(values, 6))
    renamed = made.reshape(values, (1, 5, 1))
    return write_model(made.builder.graph(made.left(last, "float32"), scores, renamed, last))


MODEL = network()


def given(count: int, seed: int = 0) -> list[np.ndarray]:
    chance = np.random.default_rng(seed)
    values = [chance.integers(-128, 128, (count, *shape)).astype(np.int8) for shape in SHAPES]
    values[1] = chance.uniform(-9, 9, (count, *SHAPES[1])).astype(np.float32)  # type: ignore[assignment]
    return values


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = tmp_path_factory.mktemp("several") / "several.tflite"
    model.write_bytes(MODEL)
    return model


@pytest.mark.parametrize("options", [Options(), Options(fusion=False), Options(ram_bytes=0)], ids=str)
def test_the_host_has_every_tensor(options: Options) -> None:
    with HostTarget(MODEL, options=options) as host:
        result = parity.check(MODEL, host, 8)
        result.require("host")
        assert options.fusion or result.values == 8 * sum(tensor.elements for tensor in host.activations())


@pytest.mark.qemu
def test_the_board_has_every_tensor_and_counts_its_instructions() -> None:
    with QemuTarget(MODEL) as board, HostTarget(MODEL) as host:
        parity.check(MODEL, board, 6).require("qemu")
        for one, other in zip(board.run_each(given(3)), host.run_each(given(3)), strict=True):
            np.testing.assert_array_equal(one, other)
        assert all(count > 0 for count in board.measure().steps)


def test_the_interpreters_take_them_in_the_files_order() -> None:
    with LitertTarget(MODEL) as litert, TflmTarget(MODEL) as tflm, HostTarget(MODEL) as host:
        for target in (tflm, host):
            for one, other in zip(litert.run_each(given(4)), target.run_each(given(4)), strict=True):
                np.testing.assert_array_equal(one, other)
        assert [values.shape for values in litert.run_each(given(4))] == [
            (4, 6, 3, 4), (4, 6), (4, 5, 1), (4, 6, 3, 4),
        ]  # fmt: skip
        np.testing.assert_array_equal(litert.run_each(given(4))[2].ravel(), given(4)[2].ravel())


@pytest.mark.parametrize("kind", [HostTarget, LitertTarget])
def test_what_does_not_fit_is_refused_by_its_name(kind: type[LocalTarget]) -> None:
    with kind(MODEL) as target:
        with pytest.raises(UnsupportedError, match="has 3 inputs; use a model with one input for this"):
            target.run(given(1)[0])
        with pytest.raises(InputError, match="are 2 arrays; give 3, in the model's order"):
            target.run_each(given(1)[:2])
        with pytest.raises(InputError, match="input 't3' of model: have shape"):
            target.run_each([*given(1)[:2], np.zeros((1, 6), np.int8)])
        with pytest.raises(InputError, match=r"hold \[1, 2, 1\] inputs; give as many of each"):
            target.run_each([given(1)[0], given(2)[1], given(1)[2]])


def test_the_header_says_each_ones_place_shape_and_scale(tmp_path: Path) -> None:
    compiled = compile_model(MODEL)
    header = compiled.files()["scn_model.h"]
    macros = dict(re.findall(r"^#define SCN_MODEL_(\w+) (.+)$", header, re.MULTILINE))
    assert (macros["INPUT_COUNT"], macros["OUTPUT_COUNT"]) == ("3", "4")
    assert int(macros["INPUT_BYTES"]) == 216 + 72 + 5
    assert int(macros["OUTPUT_BYTES"]) == 72 + 6 + 5 + 72
    assert (macros["INPUT1_SHAPE"], macros["INPUT1_RANK"]) == ("{1, 6, 3, 4}", "4")
    assert (macros["INPUT1_SCALE"], macros["INPUT1_ZERO_POINT"]) == ("0.0700000003f", "(5)")
    assert macros["INPUT2_NAME"] == '"t3"'
    assert macros["OUTPUT0_OFFSET"] == macros["OUTPUT3_OFFSET"] == str(compiled.plan.offset(10))
    assert export(_written(tmp_path), tmp_path / "out").tflm_lacks is None


def _written(folder: Path) -> Path:
    (folder / "several.tflite").write_bytes(MODEL)
    return folder / "several.tflite"


def test_run_takes_a_npz_by_name_or_in_order(path: Path, tmp_path: Path) -> None:
    named, ordered = tmp_path / "named.npz", tmp_path / "ordered.npz"
    values = given(2)
    np.savez(named, **dict(zip(("t0", "t1", "t3"), values, strict=True)))
    np.savez(ordered, *values)
    told = CliRunner().invoke(app, ["run", str(path), str(named), str(ordered), "--target", "host", "--json"])
    results = json.loads(told.stdout)["results"]
    assert [(r["window"], r["output"]) for r in results[:8]] == [(w, f"t{n}") for w in (0, 1) for n in (17, 14, 16, 10)]
    assert [r["scores"] for r in results[:8]] == [r["scores"] for r in results[8:]]
    table = CliRunner().invoke(app, ["run", str(path), str(named), "--target", "host"]).stdout
    assert "output" in table


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"t0": 0, "t1": 1}, "holds t0, t1; give a .npz with an array for each: t0, t1, t3"),
        ({"t0": 0, "t1": 1, "t3": 1}, "t3: holds float32; give int8 values"),
        ({"t0": 0, "t1": 0, "t3": 2}, "t1: has shape"),
    ],
)
def test_run_refuses_a_npz_that_does_not_fit(
    path: Path, tmp_path: Path, arrays: dict[str, int], problem: str
) -> None:  # fmt: skip
    values = given(2)
    file = tmp_path / "odd.npz"
    np.savez(file, **{name: values[number] for name, number in arrays.items()})
    told = CliRunner().invoke(app, ["run", str(path), str(file)])
    assert problem in str(told.exception)


def test_run_refuses_one_array_for_several_inputs(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "one.npy"
    np.save(file, given(1)[0])
    told = CliRunner().invoke(app, ["run", str(path), str(file)])
    assert "holds one array for 3 inputs; give a .npz with an array for each: t0, t1, t3" in str(told.exception)


def test_commands_that_need_one_input_say_so(path: Path, tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["export", str(path), "--out", str(tmp_path / "out"), "--frontend", "baseline"])
    assert "has 3 inputs, the front end fills one; leave out --frontend" in str(told.exception)


@pytest.mark.parametrize("command", ["explain", "budget"])
def test_commands_of_any_network(path: Path, command: str) -> None:
    told = CliRunner().invoke(app, [command, str(path)])
    assert told.exit_code == 0, told.exception
    assert command != "explain" or "input 1" in re.sub(r"\s+", " ", told.stdout)


@pytest.mark.qemu
def test_bench_counts_its_instructions(path: Path) -> None:
    told = CliRunner().invoke(app, ["bench", str(path), "--json"])
    assert json.loads(told.stdout)["instructions"] > 0
