"""``replay_mutants.py TARGET FIRST COUNT``: damaged models through a target; prints how many ran and were refused.

A process of its own: a model that reached native code unchecked would end it.
"""

from __future__ import annotations

import sys

import numpy as np
from mutants import mutant

from scenelet.errors import SceneletError
from scenelet.targets import open_target


def main() -> None:
    """Run ``COUNT`` mutants; the last line printed before a crash is the seed of its cause."""
    target, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    ran = refused = isolated = 0
    for seed in range(first, first + count):
        sys.stdout.write(f"{seed}\n")
        sys.stdout.flush()
        try:
            with open_target(target, mutant(seed)) as place:  # type: ignore[arg-type] (a target takes bytes too)
                isolated += place.refusal is not None  # type: ignore[attr-defined]
                values = np.random.default_rng(seed).integers(-128, 128, (2, *place.input.shape[1:]))  # type: ignore[attr-defined]
                place.run(values.astype(np.int8))
                place.tensors(values[0].astype(np.int8))
                ran += 1
        except SceneletError as error:
            refused += 1
            if "\n" in str(error) or not error.remedy:
                raise AssertionError(f"seed {seed}: {error!r}") from None
    sys.stdout.write(f"ran={ran} refused={refused} isolated={isolated}\n")


if __name__ == "__main__":
    main()
