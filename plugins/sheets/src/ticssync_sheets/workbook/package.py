"""The ZIP package of a workbook: its parts, how they refer to each other, and what must not be touched.

Written from ECMA-376, Part 2 (Open Packaging Conventions) and Part 1, 12 (SpreadsheetML packages).
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ticssync.plugin import Translate, UnreadableTable
from ticssync_sheets.workbook.xml import (
    PACKAGE_RELATIONS,
    STRICT,
    BadXml,
    Element,
    parse,
    tag,
)

BOOK: Final = "xl/workbook.xml"
MAX_UNPACKED: Final = 512_000_000
"""Bytes that all parts may hold together: a small file can unpack to a huge one."""


@dataclass(frozen=True, slots=True)
class Package:
    """The parts of one workbook file, in their order."""

    infos: tuple[zipfile.ZipInfo, ...]
    parts: Mapping[str, bytes]

    def related(self, part: str, kind: str) -> Iterator[str]:
        """Parts that `part` refers to with a relation of this kind (`table`, `styles`, …)."""
        for relation in self._relations(part):
            if (
                relation.get("Type", "").rpartition("/")[2] == kind
                and relation.get("TargetMode") != "External"
            ):
                yield _target(part, relation.get("Target", ""))

    def sheets(self) -> Mapping[str, str]:
        """Sheet name → part, in the workbook's order."""
        targets = {r.get("Id"): _target(BOOK, r.get("Target", "")) for r in self._relations(BOOK)}
        found: dict[str, str] = {}
        for sheet in parse(self.parts[BOOK]).iter("{*}sheet"):
            ids = [value for name, value in sheet.attrib.items() if name.endswith("}id")]
            part = targets.get(ids[0], "") if ids else ""
            if part in self.parts:
                found[sheet.get("name", "")] = part
        return found

    def _relations(self, part: str) -> list[Element]:
        folder, _, name = part.rpartition("/")
        raw = self.parts.get(f"{folder}/_rels/{name}.rels")
        return list(parse(raw).iter(f"{{{PACKAGE_RELATIONS}}}Relationship")) if raw else []

    def with_parts(self, changed: Mapping[str, bytes]) -> bytes:
        """The package as bytes with these parts replaced (or added at the end); every other part keeps its
        content and place."""
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
            for info in self.infos:
                target.writestr(_like(info), changed.get(info.filename, self.parts[info.filename]))
            for name in changed:
                if name not in self.parts:
                    target.writestr(zipfile.ZipInfo(name), changed[name], zipfile.ZIP_DEFLATED)
        return stream.getvalue()


def open_package(raw: bytes, text: Translate) -> Package:
    """The parts of a workbook.  Raises UnreadableTable for what is none or unpacks beyond all measure."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as package:
            infos = tuple(info for info in package.infolist() if not info.is_dir())
            if sum(info.file_size for info in infos) > MAX_UNPACKED:
                raise UnreadableTable(
                    text("this workbook unpacks to more than {limit} bytes", limit=MAX_UNPACKED)
                )
            parts = {info.filename: package.read(info) for info in infos}
    except (zipfile.BadZipFile, OSError, RuntimeError, EOFError, NotImplementedError, ValueError) as error:
        raise UnreadableTable(text("this workbook was cut in half or is damaged")) from error
    if BOOK not in parts or "[Content_Types].xml" not in parts:
        raise UnreadableTable(text("this is not a workbook (.xlsx)"))
    return Package(infos, parts)


def damage(package: Package, text: Translate) -> tuple[str, ...]:
    """What writing into this package would break, in words for people; empty where it is safe."""
    found = []
    if any(name.startswith("_xmlsignatures/") for name in package.parts):
        found.append(text("a digital signature (it would no longer be valid)"))
    if any(name.startswith("xl/revisions/") for name in package.parts):
        found.append(text("change tracking of a shared workbook (its log would no longer fit)"))
    if _is_strict(package):
        found.append(text("the file type “Strict Open XML” (save it as “Excel Workbook (*.xlsx)”)"))
    if len({name.casefold() for name in package.parts}) != len(package.infos):
        found.append(text("two parts of the same name inside the file"))
    return tuple(found)


def _is_strict(package: Package) -> bool:
    try:
        return str(parse(package.parts[BOOK]).tag).startswith(f"{{{STRICT}}}")
    except BadXml:
        return False


def defined_name(book: Element, name: str) -> Element | None:
    """The definedName element of this name in workbook.xml."""
    return next((found for found in book.iter(tag("definedName")) if found.get("name") == name), None)


def _target(part: str, target: str) -> str:
    if target.startswith("/"):
        return target[1:]
    return posixpath.normpath(posixpath.join(posixpath.dirname(part), target))


def _like(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    copy = zipfile.ZipInfo(info.filename, info.date_time)
    copy.compress_type = (
        info.compress_type if info.compress_type == zipfile.ZIP_STORED else zipfile.ZIP_DEFLATED
    )
    copy.external_attr, copy.create_system = info.external_attr, info.create_system
    return copy
