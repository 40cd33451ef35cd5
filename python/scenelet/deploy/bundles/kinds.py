"""The kinds of bundles: one row each, with the pages that it adds to the sources."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType

from ...errors import InputError


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of bundle.

    Attributes
    ----------
    name
        What ``--bundle`` says.
    title
        What the kind is for, in the README of a bundle.
    pages
        Templates by the path that they are written to; paths may hold {library} and {name}.
    engine
        Whether scenelet's engine and the compiled model are part of it; else only the front end and TensorFlow Lite
        Micro's arrays.
    """

    name: str
    title: str
    pages: MappingProxyType[str, str] = field(default_factory=lambda: MappingProxyType({}))
    engine: bool = True


def _row(name: str, title: str, pages: dict[str, str], *, engine: bool = True) -> Kind:
    return Kind(name, title, MappingProxyType(pages), engine)


KINDS = (
    _row(
        "platformio",
        "PlatformIO: copy this folder into the folder `lib` of your project, or name it in `lib_deps`.",
        {"library.json": "library.json", "examples/classify/classify.c": "example.c"},
    ),
    _row(
        "arduino",
        "Arduino: copy this folder into `Arduino/libraries`, or add it as a ZIP file.",
        {
            "library.properties": "library.properties",
            "src/{library}.h": "umbrella.h",
            "examples/Classify/Classify.ino": "example.ino",
        },
    ),
    _row(
        "cmake",
        "CMake: `add_subdirectory` of this folder gives the target `{library}`.",
        {
            "CMakeLists.txt": "CMakeLists.txt",
            "example/main.c": "example.c",
            "example/qemu/toolchain.cmake": "toolchain.cmake",
            "example/qemu/startup.c": "startup.c",
            "example/qemu/mps2-an386.ld": "mps2-an386.ld",
        },
    ),
    _row(
        "zephyr",
        "Zephyr: name this folder in `EXTRA_ZEPHYR_MODULES`, and set `CONFIG_{NAME}=y`.",
        {
            "zephyr/module.yml": "module.yml",
            "zephyr/CMakeLists.txt": "zephyr_CMakeLists.txt",
            "zephyr/Kconfig": "Kconfig",
            "samples/classify/CMakeLists.txt": "zephyr_sample_CMakeLists.txt",
            "samples/classify/prj.conf": "prj.conf",
            "samples/classify/sample.yaml": "zephyr_sample.yaml",
            "samples/classify/src/main.c": "example.c",
        },
    ),
    _row(
        "espidf",
        "ESP-IDF: copy this folder into the folder `components` of your project.",
        {
            "CMakeLists.txt": "espidf_CMakeLists.txt",
            "idf_component.yml": "idf_component.yml",
            "examples/classify/CMakeLists.txt": "espidf_project_CMakeLists.txt",
            "examples/classify/sdkconfig.defaults": "espidf_sdkconfig.defaults",
            "examples/classify/main/CMakeLists.txt": "espidf_main_CMakeLists.txt",
            "examples/classify/main/main.c": "espidf_example.c",
        },
    ),
    _row(
        "cmsis-pack",
        "CMSIS-Pack: `packchk` and `cpackget add` take the description `scenelet.{library}.pdsc`.",
        {"scenelet.{library}.pdsc": "description.pdsc", "example/main.c": "example.c"},
    ),
    _row(
        "tflm",
        "TensorFlow Lite Micro: its array and operators, with scenelet's front end in front.",
        {"example/main.cc": "tflm_example.cc"},
        engine=False,
    ),
)

NAMES = tuple(kind.name for kind in KINDS)


def kind_of(name: str) -> Kind:
    """Look up a kind by its name.

    Raises
    ------
    InputError
        There is none; the message lists them.
    """
    found = next((kind for kind in KINDS if kind.name == name), None)
    if found is None:
        raise InputError(f"bundle '{name}'", "unknown kind", f"choose one of: {', '.join(NAMES)}")
    return found
