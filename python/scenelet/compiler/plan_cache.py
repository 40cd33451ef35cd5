"""Cache of the search for segments: a model that was planned under the same options is not planned again.

What is kept is the search's decisions (:mod:`scenelet.compiler.depth_first.decisions`), in ``plans/KEY.json`` of the
build folder: JSON and a seal. Segments are laid out and lowered again from them, to the same C. The key is a hash of
the model, of the options, and of the sources that read and compile it, cost rates included. A damaged entry is made
again with a note. Files appear whole or not at all; where none can be written, as on a full disk, the model is
planned each time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np

from ..core import files
from ..core.json_files import checked, parse_object
from ..core.notes import note
from ..core.sealed import seal, unseal
from ..core.toolchain import build_folder
from ..errors import DamagedFileError, InputError
from .depth_first.builder import SegmentBuilder
from .depth_first.decisions import Decisions, recorded, restored
from .depth_first.draft import Draft
from .depth_first.partition import divide
from .depth_first.weight_layout import expanded_operators, widened
from .options import Options
from .program import Program

_SOURCES = ("compiler", "graph", "tflite")
_AGAIN = "it is made again"
_LEAST_LOOKED_AT = 24
"""Segments that a search must have looked at to be kept: a shorter one takes less time than a file."""
_MOST_FILES = 500
"""The least recently used ones beyond go."""


def divided(program: Program, options: Options, model: bytes) -> Program:
    """Join steps into segments, as an earlier search decided for the same model and options, or by a new search.

    Parameters
    ----------
    program
        Lowered and fused.
    options
        How to compile.
    model
        The .tflite that the program was made of.

    Returns
    -------
    Program
        Segments are steps of :class:`scenelet.compiler.depth_first.lowering.SegmentStep`.
    """
    path = build_folder() / "plans" / f"{_key(model, options)}.json"
    found = _found(path, program, options)
    if found is None:
        expanded = expanded_operators(program, options)
        builder = SegmentBuilder(program.graph, expanded, options.wait_states)
        found = divide(widened(program, expanded), options, builder)
        if builder.looked_at >= _LEAST_LOOKED_AT:
            _keep(path, recorded(found, builder, expanded))
    return found.lowered()


def _key(model: bytes, options: Options) -> str:
    told = json.dumps([_compiler(), hashlib.sha256(model).hexdigest(), asdict(options)])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


@cache
def _compiler() -> str:
    """Hash of the sources that a plan depends on."""
    digest = hashlib.sha256(np.__version__.encode())
    for path in _sources():
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    package = Path(__file__).parents[1]
    for part in _SOURCES:
        yield from sorted(path for path in (package / part).rglob("*") if path.suffix in (".py", ".json"))


def _found(path: Path, program: Program, options: Options) -> Draft | None:
    """The plan of an earlier search; None where there is none, or a damaged one, which a note tells."""
    try:
        if not files.is_there(path):
            return None
        content = files.read_bytes(path)
    except InputError:  # not this user's to read; the plan can be made without it
        return None
    try:
        told = parse_object(unseal(content, path, _AGAIN), path, _AGAIN)
        decisions = checked(Decisions, told, path, _AGAIN)
        builder = SegmentBuilder(program.graph, decisions.expanded, options.wait_states)
        draft = restored(decisions, widened(program, decisions.expanded), builder, options.wait_states)
    except DamagedFileError as error:
        note(error.subject, f"{error.problem}; {error.remedy}")
        return None
    except ValueError as error:
        note(path, f"is of another model: {error}; {_AGAIN}")
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return draft


def _keep(path: Path, decisions: Decisions) -> None:
    with contextlib.suppress(InputError, OSError):  # a plan that cannot be kept is a plan all the same
        files.write_bytes(path, seal(decisions.model_dump_json().encode()))
        files.sweep(path.parent)
        by_age = sorted(path.parent.glob("*.json"), key=lambda one: one.stat().st_mtime_ns)
        for old in by_age[:-_MOST_FILES]:
            old.unlink()
