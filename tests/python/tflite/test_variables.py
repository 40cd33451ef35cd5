"""Variables of .tflite files: initial values, order, and what is refused, each in its own words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from mutants import changed
from streams.generated import stream_network
from tflite_writer import GraphBuilder, write_model

from scenelet.compiler.pipeline import compile_model
from scenelet.errors import ModelError, SceneletError, UnsupportedError
from scenelet.tflite.reader import read_model

SHAPE = (1, 4)
SCALE = (0.1, -3)


def once(**values: np.ndarray) -> GraphBuilder:
    """A subgraph that gives variables their initial values."""
    builder = GraphBuilder("once")
    for name, array in values.items():
        builder.assign(builder.handle(name), builder.constant(array, *SCALE))
    return builder


def filled(value: int, shape: tuple[int, ...] = SHAPE, dtype: str = "int8") -> np.ndarray:
    return np.full(shape, value, dtype)


class Main(GraphBuilder):
    """A network that adds its input to a variable."""

    def __init__(self) -> None:
        super().__init__("main")
        self.given = self.input(SHAPE, *SCALE)

    def added(self, one: int, other: int) -> int:
        return self.operator("ADD", (one, other), SHAPE, *SCALE, fused_activation_function="NONE")


def recurrence() -> Main:
    main = Main()
    main.call_once()
    handle = main.handle("sum")
    total = main.added(main.read(handle, SHAPE, *SCALE), main.given)
    main.assign(handle, total)
    main.output = total  # type: ignore[attr-defined]
    return main


def test_a_variable_is_a_tensor_in_the_place_of_its_handle() -> None:
    main = recurrence()
    graph = read_model(write_model(main.graph(3), once(sum=filled(5)).graph()))
    assert [operator.op for operator in graph.operators] == ["READ_VARIABLE", "ADD", "ASSIGN_VARIABLE"]
    assert [operator.index for operator in graph.operators] == [2, 3, 4], "positions in the file"
    ((place, variable),) = graph.variables.items()
    assert (variable.name, variable.resource) == ("sum", True)
    np.testing.assert_array_equal(variable.initial, filled(5))
    assert graph.operators[0].inputs == graph.operators[2].outputs == (place,)
    assert graph.tensors[place].shape == SHAPE


def test_two_handles_of_one_name_are_one_variable() -> None:
    main = Main()
    main.call_once()
    one, other = main.handle("x"), main.handle("x")
    value = main.added(main.read(one, SHAPE, *SCALE), main.given)
    main.assign(other, value)
    graph = read_model(write_model(main.graph(value), once(x=filled(0)).graph()))
    assert list(graph.variables) == [one]
    assert graph.operators[-1].outputs == (one,)


def test_a_value_assigned_first_needs_no_initial_one() -> None:
    main = Main()
    handle = main.handle("x")
    main.assign(handle, main.given)
    value = main.added(main.read(handle, SHAPE, *SCALE), main.given)
    graph = read_model(write_model(main.graph(value)))
    assert list(graph.variables) == [handle]


def read_first(main: Main) -> None:
    main.added(main.read(main.handle("x"), SHAPE, *SCALE), main.given)


def late(main: Main) -> None:
    handle = main.handle("x")
    main.assign(handle, main.given)
    main.call_once()
    main.added(main.read(handle, SHAPE, *SCALE), main.given)


def reshaped(main: Main) -> None:
    main.call_once()
    main.added(main.read(main.handle("x"), (1, 5), *SCALE), main.given)


def assigned_otherwise(main: Main) -> None:
    main.call_once()
    handle = main.handle("x")
    main.assign(handle, main.constant(filled(0, (2, 2)), *SCALE))
    main.added(main.given, main.given)


def of_another_type(main: Main) -> None:
    main.call_once()
    handle = main.handle("x")
    value = main.operator("READ_VARIABLE", (handle,), SHAPE, None, 0, dtype="float32")
    main.added(value, main.given)


def branching(main: Main) -> None:
    main.operator("WHILE", (main.given,), SHAPE, *SCALE)


def a_second_signature(main: Main) -> None:
    main.added(main.given, main.given)


def no_such_subgraph(main: Main) -> None:
    main.call_once(7)
    main.added(main.given, main.given)


def itself(main: Main) -> None:
    main.call_once(0)
    main.added(main.given, main.given)


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (read_first, UnsupportedError, "variable 'x' is read before it has a value; initialise it, or assign it first"),
        (late, UnsupportedError, "operator 2, CALL_ONCE, sets variables up after others have used them"),
        (
            reshaped,
            UnsupportedError,
            r"is int8 \(1, 4\) and, for operator 2, int8 \(1, 5\); keep its type",
        ),
        (assigned_otherwise, UnsupportedError, r"is int8 \(1, 4\) and, for operator 2, int8 \(2, 2\)"),
        (of_another_type, UnsupportedError, r"is int8 \(1, 4\) and, for operator 2, float32 \(1, 4\)"),
        (branching, UnsupportedError, "operator 0 is WHILE, control flow; export a model in which every operator and"),
        (a_second_signature, UnsupportedError, "2 subgraphs, and no operator of the first one runs subgraph 1"),
        (no_such_subgraph, ModelError, "damaged or cut short .operator 0, CALL_ONCE, runs subgraph 7 of 2"),
        (itself, ModelError, "CALL_ONCE, runs subgraph 0 of 2"),
    ],
)
def test_what_cannot_be_kept_is_refused(build: Callable[[Main], None], error: type[Exception], words: str) -> None:
    main = Main()
    build(main)
    with pytest.raises(error, match=words):
        read_model(write_model(main.graph(len(main.tensors) - 1), *_others(build)))


def _others(build: Callable[[Main], None]) -> tuple[object, ...]:
    return () if build in (read_first, branching) else (once(x=filled(1)).graph(),)


def test_an_initialisation_that_computes_is_refused() -> None:
    computing = once(sum=filled(5))
    handle = computing.handle("sum")
    constant = computing.constant(filled(1), *SCALE)
    made = computing.operator("ADD", (constant, constant), SHAPE, *SCALE, fused_activation_function="NONE")
    computing.assign(handle, made)
    with pytest.raises(UnsupportedError, match="subgraph 1, which sets variables up, computes ADD; initialise them"):
        read_model(write_model(recurrence().graph(3), computing.graph()))


def test_a_float_variable_names_the_converters_option() -> None:
    main = Main()
    main.call_once()
    handle = main.handle("x")
    value = main.operator("READ_VARIABLE", (handle,), SHAPE, None, 0, dtype="float32")
    made = main.operator("QUANTIZE", (value,), SHAPE, *SCALE)
    setting = GraphBuilder("once")
    setting.assign(setting.handle("x"), setting.constant(filled(0, dtype="float32")))
    model = write_model(main.graph(main.added(made, main.given)), setting.graph())
    with pytest.raises(UnsupportedError, match=r"'x' is float32; convert with converter\._experimental_variable"):
        compile_model(model)


@pytest.mark.sweep
def test_damaged_files_are_refused_or_compile() -> None:
    outcomes = set()
    for seed in range(150):
        try:
            compile_model(changed(np.random.default_rng(seed), stream_network(seed, 1 + seed % 5, "stream")))
            outcomes.add("compiles")
        except SceneletError as error:
            outcomes.add(type(error).__name__)
    assert outcomes >= {"compiles", "ModelError", "UnsupportedError"}
