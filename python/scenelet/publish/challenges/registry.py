"""The challenges that entries are written for: one row each.

The rules were read where ``rules`` says; docs/CHALLENGES.md describes each entry.
"""

from __future__ import annotations

import re

from ...data.datasets import biodcase_tiny, tau
from ...errors import InputError
from ...graph.limits import Limits
from . import biodcase2026, dcase2023, dcase2024, dcase2025
from .challenge import Challenge

_TASK1 = re.compile(r"[A-Za-z]+_[A-Za-z0-9]+_task1_[1-4]")
_TASK1_LABEL = "<last name>_<institute>_task1_<1 to 4>"

CHALLENGES = (
    Challenge(
        "dcase2023",
        "DCASE 2023 task 1, low-complexity acoustic scene classification",
        ("https://dcase.community/challenge2023/task-low-complexity-acoustic-scene-classification",),
        _TASK1_LABEL,
        _TASK1,
        dcase2023.write,
    ),
    Challenge(
        "dcase2024",
        "DCASE 2024 task 1, data-efficient low-complexity acoustic scene classification",
        (
            "https://dcase.community/challenge2024/task-data-efficient-low-complexity-acoustic-scene-classification",
            "https://github.com/toni-heittola/dcase2024_task1_submission_validator",
            "https://github.com/CPJKU/dcase2024_task1_baseline",
        ),
        _TASK1_LABEL,
        _TASK1,
        dcase2024.write,
        place="task1/{label}",
        parts="five models, one per --split-percent 5, 10, 25, 50 and 100",
        percents=tau.PERCENTS,
        several=True,
        classes=tau.SCENES,
        devices=tau.DEVICES,
        clips=135_730,
        zipped="{team}_task1.zip",
    ),
    Challenge(
        "dcase2025",
        "DCASE 2025 task 1, low-complexity acoustic scene classification with device information",
        (
            "https://dcase.community/challenge2025/task-low-complexity-acoustic-scene-classification-with-device-information",
            "https://github.com/CPJKU/dcase2025_task1_baseline",
            "https://github.com/CPJKU/dcase2025_task1_inference",
        ),
        _TASK1_LABEL,
        _TASK1,
        dcase2025.write,
        parts="a general model and up to one per --device, all with --split-percent 25",
        percents=(25,),
        several=True,
        classes=tau.SCENES,
        devices=tau.DEVICES,
        audio="optional",
        zipped="{team}_task1.zip",
        packed="task1",
    ),
    Challenge(
        "biodcase2026",
        "BioDCASE-Tiny 2026 (task 3), bioacoustics for tiny hardware",
        ("https://biodcase.github.io/challenge2026/task3", "https://github.com/birdnet-team/BioDCASE-Tiny-2026"),
        "<last name>_task3_<1 to 4>",
        re.compile(r"[A-Za-z]+(_[A-Za-z0-9]+)?_task3_[1-4]"),
        biodcase2026.write,
        classes=biodcase_tiny.CLASSES,
        held=Limits("none"),
        audio="none",
        zipped="biodcase_2026_task3_submission_package.zip",
    ),
)
NAMES = tuple(row.name for row in CHALLENGES)


def find(name: str) -> Challenge:
    """Return a challenge by its name.

    Raises
    ------
    InputError
        Where there is none of that name.
    """
    row = next((row for row in CHALLENGES if row.name == name), None)
    if row is None:
        raise InputError(f"challenge '{name}'", "unknown", f"use one of: {', '.join(NAMES)}")
    return row
