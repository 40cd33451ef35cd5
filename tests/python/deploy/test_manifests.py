"""Manifests of the bundles, held to the fields and rules that the tools publish which read them.

Their schemas are not copied here: each test names the one that it was written after, and lists what that allows.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from scenelet.deploy.bundles.bundle import library_name
from scenelet.deploy.export import export

LIBRARY = "scenelet_small"
LONG = "A classifier of 3 & more <kinds> of birds: \"night\" and 'day', for the forest's northern edge"

# Zephyr: scripts/schemas/module-schema.yaml of its main branch; in 3.7, the schema inside scripts/zephyr_module.py.
MODULE = {
    "name": str,
    "build": {"cmake": str, "kconfig": str, "cmake-ext": bool, "kconfig-ext": bool, "depends": [str], "settings": dict},
    "tests": [str],
    "samples": [str],
    "boards": [str],
}
# Zephyr: scripts/schemas/twister/testsuite-schema.yaml, and what the console harness reads.
SAMPLE = {
    "sample": {"name": str, "description": str},
    "tests": {
        r"[a-zA-Z0-9_]+\..+": {
            "tags": str,
            "harness": str,
            "harness_config": {"type": str, "regex": [str], "ordered": bool, "repeat": int},
            "min_ram": int,
            "timeout": int,
        }
    },
}
# ESP-IDF: the Manifest of idf-component-manager 3.1.
COMPONENT = {
    "version": str,
    "description": str,
    "license": str,
    "url": str,
    "repository": str,
    "documentation": str,
    "targets": [str],
    "tags": [str],
    "dependencies": {r"idf|[\w/-]+": str},
}


def require(value: Any, rule: Any, where: str = "") -> None:
    """Hold parsed YAML to a rule: a type, a list of one rule for all items, or rules by patterns of keys."""
    if isinstance(rule, dict):
        assert isinstance(value, dict), where
        for key, inner in value.items():
            fitting = [one for pattern, one in rule.items() if re.fullmatch(pattern, key)]
            assert fitting, f"{where}.{key} is no field"
            require(inner, fitting[0], f"{where}.{key}")
    elif isinstance(rule, list):
        assert isinstance(value, list), where
        for item in value:
            require(item, rule[0], where)
    else:
        assert type(value) is rule, f"{where} is {value!r}"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


@pytest.fixture(scope="session")
def named(small_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundles of a model whose name is long and holds what YAML, XML and shells take for their own."""
    folder = tmp_path_factory.mktemp("named")
    model = folder / f"{LONG}.tflite"
    model.write_bytes(small_file.read_bytes())
    for kind in ("zephyr", "espidf", "cmsis-pack"):
        export(model, folder / kind, bundle=kind, tflm=False)
    return folder


@pytest.fixture(params=["small", LONG], ids=["plain", "long"])
def either(request: pytest.FixtureRequest) -> tuple[Path, str]:
    """Folder of the bundles, and the library's name."""
    folder = request.getfixturevalue("bundles" if request.param == "small" else "named")
    return folder, library_name(request.param)


def test_zephyrs_module_names_what_is_there(either: tuple[Path, str]) -> None:
    folder, library = either[0] / "zephyr", either[1]
    module = read(folder / "zephyr" / "module.yml")
    require(module, MODULE)
    assert module["name"] == library
    assert (folder / module["build"]["cmake"] / "CMakeLists.txt").is_file()
    kconfig = (folder / module["build"]["kconfig"]).read_text("utf-8")
    option = re.search(r"^config (\w+)\n\tbool \"[^\"\n]+\"\n\thelp\n", kconfig, re.MULTILINE)
    assert option
    assert f"if(CONFIG_{option[1]})" in (folder / "zephyr" / "CMakeLists.txt").read_text("utf-8")
    for place in module["samples"]:
        assert list((folder / place).glob("*/sample.yaml"))


def test_zephyrs_sample_sets_only_options_that_every_board_can_have(either: tuple[Path, str]) -> None:
    """Kconfig ends with an error where an assigned option cannot have its value, as STDOUT_CONSOLE on native_sim."""
    folder, library = either[0] / "zephyr" / "samples" / "classify", either[1]
    lines = [line for line in (folder / "prj.conf").read_text("utf-8").splitlines() if not line.startswith("#")]
    options = dict(line.split("=") for line in lines)
    assert options == {f"CONFIG_{library.upper()}": "y", "CONFIG_MAIN_STACK_SIZE": "4096"}
    sample = read(folder / "sample.yaml")
    require(sample, SAMPLE)
    ((_, test),) = sample["tests"].items()
    assert re.search(test["harness_config"]["regex"][0], "known answer: pass")
    text = (folder / "CMakeLists.txt").read_text("utf-8")
    modules = text.index("list(APPEND EXTRA_ZEPHYR_MODULES ${CMAKE_CURRENT_SOURCE_DIR}/../..)")
    assert modules < text.index("find_package(Zephyr REQUIRED")


def test_esp_idfs_component_has_a_version_and_its_sources(either: tuple[Path, str]) -> None:
    folder = either[0] / "espidf"
    component = read(folder / "idf_component.yml")
    require(component, COMPONENT)
    assert re.fullmatch(r"\d+\.\d+\.\d+", component["version"])
    assert re.fullmatch(r"[=><~^!]{1,2}\d+(\.\d+)*", component["dependencies"]["idf"])
    assert "idf_component_register(" in (folder / "CMakeLists.txt").read_text("utf-8")
    classify = folder / "examples" / "classify"
    assert "void app_main(void) {" in (classify / "main" / "main.c").read_text("utf-8")
    assert "CONFIG_ESP_MAIN_TASK_STACK_SIZE=8192\n" in (classify / "sdkconfig.defaults").read_text("utf-8")


def test_the_packs_description_keeps_the_rules_of_its_schema(either: tuple[Path, str]) -> None:
    """PACK.xsd 1.7.60: elements of package and component, their attributes, patterns and lengths."""
    folder, library = either[0] / "cmsis-pack", either[1]
    package = ET.parse(folder / f"scenelet.{library}.pdsc").getroot()
    assert [child.tag for child in package] == [
        "vendor", "name", "description", "url", "license", "releases", "components"
    ]  # fmt: skip
    assert all(re.fullmatch(r"[-_A-Za-z0-9]+", package.findtext(name, "")) for name in ("vendor", "name"))
    assert 1 <= len(package.findtext("description", "")) <= 256
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", release.attrib["version"]) for release in package.iter("release"))
    component = package.find("components/component")
    assert component is not None
    assert set(component.attrib) == {"Cclass", "Cgroup", "Csub", "Cversion"}
    assert component.attrib["Cclass"] == "Machine Learning"
    for name in ("Cclass", "Cgroup", "Csub"):
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_+():/\- .]{0,31}", component.attrib[name])
    assert [child.tag for child in component] == ["description", "files"]
    for file in component.iter("file"):
        assert set(file.attrib) == {"category", "name"}
        assert file.attrib["category"] in ("doc", "include", "source")
        assert (folder / file.attrib["name"]).exists()
        assert (file.attrib["category"] == "include") == file.attrib["name"].endswith("/")


def test_a_field_that_no_schema_knows_is_noticed() -> None:
    with pytest.raises(AssertionError, match=r"\.build\.kconfg is no field"):
        require({"build": {"kconfg": "zephyr/Kconfig"}}, MODULE)
    with pytest.raises(AssertionError, match=r"\.samples"):
        require({"samples": "samples"}, MODULE)
