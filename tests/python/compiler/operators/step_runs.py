"""Runs a small graph on the host's kernels, step by step, and holds every output to BUILTIN_REF."""

from __future__ import annotations

import numpy as np
from engine_library import Engine
from numpy.typing import NDArray

from scenelet.compiler.operators import lower, require_supported
from scenelet.compiler.program import Program
from scenelet.targets.litert import LitertTarget
from scenelet.tflite.reader import read_model


def require_equal(engine: Engine, model: bytes, seed: int, runs: int = 2) -> Program:
    """Compare what each step of a model writes for random inputs, also in place of what it may overwrite.

    The model has one input. Returns its program, one step per call.
    """
    graph = read_model(model)
    require_supported(graph)
    program = lower(graph)
    chance = np.random.default_rng(seed)
    with LitertTarget(model) as reference:
        for _ in range(runs):
            given = chance.integers(-128, 128, graph.tensors[graph.inputs[0]].shape).astype(np.int8)
            expected = _tensors(reference, given)
            for step in program.steps:
                (target,) = step.writes
                for place in (None, *step.overwrites):
                    made = engine.run(step, expected, in_place=place)
                    np.testing.assert_array_equal(made, expected[target].ravel(), err_msg=step.name)
            for alias, holder in program.aliases.items():
                np.testing.assert_array_equal(expected[alias].ravel(), expected[holder].ravel())
    return program


def _tensors(reference: LitertTarget, given: NDArray[np.int8]) -> dict[int, NDArray[np.int8]]:
    """All tensors of one inference; an input of any batch, which :meth:`LitertTarget.tensors` would refuse."""
    reference.invoke(given)
    shown = {tensor.index for tensor in reference.activations() if tensor.dtype == "int8"}
    return {index: np.asarray(reference._interpreter.value(index)) for index in shown}
