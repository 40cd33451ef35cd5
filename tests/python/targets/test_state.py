"""Networks with resource variables: sequences of steps, resets, and the memory that keeps their state in C."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from networks import random_network
from streams.resources import StreamBuilder
from streams.words import wake_word
from typer.testing import CliRunner

from scenelet.cli.app import app
from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import compile_model
from scenelet.evaluation import parity
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget
from scenelet.targets.qemu import QemuTarget
from scenelet.targets.tflm import TflmTarget

MODEL = wake_word(3, seed=12)
STEPS = 60


def steps(count: int = STEPS, rows: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, (count, rows, 40)).astype(np.int8)


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("options", [Options(), Options(fusion=False), Options(ram_bytes=0)], ids=str)
def test_every_tensor_of_every_step_on_the_host(rows: int, options: Options) -> None:
    model = wake_word(rows, seed=rows)
    with HostTarget(model, options=options) as host:
        result = parity.check(model, host, 2 * STEPS)
        result.require("host")
        assert result.sequences == 3, "a sequence is 50 steps"
        if not options.fusion:
            assert result.values == 2 * STEPS * sum(tensor.elements for tensor in host.activations())


@pytest.mark.qemu
@pytest.mark.parametrize("rows", [1, 3])
def test_every_tensor_of_every_step_on_the_board(rows: int) -> None:
    model = wake_word(rows, seed=rows)
    with QemuTarget(model) as board:
        result = parity.check(model, board, 2 * STEPS)
        result.require("qemu")
        assert result.sequences == 3


def test_a_run_starts_anew_and_keeps_its_state_from_step_to_step() -> None:
    with HostTarget(MODEL) as host, LitertTarget(MODEL) as litert, TflmTarget(MODEL) as tflm:
        assert host.stateful
        whole = host.run(steps())
        np.testing.assert_array_equal(host.run(steps()), whole)
        np.testing.assert_array_equal(litert.run(steps()), whole)
        assert np.abs(tflm.run(steps()).astype(int) - whole).max() <= 1  # its FULLY_CONNECTED rounds twice
        alone = np.stack([host.run(one[None])[0] for one in steps()])
        assert np.any(alone[1:] != whole[1:]), "state matters"
        np.testing.assert_array_equal(alone[0], whole[0])


def test_single_inferences_go_on_until_a_reset() -> None:
    with HostTarget(MODEL) as host, LitertTarget(MODEL) as litert:
        whole = litert.run(steps()).ravel()
        for target in (host, litert):
            target.reset()
            one_by_one = [target.invoke(target.one_each(one)[0]).ravel()[0] for one in steps()]
            np.testing.assert_array_equal(one_by_one, whole)
            target.reset()
            output = target.output.index
            np.testing.assert_array_equal([target.tensors(one)[output].ravel()[0] for one in steps()], whole)


def test_the_arenas_first_bytes_are_all_that_a_run_leaves_to_the_next() -> None:
    """Between runs, a caller may use the rest of the arena, as the product's front end does."""
    with HostTarget(MODEL) as host:
        kept = host.compiled.plan.state_bytes
        assert 0 < kept < len(host._arena)
        assert kept % 16 == 0
        whole = host.run(steps())
        host.reset()
        chance = np.random.default_rng(1)
        for one, expected in zip(steps(), whole, strict=True):
            host._arena[kept:] = chance.integers(0, 256, len(host._arena) - kept)
            np.testing.assert_array_equal(host.invoke(host.one_each(one)[0]).ravel(), expected.ravel())


def test_two_streams_share_a_model_by_their_state_alone() -> None:
    one, other = steps(seed=1), steps(seed=2)
    with HostTarget(MODEL) as host:
        kept = host.compiled.plan.state_bytes
        whole = [host.run(one), host.run(other)]
        host.reset()
        states = [host._arena[:kept].copy() for _ in range(2)]
        for number in range(STEPS):
            for stream, values in enumerate((one, other)):
                host._arena[:kept] = states[stream]
                made = host.invoke(host.one_each(values[number])[0])
                states[stream] = host._arena[:kept].copy()
                np.testing.assert_array_equal(made.ravel(), whole[stream][number].ravel())


def test_initial_values_are_stored_where_a_byte_does_not_say_them() -> None:
    network = StreamBuilder(4, (1, 2, 1, 3))
    first = network.remembered(network.start, 4, "random")
    second = network.remembered(network.convolution(first, 3, (6, 1), padding="VALID"), 2)
    model = network.stream_model(second)
    compiled = compile_model(model)
    source, header = compiled.files()["scn_model.c"], compiled.files()["scn_model.h"]
    assert len(re.findall(r"_initial\[12\] = ", source)) == 1
    assert re.search(r"\{0, 12, state\d+_initial, 0\},", source)
    assert re.search(r"\{12, 6, NULL, -?\d+\},", source)
    assert "#define SCN_MODEL_STATE_BYTES 32\n" in header
    with HostTarget(model) as host:
        parity.check(model, host, 10).require("host")


def test_a_network_without_state_has_no_word_of_it() -> None:
    small_model = random_network(5, 4)
    files = compile_model(small_model).files()
    assert "SCN_MODEL_STATE" not in files["scn_model.h"] + files["scn_model.c"]
    assert "scn_state_t" not in files["scn_model.c"]
    with HostTarget(small_model) as host:
        before = host._arena.copy()
        host.reset()
        np.testing.assert_array_equal(host._arena, before)


def test_commands_say_what_the_state_takes(tmp_path: Path) -> None:
    path = tmp_path / "word.tflite"
    path.write_bytes(MODEL)
    runner = CliRunner()
    told = runner.invoke(app, ["parity", str(path), "-n", "60"])
    assert "60 inputs, in 2 sequences" in re.sub(r"\s+", " ", told.stdout)
    kept = compile_model(MODEL).plan.state_bytes
    told = runner.invoke(app, ["explain", str(path)])
    assert f"{kept} of it state" in re.sub(r"\s+", " ", told.stdout)
    assert "in the place of the variable" in re.sub(r"\s+", " ", told.stdout)
    told = runner.invoke(app, ["export", str(path), "--out", str(tmp_path / "out")])
    assert f"{kept} of it state" in re.sub(r"\s+", " ", told.stdout)
    assert "AddCallOnce" in (tmp_path / "out" / "tflm" / "g_model_ops.h").read_text()


def test_run_continues_through_a_file_and_starts_anew_with_the_next(tmp_path: Path) -> None:
    path, file = tmp_path / "word.tflite", tmp_path / "steps.npy"
    path.write_bytes(MODEL)
    np.save(file, steps(5))
    told = CliRunner().invoke(app, ["run", str(path), str(file), str(file), "--target", "host"])
    assert told.exit_code == 0
    words = [line.split() for line in told.stdout.splitlines()]
    scores = [line[-1] for line in words if line and re.fullmatch(r"-?\d+", line[-1])]
    with HostTarget(MODEL) as host:
        assert scores == [str(score) for score in host.run(steps(5)).ravel()] * 2
