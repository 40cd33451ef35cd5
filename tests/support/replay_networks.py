"""Runs random networks on the sanitised host target; a child process, because the sanitiser must be loaded first.

Arguments: first seed, one past the last. Exits 0 if every network agrees with LiteRT.
"""

from __future__ import annotations

import sys

from networks import random_network
from streams.generated import STREAM_KINDS, stream_network

from scenelet.compiler.options import Options
from scenelet.evaluation import parity
from scenelet.targets.host import SANITIZERS, HostTarget


def main(first: int, last: int) -> None:
    for seed in range(first, last):
        kind = STREAM_KINDS[seed % len(STREAM_KINDS)]
        with HostTarget(stream_network(seed, 1 + seed % 5, kind), (*SANITIZERS, "-O0")) as host:
            parity.check(host.content, host, 8, seed).require(f"{kind} {seed}")
        model = random_network(seed, 1 + seed % 7)
        # Depth first, in the smallest arena; seeds of one parity also with every operator alone.
        for options in (Options(ram_bytes=0), Options(fusion=False))[: 1 + seed % 2]:
            # Nothing to gain by optimising: compiling takes longer than running.
            with HostTarget(model, (*SANITIZERS, "-O0"), options) as host:
                parity.check(model, host, 5, seed).require(f"network {seed}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
