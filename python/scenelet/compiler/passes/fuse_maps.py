"""Joins steps whose result is known bit for bit without the tensors between them.

Element-wise steps with a constant operand (an unfolded BatchNorm's MUL and ADD, PRELU, QUANTIZE) are maps from INT8 to
INT8, one per channel. A chain of them is evaluated on the host for every value: one table per channel, whatever the
signs of its scales, because nothing is approximated. Tensors inside a chain do not exist any more, so no view shows
them; :func:`scenelet.compiler.pipeline.compile_model` with ``Options(fusion=False)`` keeps them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..numerics.affine_map import affine_pair, int8_map
from ..numerics.elementwise import MAPS, evaluate
from ..program import Program, Step, Struct, Table

VALUES = np.arange(-128, 128, dtype=np.int64)
"""Every INT8 value, in the order of a map's table."""

_SAVED = 20
"""Instructions that a looked up value saves, roughly, for each operator of its chain."""


def fuse(program: Program, *, small: bool = False) -> Program:
    """Replace every chain of maps by one step that looks up its table.

    Parameters
    ----------
    program
        As lowered, one operator per step.
    small
        Compute a map in two affine steps instead where that is exact: less flash, some more instructions.

    Returns
    -------
    Program
        The same network with fewer steps.
    """
    steps: list[Step] = []
    for chain in _chains(program):
        steps.append(_joined(program, chain, small=small) if _worth_a_table(program, chain) else chain[0])
        steps += chain[1:] if steps[-1] is chain[0] else []
    return replace(program, steps=tuple(steps))


def channel_map(step: Step) -> NDArray[np.int8] | None:
    """Evaluate a step for every INT8 value of its input.

    Returns
    -------
    NDArray[np.int8] or None
        (channels, 256), entry ``q + 128`` of a row is what value ``q`` becomes; one row where all channels share it.
        None where the step is no map of one tensor, value by value and channel by channel.
    """
    if step.kernel == "scn_lut_s8":
        return int8_map(step.tables[0]).reshape(-1, len(VALUES))
    if not isinstance(step.params, Struct) or step.params.type not in MAPS or len(step.reads) != 1:
        return None
    fields = step.fields
    if step.params.type == "scn_quantize_t":
        return evaluate(step.params, VALUES[None, :], np.zeros(1))
    operands: list[NDArray[Any]] = []
    for number, stride in ((1, fields["shape"]["stride1"]), (2, fields["shape"]["stride2"])):
        values = next((table.values for table in step.tables if table.kind == f"operand{number}"), None)
        if values is None:
            if step.reads != step.overwrites or (operands and operands[0].shape[0] == 1 and not step.tables):
                return None
            operands.append(VALUES[None, :])
        elif any(stride[:3]):
            return None
        else:
            operands.append(values[:, None])
    return evaluate(step.params, operands[0], operands[1])


def _worth_a_table(program: Program, chain: Sequence[Step]) -> bool:
    """Whether a table costs less flash than the arithmetic that it replaces costs instructions, all in all."""
    maps = [channel_map(step) for step in chain]
    rows = max((len(found) for found in maps if found is not None), default=0)
    elements = program.graph.tensors[chain[-1].writes[0]].elements
    return 0 < rows * len(VALUES) <= _SAVED * len(chain) * elements


def _chains(program: Program) -> Sequence[Sequence[Step]]:
    """Group steps, in order: runs of maps that only the next one reads, and every other step alone."""
    readers = Counter(tensor for step in program.steps for tensor in step.reads)
    shown = {*program.aliases.values(), *program.targets}
    by_input = {step.reads[0]: step for step in program.steps if channel_map(step) is not None}
    taken: set[int] = set()
    chains: list[list[Step]] = []
    for step in program.steps:
        if id(step) in taken:
            continue
        chain = [step]
        while channel_map(chain[-1]) is not None:
            last = chain[-1].writes[0]
            follower = by_input.get(last)
            if follower is None or readers[last] != 1 or last in shown:
                break
            chain.append(follower)
        taken.update(map(id, chain))
        chains.append(chain)
    return chains


def _joined(program: Program, chain: Sequence[Step], *, small: bool) -> Step:
    maps = [found for step in chain if (found := channel_map(step)) is not None]
    table = compose(maps)
    pair = affine_pair(maps, compose) if small else None
    first, last = chain[0], chain[-1]
    elements = program.graph.tensors[last.writes[0]].elements
    # Rows of one value: QUANTIZE and scalars do not ask which channel they are in.
    channels = len(table)
    post = {"table": None, "affine": "map"} if pair is not None else {"table": "map", "affine": None}
    constants = Table("map", "int8_t", table.ravel()) if pair is None else Table("map", "scn_affine_map_t", pair)
    fields = {"pixels": elements // channels, "channels": channels, "post": post}
    return Step(
        name=" + ".join(step.name for step in chain),
        op="+".join(step.op for step in chain),
        operators=tuple(number for step in chain for number in step.operators),
        reads=first.reads,
        writes=last.writes,
        kernel="scn_lut_s8",
        params=Struct("scn_lut_t", fields),
        arguments=(first.reads[0], last.writes[0]),
        tables=(constants,),
        overwrites=first.reads,
        macs=sum(step.macs for step in chain),
    )


def compose(maps: Sequence[NDArray[np.int8]]) -> NDArray[np.int8]:
    """Apply maps one after the other.

    Parameters
    ----------
    maps
        Each (channels, 256) or (1, 256), as :func:`channel_map` gives them.

    Returns
    -------
    NDArray[np.int8]
        One map of as many rows as the longest.
    """
    made = VALUES[None, :].astype(np.int8)
    for one in maps:
        rows = max(len(made), len(one))
        made = np.take_along_axis(
            np.broadcast_to(one, (rows, 256)), np.broadcast_to(made.astype(np.int64) + 128, (rows, 256)), axis=1
        )
    return np.ascontiguousarray(made)
