"""From a .tflite model to C sources: our engine's, the front end's tables, and TensorFlow Lite Micro's array."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import __version__, limits
from .compiler import emit, plan, reader
from .compiler.templates_env import environment
from .cost import Cost, count
from .errors import StaleError
from .files import sha256, write_folder
from .frontend.emit import render_frontend
from .frontend.tables import Tables, make_tables
from .graph import Graph
from .knownanswer import known_answer
from .metadata import ModelInfo
from .metadata import read as read_info
from .recipe import FrontendConfig
from .targets.litert import LitertTarget
from .targets.tflm import TflmTarget

# TensorFlow Lite Micro's name of the method that registers an operator.
TFLM_METHODS = {
    "ADD": "AddAdd",
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "CONV_2D": "AddConv2D",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "FULLY_CONNECTED": "AddFullyConnected",
    "MAX_POOL_2D": "AddMaxPool2D",
    "MEAN": "AddMean",
    "MUL": "AddMul",
    "PAD": "AddPad",
    "PRELU": "AddPrelu",
    "QUANTIZE": "AddQuantize",
    "RESHAPE": "AddReshape",
    "SOFTMAX": "AddSoftmax",
}


@dataclass(frozen=True)
class Export:
    """What was written (or checked), and the hashes of what it was made from."""

    folder: Path
    files: tuple[str, ...]
    model_sha256: str
    frontend_sha256: str | None
    cost: Cost
    arena_bytes: int

    def to_json(self) -> dict[str, Any]:
        """As a dictionary."""
        return {
            "folder": str(self.folder),
            "files": list(self.files),
            "model_sha256": self.model_sha256,
            "frontend_sha256": self.frontend_sha256,
            "params_bytes": self.cost.params_bytes,
            "macs": self.cost.macs,
            "planned_ram_bytes": self.arena_bytes,
        }
