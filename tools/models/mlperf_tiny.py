#!/usr/bin/env python3
"""``tools/models/mlperf_tiny.py [NAME ...] --out DIR``: INT8 networks of MLPerf Tiny's shapes with random weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from scenelet.core.files import write_bytes
from scenelet.core.toolchain import build_folder
from scenelet.models.mlperf_tiny import NETWORKS, build
from scenelet.quantization.convert import convert_int8


def main() -> None:
    """Write the models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NETWORKS)}; default: all")
    parser.add_argument("--out", type=Path, default=build_folder() / "tiny", help="folder to write to")
    arguments = parser.parse_args()
    for name in arguments.names or NETWORKS:
        if name not in NETWORKS:
            parser.error(f"{name}: unknown; choose of {', '.join(NETWORKS)}")
        path = arguments.out / f"{name}.tflite"
        write_bytes(path, convert_int8(*build(name)))
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
