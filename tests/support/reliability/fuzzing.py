"""Builds and runs the libFuzzer targets of tests/fuzz, with AddressSanitizer and UBSan.

``fuzzing.py --seconds 3600`` shares an hour among all targets; ``--runs 10000000`` runs each that many times. New
inputs are kept in the build folder, and inputs that break a promise beside them.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_SUPPORT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_SUPPORT / name) for name in ("", "fixtures", "processes")]  # as pytest has it

from batches import WAYS, spread  # noqa: E402
from fixtures_firmware import LIVE, small_model  # noqa: E402

from scenelet.compiler.pipeline import compile_model  # noqa: E402
from scenelet.config.frontend import FrontendConfig  # noqa: E402
from scenelet.core import toolchain  # noqa: E402
from scenelet.core.files import scratch  # noqa: E402
from scenelet.frontend.codegen import render_frontend  # noqa: E402
from scenelet.frontend.tables import make_tables  # noqa: E402

FOLDER = toolchain.REPOSITORY / "tests" / "fuzz"
CORPUS = FOLDER / "corpus"
COMPILER = "clang"
SANITIZERS = "-fsanitize=fuzzer-no-link,address,undefined"
# What a loop over bytes or samples compares leads to no new path, and noting it down was two thirds of the time. Only
# where words and numbers are told apart the fuzzer learns from comparisons.
_LOOPS_ONLY = "-fno-sanitize-coverage=trace-cmp"
_COMPARING = ("scn_stream.c", "scn_text.c")
LIBRARIES = [toolchain.FIRMWARE / "lib" / name for name in ("classifier", "frontend", "link", "port")]
_LONGEST = {"session": 512, "stream": 512, "receiver": 512}
# Numbers of generated networks of few MACs that together call every kernel.
_NETWORKS = (1, 4, 6, 8, 13, 15, 18, 24, 26, 34, 41, 59, 63, 124, 133, 236, 240, 244, 250, 266)
_INTERRUPTED = 72  # libFuzzer's status after SIGINT
_LIMIT = ("-rss_limit_mb=2048", "-timeout=60", "-print_final_stats=1")

# The corners of what recipes allow: radix 2 and 4, one column and many, every width, window and grid.
FRONTENDS = [
    FrontendConfig(n_fft=256, hop_length=16, n_mels=16, clip_seconds=0.05, grid="continuous"),
    FrontendConfig(n_fft=512, hop_length=512, n_mels=256, clip_seconds=0.128, sample_bits=16, window="hamming"),
    FrontendConfig(n_fft=1024, win_length=16, hop_length=1000, n_mels=40, clip_seconds=0.5, fmin=3900.0),
    FrontendConfig(
        n_fft=2048, hop_length=1024, n_mels=64, clip_seconds=1.0, grid="continuous", lo_db=-200.0, hi_db=200.0
    ),
    FrontendConfig(sample_rate=32_000, n_fft=4096, hop_length=4096, n_mels=256, clip_seconds=0.5),
    FrontendConfig(
        sample_rate=16_000, n_fft=256, win_length=255, hop_length=255, n_mels=16, clip_seconds=0.1,
        lo_db=tuple(-90.0 + band for band in range(16)), hi_db=tuple(-89.8 + band for band in range(16)),
    ),
]  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A fuzz target: its own file, further sources, and generated ones.

    Attributes
    ----------
    name
        ``tests/fuzz/fuzz_NAME.c``.
    sources
        Files of the firmware, and of tests/fuzz.
    defines
        Macros of the compiler.
    subjects
        What is generated: "networks", "frontends", "product" or nothing.
    """

    name: str
    sources: Sequence[Path]
    defines: Sequence[str] = ()
    subjects: str = ""
    options: Sequence[str] = field(default=())


def _product() -> list[Path]:
    return [path for path in sorted((toolchain.FIRMWARE / "src").glob("*.c")) if path.name != "main.c"]


def _link(*names: str) -> list[Path]:
    return [toolchain.FIRMWARE / "lib" / "link" / f"scn_{name}.c" for name in names]


def _front() -> list[Path]:
    return sorted((toolchain.FIRMWARE / "lib" / "frontend").glob("*.c"))


