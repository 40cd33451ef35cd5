#!/usr/bin/env python3
"""``tools/sbom.py [--check]``: what the tested set consists of: a bill of materials, and a page with the licences.

The set is that of requirements.lock. The bill is CycloneDX 1.6, the same bytes for the same lock. A licence is what the
package says of itself where the locked version is installed; of any other package the page's own word stays.
"""

from __future__ import annotations

import argparse
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.hash.factories import HashTypeFactory
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.spdx import is_supported_id
from packageurl import PackageURL
from pip_requirements_parser import RequirementsFile

from scenelet import __version__
from scenelet.core.files import sha256, write_text
from scenelet.core.markdown_tables import filled
from scenelet.core.toolchain import REPOSITORY
from scenelet.errors import SceneletError, StaleError

LOCK = REPOSITORY / "requirements.lock"
PAGE = REPOSITORY / "docs" / "LICENCES.md"
BILL = REPOSITORY / "build" / "sbom.cdx.json"
MARK = "licences"
UNKNOWN = "not stated"
_LONGEST = 60  # of a licence's name; some packages put its whole text there


@dataclass(frozen=True)
class Package:
    """A package of the lock.

    Attributes
    ----------
    name, version
        As in the lock.
    hashes
        "sha256:..." of each of its files.
    """

    name: str
    version: str
    hashes: tuple[str, ...]


def packages(lock: Path = LOCK) -> list[Package]:
    """Packages of a lock file, in its order."""
    entries = RequirementsFile.from_file(str(lock)).requirements
    return [Package(one.name, one.get_pinned_version, tuple(one.hash_options)) for one in entries]


def stated(name: str) -> str:
    """What an installed package says its licence is: an SPDX expression, or the words that it has."""
    told = metadata.metadata(name)
    expression, field = (" ".join(told.get_all(key) or []).strip() for key in ("License-Expression", "License"))
    classifiers = [one.split(" :: ")[-1] for one in told.get_all("Classifier") or [] if one.startswith("License ::")]
    words = field if len(field) <= _LONGEST and "\n" not in field else ""
    named = words if is_supported_id(words) else ""
    return expression or named or ", ".join(classifiers) or words or UNKNOWN


def licences(found: list[Package], page: Path = PAGE) -> dict[str, str]:
    """Licence of each package by name; ``page`` answers for those of which another version is installed, or none."""
    kept = dict(_rows(page))
    return {one.name: stated(one.name) if _is_installed(one) else kept.get(one.name, UNKNOWN) for one in found}


def _is_installed(package: Package) -> bool:
    try:
        return metadata.version(package.name) == package.version
    except metadata.PackageNotFoundError:
        return False


def _rows(page: Path) -> Iterator[tuple[str, str]]:
    """Name and licence in each row of the page's table."""
    for line in page.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3:
            yield cells[0], cells[2]


def table(found: list[Package], licence: Mapping[str, str]) -> Iterator[str]:
    """The page's table."""
    yield "| package | version | licence |\n|---|---|---|"
    yield from (f"| {one.name} | {one.version} | {licence[one.name]} |" for one in found)


def bill(found: list[Package], licence: Mapping[str, str], serial: uuid.UUID) -> str:
    """The bill of materials, CycloneDX 1.6 in JSON.

    Parameters
    ----------
    found
        Packages.
    licence
        Of each by name.
    serial
        Number of the bill.
    """
    made = LicenseFactory()
    root = Component(
        name="scenelet",
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref="scenelet",
        purl=PackageURL("pypi", name="scenelet", version=__version__),
        licenses=[made.make_from_string("MIT")],
    )
    parts = [
        Component(
            name=one.name,
            version=one.version,
            type=ComponentType.LIBRARY,
            bom_ref=f"{one.name}=={one.version}",
            purl=PackageURL("pypi", name=one.name, version=one.version),
            licenses=[made.make_from_string(licence[one.name])] if licence[one.name] != UNKNOWN else [],
            external_references=[_files(one)],
        )
        for one in found
    ]
    whole = Bom(components=parts, serial_number=serial, metadata=BomMetaData(component=root))
    # Optional in the format; a date would change the bytes.
    whole.metadata.timestamp = None  # type: ignore[assignment]
    whole.register_dependency(root, parts)
    return make_outputter(whole, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2) + "\n"


def _files(package: Package) -> ExternalReference:
    """Where a package's files are listed, and the hash of each that the lock accepts."""
    place = XsUri(f"https://pypi.org/project/{package.name}/{package.version}/#files")
    hashes = [HashTypeFactory().from_composite_str(one) for one in package.hashes]
    return ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=place, hashes=hashes)


def main() -> int:
    """Write or check; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the page is stale")
    parser.add_argument("--out", type=Path, default=BILL, help="file of the bill (default: build/sbom.cdx.json)")
    arguments = parser.parse_args()
    found = packages()
    licence = licences(found)
    text = filled(PAGE, {MARK: table(found, licence)})
    try:
        if arguments.check and text != PAGE.read_text("utf-8"):
            raise StaleError(PAGE, "the table is not what requirements.lock gives", "run make sbom")
        if not arguments.check:
            write_text(PAGE, text)
            serial = uuid.uuid5(uuid.NAMESPACE_URL, f"{__version__} {sha256(LOCK)} {sorted(licence.items())}")
            write_text(arguments.out, bill(found, licence, serial))
            print(f"{arguments.out} written: {len(found)} packages")
    except SceneletError as error:
        print(f"sbom: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
