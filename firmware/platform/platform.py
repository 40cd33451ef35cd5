"""The project's PlatformIO platform: prefers tools on PATH, fetches the registry's copy only where one is missing."""

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

from platformio.dependencies import get_core_dependencies
from platformio.exception import UserSideException
from platformio.package.meta import PackageItem, PackageMetadata, PackageSpec
from platformio.platform.base import PlatformBase

COMPILER_PACKAGE, COMPILER = "toolchain-gccarmnoneeabi", "arm-none-eabi-gcc"
OPENOCD_PROTOCOLS = ("stlink", "cmsis-dap", "jlink")


class FolderError(UserSideException):
    """A folder that firmware cannot be built in; PlatformIO prints it as one line and fails."""


def require_usable_paths(config):
    """Refuse, before anything is built, the few characters that PlatformIO or the linker cannot have in a path."""
    project, build = Path.cwd(), Path(config.get("platformio", "build_dir"))
    folders = {"project": project, "build": build, "generated": Path(os.environ.get("SCENELET_GENERATED") or project)}
    for name, folder in folders.items():
        wrong = next((one for one in "$\n" if one in str(folder)), None)
        if wrong is None and name == "build" and "%" in os.path.relpath(build):
            wrong = "%"  # the linker puts the program's path in its place in the name of its map
        if wrong:
            raise FolderError(
                f"the {name} folder's path {str(folder)!r} holds {wrong!r}, which firmware cannot be built "
                "with; move it to a path without that character"
            )


class SceneletPlatform(PlatformBase):
    def configure_default_packages(self, options, targets):
        require_usable_paths(self.config)
        super().configure_default_packages(options, targets)
        self._scons_from_pip()
        needed = {COMPILER_PACKAGE: COMPILER} if options.get("board") else {}
        if "upload" in targets and self._protocol(options) in OPENOCD_PROTOCOLS:
            needed["tool-openocd"] = "openocd"
        for name, package in self.packages.items():
            program = needed.get(name)
            package["optional"] = program is None or bool(shutil.which(program))
            if not package["optional"] and not self.get_package(name):
                # Without a network the registry's client prints nothing for a minute, then an HTTP error.
                print(
                    f"{program} is not on PATH: fetching PlatformIO's own copy. Without a network, install it first "
                    "(Debian: apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi openocd)",
                    file=sys.stderr,
                )

    def is_embedded(self):
        """Whether `pio test` reads a serial port: not where QEMU or this computer runs the program."""
        if not self.project_env:
            return True
        options = self.config.items(env=self.project_env, as_dict=True)
        protocol = self._protocol(options)
        return bool(protocol) and not protocol.startswith("qemu")

    def _protocol(self, options):
        if options.get("upload_protocol"):
            return options["upload_protocol"]
        return self.board_config(options["board"]).get("upload.protocol", "") if options.get("board") else ""

    def _scons_from_pip(self):
        """Use an installed SCons in place of the registry's tool-scons."""
        name, requirement = "tool-scons", get_core_dependencies()["tool-scons"]
        spec = PackageSpec(owner="platformio", name=name, requirements=requirement)
        if self.pm.get_package(spec) or not importlib.util.find_spec("SCons"):
            return
        folder = Path(self.pm.package_dir) / name
        folder.mkdir(parents=True, exist_ok=True)
        version = requirement.lstrip("~^=")
        (folder / "package.json").write_text(json.dumps({"name": name, "version": version}))
        (folder / "scons.py").write_text("from SCons.Script import main\n\nmain()\n")
        PackageItem(str(folder), PackageMetadata("tool", name, version, spec)).dump_meta()
        self.pm.memcache_reset()
