"""The product firmware on the emulated board, over its serial port; and what the measuring program counts."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from last_words import last_words

from scenelet.core import cortex_m4, toolchain
from scenelet.errors import InputError, ModelError, ToolError
from scenelet.evaluation.parity import check
from scenelet.targets import open_target
from scenelet.targets.build import platformio
from scenelet.targets.emulator import process
from scenelet.targets.emulator.runner import Runner, Sizes
from scenelet.targets.qemu import QemuTarget, boot
from scenelet.targets.serial import framing
from scenelet.targets.serial.client import audio_contents, fields, samples_to_bytes, scores_of
from scenelet.targets.serial.framing import Input, Reason, Status

pytestmark = pytest.mark.qemu


@pytest.fixture(scope="module")
def target(small: Any) -> Any:
    with QemuTarget(small.content) as opened:
        yield opened


def decide(device: Any, small: Any, windows: np.ndarray) -> np.ndarray:
    contents = audio_contents(windows, small.tables.config)
    model, frontend = small.compiled.identity.sha256, small.tables.sha256
    return scores_of(device.decide(contents, Input.AUDIO, model, frontend), (4,))


def test_boots_tests_itself_and_says_what_it_holds(product_elf: Path, small: Any) -> None:
    with boot(product_elf) as device:
        info = device.info()
        assert device.selftest() == "pass"
        assert device.labels() == list(small.compiled.identity.labels)
    assert info["clock"] == "emulated"
    assert info["board"] == toolchain.EMULATED_BOARD
    assert info["model_sha256"] == small.compiled.identity.sha256
    assert 0 < int(info["stack_peak_bytes"]) < int(info["stack_bytes"])
    sizes = toolchain.run(["arm-none-eabi-size", "-A", "-d", product_elf])
    section = {line.split()[0]: int(line.split()[1]) for line in sizes.splitlines() if line.startswith(".")}
    assert int(info["ram_bytes"]) == section[".data"] + section[".bss"] + section[".noinit"]
    flash = sum(section[name] for name in (".vectors", ".text", ".rodata", ".ARM.exidx", ".data") if name in section)
    assert abs(int(info["flash_bytes"]) - flash) < 128, "but for the gaps that align sections"


@pytest.mark.parametrize("command", ["selftest", "bench"])
def test_the_last_decision_is_never_a_tests_own(product_elf: Path, small: Any, command: str) -> None:
    def last(device: Any) -> str:
        device._stream.write(b"\0last\n")
        return str(device._response()[0])

    with boot(product_elf) as device:
        (scores,) = decide(device, small, small.windows(1))
        assert last(device).endswith(f"scores={','.join(map(str, scores))}")
        device.command(command)
        assert last(device) == "e-[no decision yet: last]"


def test_the_runners_results_stay_those_of_its_last_infer(product_elf: Path, small: Any) -> None:
    one = np.full(16 * 9, 90, np.int8)
    with boot(product_elf) as device:

        def ask(command: str) -> list[str]:
            device._stream.write(f"{command}%".encode())
            return device.wait_ready()

        ask(" db  load 144 ")
        for start in range(0, one.size, 16):
            ask(f"db {one.tobytes()[start : start + 16].hex()} ")
        told = ask("infer 1 0 ")[-1]
        decide(device, small, small.windows(2))
        device.bench()
        device.selftest()
        assert ask(" results") == [told]
        assert ask("name ") == ["m-name-dut-[scenelet]"]


def test_a_boards_own_program_boots_in_the_emulator(small: Any) -> None:
    with boot(platformio.build(small.sources(), "disco_f407vg")) as device:
        assert device.info()["board"] == "disco_f407vg"


def test_audio_is_decided_as_on_the_host(target: Any, small: Any) -> None:
    windows = small.windows(17)  # enough for two boards
    assert np.array_equal(target.classify(windows), small.expected(windows))
    assert np.array_equal(target.classify(windows[:3]), small.expected(windows[:3])), "a second session"
    assert target.classify(windows[:0]).shape == (0, 4)
    with pytest.raises(InputError, match="have shape"):
        target.classify(windows[:, 1:])


def test_a_corrupted_frame_is_asked_for_again(product_elf: Path, small: Any) -> None:
    window = small.windows(1, 3)
    content = samples_to_bytes(window[0], 24)
    frames = [framing.data(n, content[240 * n : 240 * n + 240]) for n in range(-(-len(content) // 240))]
    broken = bytearray(frames[5])
    broken[100] ^= 0x10
    with boot(product_elf) as device:
        device.open_session(Input.AUDIO, small.compiled.identity.sha256, small.tables.sha256)
        device._stream.write(b"".join(frames[:5]) + bytes(broken) + b"".join(frames[6:12]))
        status = device.event(10)
        assert isinstance(status, Status)
        assert (status.reason, status.next) == (Reason.CORRUPT, 5)
        assert device.event(0.3) is None, "it complains once"
        device._stream.write(b"".join(frames[5:]))
        line = ""
        while not line.startswith("decision"):
            event = device.event(10)
            assert event is not None
            line = getattr(event, "text", "")
    assert [int(score) for score in fields(line)["scores"].split(",")] == small.expected(window)[0].tolist()


def test_overlong_frames_and_lines_are_survived(product_elf: Path, small: Any) -> None:
    windows = small.windows(2)
    with boot(product_elf) as device:
        device._stream.write(b"\0\x02\x81" + b"\x55" * 50_000 + b"\0" + b"x" * 50_000 + b"\n")
        assert np.array_equal(decide(device, small, windows), small.expected(windows))


def test_a_wrong_answer_to_the_self_test_stops_all_decisions(small: Any) -> None:
    sources = small.sources()
    name = "scn_known_answer.c"
    numbers = sources[name].split("{")[1].split("}")[0]
    wrong = [int(value) ^ 1 for value in numbers.split(",") if value.strip()]
    sources[name] = sources[name].replace(numbers, ", ".join(map(str, wrong)))
    with boot(platformio.build(sources)) as device:
        assert device.selftest() == "fail: scores"
        with pytest.raises(ToolError, match="failed its self-test"):
            decide(device, small, small.windows(1))


def test_a_fault_ends_the_program_and_is_told(small: Any) -> None:
    """A table outside all memory: the first frame of the self-test faults."""
    sources = small.sources()
    name = "scn_frontend_tables.c"
    sources[name] = sources[name].replace(".sine = sine_table", ".sine = (const int32_t *)0x60000000")
    status, said = last_words(platformio.build(sources))
    assert status == 99
    assert said.count("e-fault exception=0x00000003 pc=0x080") == 3, "it resets twice, then gives up"
    told = [line for line in said.splitlines() if line.startswith("crash ")]
    assert [line.split()[1] for line in told] == ["count=1", "count=2"]
    words = said[said.index("e-fault ") :].splitlines()[0].removeprefix("e-fault ")
    assert all(words in line for line in told), "what the handler saw is told after the reset"


def test_a_crash_while_listening_is_told_after_the_reset(small: Any) -> None:
    """A network that jumps nowhere, but only for an input that the self-test does not give."""
    sources = small.sources()
    start = "static void step0_run(uint8_t *arena) {"
    fall = f"{start} if (arena[scn_model.input_offset] == 0x5au) {{ *(volatile int *)0x60000000 = 0; }}"
    sources["scn_model.c"] = sources["scn_model.c"].replace(start, fall)
    poison = np.full((16 * 9,), 0x5A, np.int8).tobytes()
    with boot(platformio.build(sources)) as device:
        assert device.info()["crashes"] == "0"
        for _ in range(4):  # more often than crashes in a row are forgiven
            frame = framing.start(1, Input.TENSOR, small.compiled.identity.sha256, None)
            device._stream.write(frame + framing.data(0, poison))
            told = [line for line in device.wait_ready() if line.startswith("crash ")]
            assert len(told) == 1
            assert told[0].startswith("crash count=1 exception=0x00000003 pc=0x080")
        assert device.info()["crashes"] == "1"
        assert device.info()["reset"] == "unknown", "QEMU has no reset flags"
        assert device.selftest() == "pass"


def test_a_stack_overflow_harms_no_data_and_is_told(small: Any) -> None:
    sources = small.sources()
    deep = (
        "static int deep(volatile int n) {\n"
        "    volatile char frame[256];\n    frame[0] = (char)n;\n    return n ? deep(n - 1) + frame[0] : 0;\n}\n"
    )
    start = "static void step0_run(uint8_t *arena) {"
    sources["scn_model.c"] = sources["scn_model.c"].replace(start, f"{deep}{start} deep(1000);")
    status, said = last_words(platformio.build(sources))
    assert status == 99
    assert said.rstrip().endswith("cause=stack")


def test_every_tensor_is_the_references(target: Any, small: Any) -> None:
    result = check(small.content, target, 12)
    assert (result.mismatches, result.cases) == (0, 12)
    assert result.values > 12 * (16 * 9 + 4)


def test_inputs_run_in_order(target: Any, small: Any) -> None:
    inputs = np.random.default_rng(1).integers(-128, 128, (20, 16, 9, 1)).astype(np.int8)
    with open_target("host", small.content) as host:
        assert np.array_equal(target.run(inputs), host.run(inputs))


def test_features_are_the_hosts(target: Any, small: Any) -> None:
    from scenelet.frontend import native

    windows = small.windows(10, 7)
    with process.Pipes(target.runner_elf) as pipes:
        runner = Runner(pipes, Sizes(16 * 9, 4, 0))
        features = np.stack([runner.features(window) for window in windows])
    assert np.array_equal(features, native.features(windows, small.tables).reshape(len(windows), -1))


def test_instructions_are_counted_exactly_and_repeatably(target: Any) -> None:
    with process.Pipes(target.runner_elf, process.COUNT_INSTRUCTIONS) as pipes:
        runner = Runner(pipes, Sizes(16 * 9, 4, 0))
        # The last wraps the 24-bit counter twice, and its interrupt is counted, too.
        for number, interrupts in ((1_000, 0), (1_000_000, 0), (200_000_000, 2)):
            assert abs(runner.count(number) - number) <= 10 + 15 * interrupts
    counts = target.measure()
    assert counts == target.measure()
    assert len(counts.steps) == len(target.compiled.program.steps)
    assert all(step > 0 for step in counts.steps)
    assert counts.frame is not None
    assert counts.frame > 256, "an instruction a sample at the least"


def test_a_serial_port_serves_like_the_emulator(product_elf: Path, small: Any, tmp_path: Path) -> None:
    """QEMU's serial port as a terminal of this computer, opened by its name like a board's."""
    log = tmp_path / "log"
    with log.open("wb") as file:
        board = subprocess.Popen(
            [
                *(
                    toolchain.find(process.PROGRAM),
                    "-M",
                    toolchain.EMULATED_BOARD,
                    "-display",
                    "none",
                    "-monitor",
                    "none",
                ),
                *("-serial", "pty", "-kernel", str(product_elf)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        end = time.monotonic() + 20
        while "/dev/" not in log.read_text() and time.monotonic() < end:
            time.sleep(0.05)
        port = next(word for word in log.read_text().split() if word.startswith("/dev/"))
        windows = small.windows(4)
        inputs = np.random.default_rng(1).integers(-128, 128, (5, 16, 9, 1)).astype(np.int8)
        with open_target(f"serial:{port}", small.content) as target, open_target("host", small.content) as host:
            assert np.array_equal(target.classify(windows), small.expected(windows))
            assert np.array_equal(target.run(inputs), host.run(inputs))
        other = small.content + b"\0" * 16
        with pytest.raises(ModelError, match="the device holds another model"):
            open_target(f"serial:{port}", other)
    finally:
        board.kill()
        board.wait()


def test_a_port_that_is_not_there_is_named(small: Any) -> None:
    with pytest.raises(ToolError, match="/dev/nowhere: cannot be opened"):
        open_target("serial:/dev/nowhere", small.content)


def test_a_program_that_says_nothing_is_given_up(target: Any) -> None:
    """The product firmware reads no pipes: the wait for its answer ends."""
    silent = process.Pipes(target.product_elf, seconds=0.5)
    with silent as pipes, pytest.raises(ToolError, match=r"did not respond within 0\.5 s"):
        pipes.receive(1)


def test_a_program_that_ends_is_noticed(target: Any) -> None:
    with process.Pipes(target.runner_elf) as pipes:
        pipes.send(b"\xff\0\0\0")
        with pytest.raises(ToolError, match="ended before it responded; QEMU ended with status 3"):
            pipes.receive(1)


def test_a_model_that_does_not_fit_the_board_is_named(small: Any) -> None:
    sources = small.sources()
    arena = f"#define SCN_MODEL_ARENA_BYTES {small.compiled.plan.arena_bytes}"
    sources["scn_model.h"] = sources["scn_model.h"].replace(arena, "#define SCN_MODEL_ARENA_BYTES 140000")
    with pytest.raises(ToolError, match="RAM' overflowed"):
        cortex_m4.runner(sources)
