"""Adds the firmware tree to the wheel: what a command compiles, it finds in the installed package."""

from pathlib import Path
from shutil import copyfile

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
BESIDE = ("LICENSE", "platformio.ini", "tests/firmware/check.h", "tests/firmware/test_custom_runner.py")
LEFT_OUT = {"generated", "__pycache__"}
"""Sources of a model are made by ``scenelet export``; the wheel holds none."""


def tree() -> list[Path]:
    """Files of the firmware tree, relative to the repository's root."""
    found = (path.relative_to(ROOT) for path in (ROOT / "firmware").rglob("*") if path.is_file())
    return [*map(Path, BESIDE), *sorted(path for path in found if not LEFT_OUT.intersection(path.parts))]


class BuildWithTree(build_py):
    """``build_py``, and the firmware tree as ``scenelet/tree``."""

    def run(self) -> None:
        """Copy the package, then the tree; an editable install uses the clone's own files."""
        super().run()
        if self.editable_mode:
            return
        for path in tree():
            target = Path(self.build_lib) / "scenelet" / "tree" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            copyfile(ROOT / path, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Every file of the build, the tree's too."""
        own = [] if self.editable_mode else [str(Path(self.build_lib) / "scenelet" / "tree" / path) for path in tree()]
        return [*super().get_outputs(include_bytecode), *own]


setup(cmdclass={"build_py": BuildWithTree})
