"""A person who answers a confirmation sheet in real LibreOffice Calc: run with a Python that has `uno`.

    person.py FILE STEP...
    a step is JSON: {"do": "type", "cell": "G7", "value": "確認"}

Steps on the visible sheet: type (read as at the keyboard; a locked cell stays as it is), unprotect, sort (a
range by one of its columns, downwards), delete_row.  Saves FILE in place as .xlsx.
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

XLSX = "Calc MS Excel 2007 XML"


def prop(name, value):
    made = PropertyValue()
    made.Name, made.Value = name, value
    return made


def step(document, wish):
    sheet = document.Sheets.getByIndex(0)
    if wish["do"] == "type":
        cell = sheet.getCellRangeByName(wish["cell"])
        # The keyboard refuses a locked cell of a protected sheet; this interface would write into it.
        if not (sheet.isProtected() and cell.CellProtection.IsLocked):
            cell.setFormula(wish["value"])
    elif wish["do"] == "unprotect":
        sheet.unprotect("")
    elif wish["do"] == "sort":
        field = uno.createUnoStruct("com.sun.star.table.TableSortField")
        field.Field, field.IsAscending = wish["by"], False
        fields = uno.Any("[]com.sun.star.table.TableSortField", (field,))
        area = sheet.getCellRangeByName(wish["range"])
        area.sort((prop("SortFields", fields), prop("ContainsHeader", False)))
    elif wish["do"] == "delete_row":
        sheet.Rows.removeByIndex(wish["row"] - 1, 1)
    else:
        raise SystemExit(f"unknown step {wish['do']}")


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


def opened(desktop, path, deadline):
    """An office that has only just started answers None for a while."""
    while True:
        document = desktop.loadComponentFromURL(path.as_uri(), "_blank", 0, (prop("Hidden", True),))
        if document is not None:
            return document
        if time.monotonic() > deadline:
            raise SystemExit("the office opens no file")
        time.sleep(0.2)


def answer(context, path, wishes):
    desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
    document = opened(desktop, path, time.monotonic() + 60)
    for wish in wishes:
        step(document, wish)
    document.storeToURL(path.as_uri(), (prop("FilterName", XLSX),))
    document.close(True)
    with contextlib.suppress(Exception):
        desktop.terminate()


def main(file, wishes):
    profile, pipe = tempfile.mkdtemp(prefix="office-"), "p" + uuid.uuid4().hex
    arguments = [
        "soffice", f"-env:UserInstallation={pathlib.Path(profile).as_uri()}", "--headless", "--norestore",
        "--nologo", "--nodefault", f"--accept=pipe,name={pipe};urp;",
    ]  # fmt: skip
    silent = subprocess.DEVNULL
    process = subprocess.Popen(arguments, stdout=silent, stderr=silent, start_new_session=True)
    try:
        answer(connect(pipe, process, time.monotonic() + 60), pathlib.Path(file).resolve(), wishes)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
    finally:
        if process.poll() is None:
            # Only the group that was started above.
            os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(profile, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1], [json.loads(wish) for wish in sys.argv[2:]])
