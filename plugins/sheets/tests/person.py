"""A person at real LibreOffice Calc: run with a Python that has `uno`, not with the tests' own.

    person.py FILE STEP...
    a step is JSON: {"do": "set", "sheet": "S", "cell": "E6", "value": "完了"}

Opens FILE in a headless office with a profile of its own, does the steps, and saves in the same format.
Steps: set, sort (a range by one of its columns), delete_row, insert_row, copy_row, add_column, note, save,
wait (prints "open" and keeps the file open until a line comes in).
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.table import CellRangeAddress

XLSX = "Calc MS Excel 2007 XML"


def prop(name, value):
    made = PropertyValue()
    made.Name, made.Value = name, value
    return made


def connect(pipe, process, deadline):
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    while True:
        try:
            return resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except Exception:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def rows_of(sheet, first, last):
    address = sheet.RangeAddress
    return CellRangeAddress(address.Sheet, 0, first, 200, last)


def step(document, wish):
    do = wish["do"]
    if do == "save":
        document.store()
        return
    if do == "wait":
        sys.stdout.write("open\n")
        sys.stdout.flush()
        sys.stdin.readline()
        return
    sheet = document.Sheets.getByName(wish["sheet"])
    if do == "set":
        cell = sheet.getCellRangeByName(wish["cell"])
        if wish.get("text"):
            cell.setString(wish["value"])
        else:
            cell.setFormula(wish["value"])
    elif do == "sort":
        area = sheet.getCellRangeByName(wish["range"])
        field = uno.createUnoStruct("com.sun.star.table.TableSortField")
        field.Field, field.IsAscending = wish["by"], not wish.get("down", False)
        fields = uno.Any("[]com.sun.star.table.TableSortField", (field,))
        area.sort((prop("SortFields", fields), prop("ContainsHeader", False)))
    elif do == "delete_row":
        sheet.Rows.removeByIndex(wish["row"] - 1, 1)
    elif do == "insert_row":
        sheet.Rows.insertByIndex(wish["row"] - 1, 1)
    elif do == "copy_row":
        sheet.Rows.insertByIndex(wish["to"] - 1, 1)
        target = sheet.getCellRangeByName(f"A{wish['to']}").CellAddress
        sheet.copyRange(target, rows_of(sheet, wish["row"] - 1, wish["row"] - 1))
    elif do == "add_column":
        sheet.Columns.insertByIndex(wish["at"], 1)
        for row, value in wish["values"].items():
            sheet.getCellByPosition(wish["at"], int(row) - 1).setString(value)
    elif do == "note":
        cell = sheet.getCellRangeByName(wish["cell"])
        sheet.Annotations.insertNew(cell.CellAddress, wish["value"])
    else:
        raise SystemExit(f"unknown step {do}")


def main(file, wishes):
    path = pathlib.Path(file).resolve()
    profile, pipe = tempfile.mkdtemp(prefix="office-"), "p" + uuid.uuid4().hex
    arguments = [
        "soffice", f"-env:UserInstallation={pathlib.Path(profile).as_uri()}", "--headless", "--norestore",
        "--nologo", "--nodefault", f"--accept=pipe,name={pipe};urp;",
    ]  # fmt: skip
    silent = subprocess.DEVNULL
    process = subprocess.Popen(arguments, stdout=silent, stderr=silent, start_new_session=True)
    try:
        context = connect(pipe, process, time.monotonic() + 60)
        desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
        document = desktop.loadComponentFromURL(path.as_uri(), "_blank", 0, (prop("Hidden", True),))
        for wish in wishes:
            step(document, wish)
        if wishes and wishes[-1]["do"] != "wait":
            document.storeToURL(path.as_uri(), (prop("FilterName", XLSX),))
        document.close(True)
        with contextlib.suppress(Exception):
            desktop.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
    finally:
        if process.poll() is None:
            # Only the group that was started above.
            os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(profile, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1], [json.loads(wish) for wish in sys.argv[2:]])
