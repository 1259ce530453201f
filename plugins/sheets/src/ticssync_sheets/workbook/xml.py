"""The XML of workbook parts through lxml, with nothing fetched and no entity expanded."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from lxml import etree  # type: ignore[import-untyped]

Element: TypeAlias = Any
"""An lxml element; lxml ships no types."""

MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT: Final = "http://purl.oclc.org/ooxml/spreadsheetml/main"
RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_RELATIONS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
EXCEL_2009: Final = "http://schemas.microsoft.com/office/excel/2006/main"

BadXml = etree.XMLSyntaxError
"""Raised by `parse` for a part that is no XML."""


def tag(name: str) -> str:
    """A name of the main spreadsheet namespace, as lxml writes it."""
    return f"{{{MAIN}}}{name}"


def parse(raw: bytes) -> Element:
    """The root of a part.  Raises BadXml."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    return etree.fromstring(raw, parser)


def to_bytes(root: Element) -> bytes:
    """A part as it stands in a package: UTF-8 with the declaration that Excel writes."""
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def child(parent: Element, name: str) -> Element:
    """A new element of the main namespace at the end of `parent`."""
    return etree.SubElement(parent, tag(name))


def element(name: str) -> Element:
    """A new element of the main namespace, not yet in a tree."""
    return etree.Element(tag(name))
