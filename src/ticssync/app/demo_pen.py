"""A person's pen for the demo: writes words into cells of a workbook, as somebody with Excel open would.

Only for the demo, and only with what the standard library has: the demo must run where no spreadsheet
program is.  ticssync itself never writes into a workbook this way.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from ticssync.tables import Grid, cell_name, read_grids

MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def find_head(grid: Grid, head: str) -> tuple[int, int]:
    """Row and column of a column head."""
    return next(iter(grid.find(head)))


def write_by_number(path: Path, sheet: str, number_head: str, edits: Mapping[str, Mapping[str, str]]) -> None:
    """Write `edits` (number → {column head: words}) into the rows with these numbers."""
    grid = read_grids(path)[sheet]
    row, column = find_head(grid, number_head)
    rows = {str(grid.at(at, column)): at for at in range(row + 1, len(grid.rows))}
    heads = {str(cell): at for at, cell in enumerate(grid.rows[row]) if cell is not None}
    cells = {
        cell_name(rows[number], heads[head]): words
        for number, changes in edits.items()
        for head, words in changes.items()
    }
    write_cells(path, sheet, cells)


def write_cells(path: Path, sheet: str, cells: Mapping[str, str]) -> None:
    """Put words into cells by name (`F7`); everything else of the file stays."""
    parts = _read(path)
    name = _part_of(parts, sheet)
    for prefix, uri in re.findall(r'xmlns:?(\w*)="([^"]+)"', parts[name].decode("utf-8")):
        ET.register_namespace(prefix, uri)
    tree = ET.fromstring(parts[name])  # noqa: S314 - a file that this process has just made
    for cell in tree.iter(f"{{{MAIN}}}c"):
        words = cells.get(cell.get("r", ""))
        if words is not None:
            for child in list(cell):
                cell.remove(child)
            cell.set("t", "inlineStr")
            ET.SubElement(ET.SubElement(cell, f"{{{MAIN}}}is"), f"{{{MAIN}}}t").text = words
    parts[name] = ET.tostring(tree, encoding="utf-8", xml_declaration=True)
    _write(path, parts)


def _read(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def _part_of(parts: Mapping[str, bytes], sheet: str) -> str:
    book = ET.fromstring(parts["xl/workbook.xml"])  # noqa: S314 - as above
    links = ET.fromstring(parts["xl/_rels/workbook.xml.rels"])  # noqa: S314 - as above
    ident = next(
        one.get(f"{{{RELATIONS}}}id") for one in book.iter(f"{{{MAIN}}}sheet") if one.get("name") == sheet
    )
    target = next(str(one.get("Target")) for one in links if one.get("Id") == ident)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _write(path: Path, parts: Mapping[str, bytes]) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    path.write_bytes(stream.getvalue())