def targets() -> list[Target]:
    """Every target, the quickest first."""
    src, engine = toolchain.FIRMWARE / "src", toolchain.engine_sources()
    classifier = toolchain.FIRMWARE / "lib" / "classifier"
    text = [src / "scn_commands.c", classifier / "scn_decision.c", *_link("text", "crc")]
    numbers = [path for path in engine if path.name in ("scn_quantization.c", "scn_fixedpoint.c")]
    hearing = [classifier / f"scn_{name}.c" for name in ("decision", "pipeline", "selftest")]
    session = [*_product(), *hearing, *_link("crc", "frame", "ring", "stream", "text"), *_front(), *engine]
    return [
        Target("receiver", _link("crc", "frame", "ring")),
        Target("stream", _link("crc", "frame", "stream")),
        Target("text", [*text, *numbers]),
        Target("kernels", engine),
        Target("capture", _front()),
        Target("network", engine, subjects="networks"),
        Target("frontend", _front(), subjects="frontends"),
        Target(
            "session",
            [*session, FOLDER / "fuzz_port.c"],
            ('-DSCN_VERSION="0"', "-DSCN_INFER_MOST_RUNS=3u"),
            "product",
            (f"-dict={FOLDER / 'session.dict'}",),
        ),
    ]


def _networks() -> dict[str, str]:
    """Sources of generated networks, each in a folder of its own, and the list of all."""
    files: dict[str, str] = {}
    every = spread(max(_NETWORKS) + 1)
    for number in _NETWORKS:
        network = every[number]
        compiled = compile_model(network.model(), WAYS[network.way])
        files |= {f"network_{number}/{file}": text for file, text in compiled.files().items()}
    return files | _listed("scn_model_t", "fuzz_networks", "fuzz_network_count", [f"network_{n}" for n in _NETWORKS])


def _frontends() -> dict[str, str]:
    files: dict[str, str] = {}
    names = []
    for number, config in enumerate(FRONTENDS):
        tables = make_tables(config, 1 / 64, 0)
        # One form of the large ones is enough: they take as long as all others together.
        for form in ("fast", "compact") if config.n_fft < 2048 else ("compact",):
            names.append(f"frontend_{number}_{form}")
            files |= {f"{names[-1]}/{file}": text for file, text in render_frontend(tables, form=form).items()}
    return files | _listed("scn_frontend_tables_t", "fuzz_frontends", "fuzz_frontend_count", names)


def _listed(kind: str, array: str, count: str, names: Sequence[str]) -> dict[str, str]:
    declared = "".join(f"extern const {kind} {name};\n" for name in names)
    listed = ", ".join(f"&{name}" for name in names)
    text = f'#include "subjects.h"\n{declared}const {kind} *const {array}[] = {{{listed}}};\n'
    return {"subjects.c": f"{text}const uint32_t {count} = {len(names)};\n"}


def _product_model() -> dict[str, str]:
    return {f"product/{file}": text for file, text in small_model(LIVE).sources().items() if "/" not in file}


_SUBJECTS = {"networks": _networks, "frontends": _frontends, "product": _product_model, "": dict}


@cache
def _headers() -> bytes:
    digest = hashlib.sha256()
    for path in sorted([*toolchain.FIRMWARE.rglob("*.h"), *FOLDER.glob("*.h")]):
        if "generated" not in path.parts:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.digest()


def _includes() -> list[str]:
    folders = [*toolchain.engine_folders(), *LIBRARIES, toolchain.FIRMWARE / "src"]
    return [f"-I{folder}" for folder in (*folders, toolchain.FIRMWARE / "boards" / "host", FOLDER)]


def _compares(source: Path) -> bool:
    """Whether a file tells words and numbers apart: the product's own, its texts and the rules of its stream."""
    return source.parent == toolchain.FIRMWARE / "src" or source.name in _COMPARING


def _object(source: Path, flags: Sequence[str]) -> Path:
    """Compile a source once per content of itself, of every header and of the flags."""
    command = [COMPILER, "-std=c11", "-g", "-O2", SANITIZERS, "-fno-sanitize-recover=all", *flags]
    command += [] if _compares(source) else [_LOOPS_ONLY]
    beside = b"".join(path.read_bytes() for path in sorted(source.parent.glob("scn_*.h")))
    key = hashlib.sha256(repr(command).encode() + source.read_bytes() + _headers() + beside).hexdigest()[:20]
    made = toolchain.build_folder() / "fuzz" / "objects" / f"{source.stem}-{key}.o"
    if not made.exists():
        with scratch(made.parent) as folder:
            fresh = folder / made.name
            toolchain.run([*command, *_includes(), "-c", source, "-o", fresh])
            fresh.replace(made)
    return made


def _generated(files: Mapping[str, str], folder: Path, defines: Sequence[str]) -> Iterator[Path]:
    """Objects of generated sources; those of one folder are told apart by its name."""
    for name, text in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
    for name in files:
        if not name.endswith(".c"):
            continue
        own, place = name.partition("/")[0], folder / name
        renamed = [f"-D{symbol}={own}" for symbol in ("scn_model", "scn_frontend_tables")]
        flags = [] if own in ("product", "subjects.c") else [*renamed, f"-Dscn_model_labels={own}_labels"]
        # The folder's own name is no part of the command, so that the object is found again.
        yield _object(place, [*defines, *flags, *((f"-I{place.parent}",) if own == "product" else ())])


