#!/usr/bin/env python3
"""``tools/export.py MODEL --out DIR [--check]``: the same as ``scenelet export``."""

import sys

from scenelet.cli import main

if __name__ == "__main__":
    raise SystemExit(main(["export", *sys.argv[1:]]))
