"""Values that a variable is assigned are computed in the variable's place, where nothing still needs the old ones."""

from __future__ import annotations

from dataclasses import replace

from ..program import Argument, Program, Step


def assign_in_place(program: Program) -> Program:
    """Drop the copies of ASSIGN_VARIABLE that are not needed.

    A value is computed in the variable's place if the step that computes it does not read the variable, no step from
    there to the assignment reads or writes it, and nothing else assigns it.

    Parameters
    ----------
    program
        Lowered and fused; steps keep their order from here on.

    Returns
    -------
    Program
        With the values' tensors as aliases of their variables.
    """
    for step in program.steps:
        if step.op == "ASSIGN_VARIABLE":
            program = _without(program, step)
    return program


def _without(program: Program, copy: Step) -> Program:
    """Drop a copy, or return the program as it is."""
    steps, variable = program.steps, copy.writes[0]
    if not copy.reads or sum(variable in step.writes for step in steps) > 1:
        return program
    value, end = copy.reads[0], steps.index(copy)
    makers = [number for number, step in enumerate(steps) if value in step.writes]
    if len(makers) != 1 or value in {*program.sources, *program.targets, *program.graph.variables}:
        return program
    start = makers[0]
    if any(variable in step.reads for step in steps[start:end]) or steps[start].writes != (value,):
        return program
    maker = replace(steps[start], operators=(*steps[start].operators, *copy.operators), assigns=True)
    kept = (*steps[:start], maker, *steps[start + 1 : end], *steps[end + 1 :])
    aliases = {alias: variable if holder == value else holder for alias, holder in program.aliases.items()}
    renamed = tuple(_renamed(step, value, variable) for step in kept)
    return replace(program, steps=renamed, aliases={**aliases, value: variable})


def _renamed(step: Step, old: int, new: int) -> Step:
    """Let a step read and write another tensor in the place of one."""

    def name(one: Argument) -> Argument:
        if isinstance(one, tuple):
            return tuple(new if part == old else part for part in one)
        return new if one == old else one

    if old not in (*step.reads, *step.writes):
        return step
    return replace(
        step,
        reads=tuple(dict.fromkeys(new if tensor == old else tensor for tensor in step.reads)),
        writes=tuple(new if tensor == old else tensor for tensor in step.writes),
        overwrites=tuple(tensor for tensor in step.overwrites if tensor != old),
        arguments=tuple(map(name, step.arguments)),
    )