def build(target: Target, extra: Sequence[str] = ()) -> Path:
    """Build a target; ``extra`` are further compiler flags."""
    folder = toolchain.build_folder() / "fuzz"
    files = _SUBJECTS[target.subjects]()
    stamp = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:16]
    place = folder / "generated" / stamp
    defines = [*target.defines, *extra]
    made = list(_generated(files, place, defines))
    own = [*defines, *((f"-I{place / 'product'}",) if target.subjects == "product" else ())]
    sources = [FOLDER / f"fuzz_{target.name}.c", *target.sources]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made += pool.map(lambda source: _object(source, own), sources)  # their warnings are gcc's affair
    key = hashlib.sha256(repr([path.name for path in made]).encode()).hexdigest()[:16]
    program = folder / f"{target.name}-{key}"
    if not program.exists():
        with scratch(folder) as fresh:
            toolchain.run([COMPILER, "-fsanitize=fuzzer,address,undefined", *made, "-o", fresh / "program"])
            (fresh / "program").replace(program)
    return program


@dataclass(frozen=True)
class Outcome:
    """What a run of a target came to.

    Attributes
    ----------
    executions
        Inputs that were tried.
    failure
        The last lines of its log where it found something, else nothing.
    """

    executions: int
    failure: str


def run(program: Path, target: Target, keep: Path, *options: str) -> Outcome:
    """Run a target on the kept corpus and on what it makes of it; new inputs go to the folder ``keep``."""
    corpus = [str(path) for path in (keep, CORPUS / target.name)]
    longest = f"-max_len={_LONGEST.get(target.name, 128)}"
    command = [str(program), *_LIMIT, longest, *target.options, *options, *corpus]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    found = re.findall(r"^stat::number_of_executed_units: (\d+)$", done.stderr, re.MULTILINE)
    failure = "" if done.returncode in (0, _INTERRUPTED) else done.stderr[-4000:]
    return Outcome(int(found[-1]) if found else 0, failure)


def _campaign(target: Target, runs: int | None, seconds: int | None, seed: int) -> Outcome:
    keep = toolchain.build_folder() / "fuzz" / "found" / target.name
    keep.mkdir(parents=True, exist_ok=True)
    limit = f"-runs={runs}" if runs is not None else f"-max_total_time={seconds}"
    place = f"-artifact_prefix={keep.parent}/{target.name}-"
    return run(build(target), target, keep, limit, f"-seed={seed}", place)


def keep_corpus(target: Target, count: int, most_bytes: int = 12_000) -> int:
    """Renew the kept corpus of a target with some of what its runs have found; returns the number of files.

    Of a smallest set with the same coverage, a sample that does not depend on names.
    """
    place = CORPUS / target.name
    found = toolchain.build_folder() / "fuzz" / "found" / target.name
    with scratch(found.parent) as folder:
        command = [str(build(target)), "-merge=1", f"-max_len={_LONGEST.get(target.name, 128)}", str(folder)]
        subprocess.run([*command, str(found), str(place)], capture_output=True, check=True)
        contents = sorted({path.read_bytes() for path in folder.iterdir()})
    chosen: list[bytes] = []
    for content in random.Random(1).sample(contents, len(contents)):
        if len(chosen) < count and sum(map(len, chosen)) + len(content) <= most_bytes:
            chosen.append(content)
    for path in place.iterdir():
        path.unlink()
    for content in chosen:
        (place / hashlib.sha256(content).hexdigest()[:12]).write_bytes(content)
    return len(chosen)


def main() -> int:
    """Run the targets one after the other; status 1 where one found something."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = targets()
    parser.add_argument("names", nargs="*", metavar="TARGET", help=f"of {', '.join(one.name for one in every)}")
    parser.add_argument("--seconds", type=int, default=3600, help="shared among the targets (default %(default)s)")
    parser.add_argument("--runs", type=int, help="executions per target, instead of a time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=int, metavar="N", help="renew the kept corpora, N files each, and run nothing")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - {one.name for one in every}
    if unknown:
        parser.error(f"no target is called {', '.join(sorted(unknown))}")
    chosen = [one for one in every if not arguments.names or one.name in arguments.names]
    if arguments.keep:
        for target in chosen:
            sys.stdout.write(f"{target.name}: {keep_corpus(target, arguments.keep)} files\n")
        return 0
    broken = 0
    for target in chosen:
        outcome = _campaign(target, arguments.runs, arguments.seconds // len(chosen), arguments.seed)
        verdict = "found something" if outcome.failure else "nothing found"
        sys.stdout.write(f"{target.name}: {outcome.executions:,} executions, {verdict}\n{outcome.failure}")
        sys.stdout.flush()
        broken += bool(outcome.failure)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
