#!/usr/bin/env python3
"""``tools/models/recipe_models.py RECIPE ... [--out DIR]``: INT8 .tflite files of recipes with random weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from scenelet.config.recipe import load
from scenelet.core.files import write_bytes
from scenelet.core.toolchain import build_folder
from scenelet.models.random_weights import random_network
from scenelet.quantization.convert import quantize


def main() -> None:
    """Write the models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="+", metavar="RECIPE", help="name of a shipped recipe, or path of a .toml")
    parser.add_argument("--out", type=Path, default=build_folder() / "recipes", help="folder to write to")
    arguments = parser.parse_args()
    for name in arguments.recipes:
        recipe = load(name)
        model, features = random_network(recipe)
        labels = [f"class {number}" for number in range(model.output_shape[-1])]
        path = arguments.out / f"{recipe.name}.tflite"
        write_bytes(path, quantize(model, features, recipe, labels))
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
