"""``tests/support/check_networks.py FIRST END``: generated networks against TFLite's reference, a tenth on the board.

A network is a function of its number, so a run that was interrupted goes on from the last number it wrote, and two
computers can share the numbers.
"""

from __future__ import annotations

import argparse
import sys
import time

from batches import check_on_board, check_on_host, spread
from networks import KINDS, LATER_KINDS
from streams.generated import STREAM_KINDS

BATCH = 50
_EVERY = 20
_STREAMS = 5
_FURTHER = {1: STREAM_KINDS, 2: LATER_KINDS}


def main() -> None:
    """Check a range; the first network that differs ends it with an error that names the network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int, help="number of the first network")
    parser.add_argument("end", type=int, help="one past the last one's")
    arguments = parser.parse_args()
    started = time.monotonic()
    for first in range(arguments.first, arguments.end, BATCH):
        # Every fifth batch has several inputs and outputs, or state; every fifth the operators that joined later.
        kinds = _FURTHER.get(first // BATCH % _STREAMS, KINDS)
        some = spread(min(first + BATCH, arguments.end), first, kinds)
        check_on_host(some)
        on_board = first // BATCH % _EVERY in (0, 1, 2)
        if on_board:
            check_on_board(some)
        end = first + len(some)
        minutes = (time.monotonic() - started) / 60
        rate = (end - arguments.first) / max(minutes, 1e-9)
        told = ", the last ones on the board too" if on_board else ""
        sys.stdout.write(f"{end}: none differs{told}; {rate:.0f} a minute\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
