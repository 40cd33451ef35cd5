"""``scenelet explain`` tells what the compiler did, all of it, and its figures are those of the plan."""

from __future__ import annotations

import functools
import json

import pytest
from networks import random_network
from typer.testing import CliRunner

from scenelet.benchmark.explain import explain as explain_anew
from scenelet.cli.app import app
from scenelet.compiler.depth_first.lowering import stages_of
from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import compile_model as compile_anew
from scenelet.core import toolchain

explain, compile_model = functools.cache(explain_anew), functools.cache(compile_anew)
MODEL = toolchain.FIRMWARE / "models" / "esc10_sm1.tflite"
SMALL = Options(ram_bytes=16_384)


@pytest.mark.parametrize("options", [Options(), Options(ram_bytes=0), Options(fusion=False)], ids=str)
def test_every_operator_is_explained_once(options: Options) -> None:
    for model in (MODEL, random_network(8, 8), random_network(9, 8)):
        told, compiled = explain(model, options), compile_model(model, options)
        wanted = sorted(number for step in compiled.program.steps for number in step.operators)
        assert sorted(number for part in told.parts for number in part.operators) == wanted
        assert sum(part.macs for part in told.parts) == sum(step.macs for step in compiled.program.steps)
        assert told.arena_bytes == compiled.plan.arena_bytes == max(p.offset + p.bytes for p in told.memory)
        assert all(part.predicted_instructions > 0 for part in told.parts if part.kernel != "scn_reshape_s8")


def test_line_buffers_and_scratch_fill_a_segments_memory() -> None:
    (segment,) = [step for step in compile_model(MODEL, SMALL).program.steps if stages_of(step)]
    parts = [part for part in explain(MODEL, SMALL).parts if part.step == 0]
    # One for what each part makes, for the input, and for MEAN's sums.
    counters = 4 * (len(parts) + 2)
    lines = sum(part.line_bytes for part in parts)
    assert counters + lines + max(part.scratch_bytes for part in parts) == segment.scratch_bytes


def test_without_fusion_a_layer_is_one_kernel_on_whole_maps() -> None:
    told = explain(MODEL, Options(fusion=False))
    assert len(told.parts) == 16
    assert {part.rows for part in told.parts} == {None}


def test_sm1_runs_depth_first_within_16_kib() -> None:
    for weights in ("packed", "auto"):
        told = explain(MODEL, Options(weights=weights, ram_bytes=16_384))
        assert told.arena_bytes <= 16_384
        assert [part.rows is not None for part in told.parts] == [True] * 5 + [False] * 3
        assert told.predicted_instructions < 13_500_000


def test_weights_trade_flash_for_instructions() -> None:
    packed, expanded = (explain(MODEL, Options(weights=w, ram_bytes=100_000)) for w in ("packed", "expanded"))
    assert packed.constant_bytes < expanded.constant_bytes
    assert packed.predicted_instructions > expanded.predicted_instructions


def test_the_command_prints_tables_or_json() -> None:
    plain = CliRunner().invoke(app, ["explain", str(MODEL), "--weights", "auto"])
    assert plain.exit_code == 0
    for word in ("0:conv1", "winograd", "the arena over time", "instructions predicted"):
        assert word in plain.output
    machine = CliRunner().invoke(app, ["explain", str(MODEL), "--weights", "packed", "--ram", "0", "--json"])
    told = json.loads(machine.output)
    assert told == json.loads(json.dumps(explain(MODEL, Options(weights="packed", ram_bytes=0)).to_json()))


def test_unknown_weights_are_refused() -> None:
    refused = CliRunner().invoke(app, ["explain", str(MODEL), "--weights", "large"])
    assert refused.exit_code != 0
