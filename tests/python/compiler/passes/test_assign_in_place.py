"""Which values are computed in their variable's place, and which reads are the variable itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streams.resources import StreamBuilder

from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import compile_model
from scenelet.evaluation import parity
from scenelet.targets.host import HostTarget

SHAPE = (1, 3, 1, 5)


def usual(network: StreamBuilder) -> int:
    return network.remembered(network.start, 4)


def read_again_after(network: StreamBuilder) -> int:
    """The old value is added to what is made of the new one: it needs a copy."""
    handle = network.variable(network.start, SHAPE, "random")
    before = network.recall(handle, network.start)
    network.builder.assign(handle, network.quantize(network.start, same=True))
    return network.add(before, network.start)


def read_between(network: StreamBuilder) -> int:
    """The old value is read after the new one is computed, before it is assigned."""
    handle = network.variable(network.start, SHAPE, "random")
    fresh = network.mapped("RELU", network.start)
    old = network.add(network.recall(handle, network.start), network.start)
    network.builder.assign(handle, fresh)
    return network.add(old, fresh)


def from_itself(network: StreamBuilder) -> int:
    """What is computed of the old value may not be written over it."""
    handle = network.variable(network.start, SHAPE, "random")
    made = network.add(network.recall(handle, network.start), network.start)
    network.builder.assign(handle, made)
    return network.mapped("RELU", made)


def twice(network: StreamBuilder) -> int:
    handle = network.variable(network.start, SHAPE, "random")
    old = network.add(network.recall(handle, network.start), network.start)
    network.builder.assign(handle, network.mapped("RELU", old))
    new = network.add(network.recall(handle, network.start), old)
    network.builder.assign(handle, network.mapped("TANH", new))
    return new


def the_input(network: StreamBuilder) -> int:
    """Last window and this one."""
    handle = network.variable(network.start, SHAPE)
    made = network.add(network.recall(handle, network.start), network.start)
    network.builder.assign(handle, network.start)
    return made


def exchanged(network: StreamBuilder) -> int:
    """Two variables take each other's values: one at least must be copied."""
    one, other = (network.variable(network.start, SHAPE, "random") for _ in range(2))
    first, second = network.recall(one, network.start), network.recall(other, network.start)
    made = network.add(network.add(first, second), network.start)
    network.builder.assign(one, second)
    network.builder.assign(other, first)
    return made


def an_output(network: StreamBuilder) -> int:
    handle = network.variable(network.start, SHAPE, "random")
    value = network.recall(handle, network.start)
    network.builder.assign(handle, network.mapped("TANH", network.start))
    return value


CASES: dict[Callable[[StreamBuilder], int], tuple[int, int]] = {
    # Copies of READ_VARIABLE, of ASSIGN_VARIABLE.
    usual: (0, 0),
    read_again_after: (1, 1),
    read_between: (0, 1),
    from_itself: (0, 1),
    twice: (0, 2),
    the_input: (0, 1),
    exchanged: (1, 2),
    an_output: (1, 0),
}


@pytest.mark.parametrize("fusion", [True, False])
@pytest.mark.parametrize("build", CASES, ids=lambda build: build.__name__)
def test_copies_are_where_they_are_needed(build: Callable[[StreamBuilder], int], fusion: bool) -> None:
    network = StreamBuilder(7, SHAPE)
    output = build(network)
    model = network.stream_model(output)
    steps = compile_model(model, Options(fusion=fusion)).program.steps
    copies = tuple(sum(step.op == op for step in steps) for op in ("READ_VARIABLE", "ASSIGN_VARIABLE"))
    assert copies == CASES[build], [step.name for step in steps]
    with HostTarget(model, options=Options(fusion=fusion)) as host:
        result = parity.check(model, host, 30)
        result.require(build.__name__)
        if not fusion:
            assert result.values == 30 * sum(tensor.elements for tensor in host.activations())
