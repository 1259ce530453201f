"""The message catalogues: found in the code, kept as .po, compiled to .mo.  Run by `python dev.py messages`.

A message is the literal first argument of `say`, `mark`, `text`, `tr`, `t` (or `_text`, `_t`), called plainly
or on an object (`opening.text("…")`), in Python and in Jinja templates.  Python literals are read from the
syntax tree, so that a message written over several lines is one message.
"""

from __future__ import annotations

import argparse
import ast
import gettext
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
KEYWORDS = frozenset({"say", "mark", "text", "_text", "tr", "t", "_t", "plain", "head"})
TEMPLATES = frozenset({".html", ".j2", ".jinja", ".jinja2", ".txt", ".svg"})
UNDATED = datetime(2026, 1, 1, tzinfo=UTC)
"""The catalogue's dates do not move: only messages make a difference between two versions of a file."""


@dataclass(frozen=True, slots=True)
class Domain:
    """One catalogue: whose code it serves, where it lies, which translation files are its own."""

    name: str
    source: Path
    locale: Path
    own: str = ""
    plain_text: tuple[str, ...] = ()
    """Folders (relative to `source`) where `text` and `_text` mean something else."""

    @property
    def po(self) -> Path:
        """The Japanese catalogue."""
        return self.locale / "ja" / "LC_MESSAGES" / "ticssync.po"

    @property
    def mo(self) -> Path:
        """Its compiled form."""
        return self.po.with_suffix(".mo")


def domains(root: Path = ROOT) -> tuple[Domain, ...]:
    """The host's catalogue and one per plugin of this tree."""
    source = root / "src" / "ticssync"
    host = Domain("ticssync", source, source / "text" / "locale", plain_text=("store",))
    found = sorted(root.glob("plugins/*/src/ticssync_*"))
    return (host, *(Domain(path.name, path, path / "locale", path.parents[1].name) for path in found))


# ── finding ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Found:
    """Messages with the files they stand in, and calls that no catalogue can serve."""

    messages: dict[str, set[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, message: str, file: str) -> None:
        """Remember a message; the empty one is gettext's own."""
        if message:
            self.messages.setdefault(message, set()).add(file)


def extract(domain: Domain) -> Found:
    """Every message of a catalogue's code and templates."""
    found = Found()
    for path in sorted(domain.source.rglob("*")):
        place = path.relative_to(domain.source)
        name = f"{domain.source.name}/{place.as_posix()}"
        if path.suffix == ".py":
            keywords = {"say", "mark"} if place.parts[0] in domain.plain_text else KEYWORDS
            _from_python(path.read_text(encoding="utf-8"), name, keywords, found)
        elif path.suffix in TEMPLATES and "locale" not in place.parts:
            _from_template(path.read_text(encoding="utf-8"), name, found)
    return found


def _from_python(source: str, name: str, keywords: frozenset[str] | set[str], found: Found) -> None:
    for node in ast.walk(ast.parse(source, name)):
        if not isinstance(node, ast.Call) or not node.args or _called(node.func) not in keywords:
            continue
        for message in _literals(node.args[0]):
            if message is None:
                found.faults.append(f"{name}:{node.lineno}: an f-string cannot be translated; use {{places}}")
            else:
                found.add(message, name)


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _literals(node: ast.expr) -> Iterator[str | None]:
    """The texts that an argument can be; None for an f-string; nothing for a value known only later."""
    if isinstance(node, ast.JoinedStr):
        yield None
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [part for side in (node.left, node.right) for part in _literals(side)]
        yield None if None in parts else "".join(part for part in parts if part)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _from_template(source: str, name: str, found: Found) -> None:
    from jinja2 import Environment, TemplateSyntaxError, nodes

    try:
        tree = Environment(autoescape=True, extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"]).parse(
            source
        )
    except TemplateSyntaxError as error:
        found.faults.append(f"{name}:{error.lineno}: not a template: {error.message}")
        return
    for call in tree.find_all(nodes.Call):
        called = getattr(call.node, "name", None) or getattr(call.node, "attr", None)
        if called in KEYWORDS and call.args and isinstance(call.args[0], nodes.Const):
            found.add(str(call.args[0].value), name)
    for piped in tree.find_all(nodes.Filter):
        if piped.name in KEYWORDS and isinstance(piped.node, nodes.Const):
            found.add(str(piped.node.value), name)


# ── keeping ──────────────────────────────────────────────────────────────────────────────────────────


def translations(po: Path) -> dict[str, str]:
    """What a .po says, message → translation (empty where there is none)."""
    if not po.exists():
        return {}
    with po.open("rb") as file:
        catalog = read_po(file, locale="ja", domain="ticssync")
    return {str(message.id): str(message.string or "") for message in catalog if message.id}


def fuzzy(po: Path) -> list[str]:
    """Messages whose translation somebody has to look at."""
    with po.open("rb") as file:
        return [str(message.id) for message in read_po(file, locale="ja") if message.id and message.fuzzy]


def update(domain: Domain, given: Mapping[str, str]) -> list[str]:
    """Write .po and .mo anew: what the code has, with the known translations, else the given ones.

    Returns the messages that still have none.
    """
    known, found = translations(domain.po), extract(domain).messages
    catalog = Catalog(
        locale="ja", domain="ticssync", project="ticssync", version="0", header_comment="# Japanese",
        creation_date=UNDATED, revision_date=UNDATED, fuzzy=False, charset="utf-8",
        msgid_bugs_address="", last_translator="ticssync", language_team="ja",
    )  # fmt: skip
    for message in sorted(found):
        japanese = known.get(message) or given.get(message, "")
        catalog.add(message, japanese, locations=[(file, 0) for file in sorted(found[message])])
    domain.po.parent.mkdir(parents=True, exist_ok=True)
    with domain.po.open("wb") as file:
        write_po(file, catalog, width=110, include_lineno=False)
    with domain.mo.open("wb") as file:
        write_mo(file, catalog)
    return [message for message in sorted(found) if not (known.get(message) or given.get(message))]


def read_given(folder: Path, own: str) -> tuple[dict[str, str], list[str]]:
    """(message → Japanese, remarks) of all *.json in a folder; the catalogue's own file goes first."""
    plugin_files = {domain.own for domain in domains() if domain.own}
    given: dict[str, str] = {}
    remarks = []
    for path in sorted(
        folder.glob("*.json"), key=lambda file: ((file.stem in plugin_files) != bool(own), file.name)
    ):
        for message, japanese in json.loads(path.read_text(encoding="utf-8")).items():
            if given.setdefault(message, japanese) != japanese:
                remarks.append(f"{path.name}: another file says it otherwise: {message}")
    return given, remarks


# ── checking ─────────────────────────────────────────────────────────────────────────────────────────


def places(message: str) -> set[str]:
    """Names of the `{places}` of a message, without their formats."""
    return {
        name.split(".")[0].split("[")[0] for _, name, _, _ in Formatter().parse(message) if name is not None
    }


def problems(domain: Domain) -> list[str]:
    """Everything that keeps a catalogue from being complete."""
    found = extract(domain)
    said = translations(domain.po)
    lines = list(found.faults)
    lines += [f"not in the catalogue: {message!r}" for message in sorted(found.messages.keys() - said.keys())]
    lines += [
        f"no longer in the code: {message!r}" for message in sorted(said.keys() - found.messages.keys())
    ]
    lines += [f"without Japanese: {message!r}" for message, japanese in said.items() if not japanese]
    lines += [
        f"other places: {message!r} → {japanese!r}"
        for message, japanese in said.items()
        if _differ(message, japanese)
    ]
    lines += [f"fuzzy: {message!r}" for message in (fuzzy(domain.po) if said else ())]
    compiled = _compiled(domain.mo)
    if compiled != {message: japanese for message, japanese in said.items() if japanese}:
        lines.append("the .mo is older than the .po")
    return lines


def _differ(message: str, japanese: str) -> bool:
    try:
        return bool(japanese) and places(message) != places(japanese)
    except ValueError:
        return True


def _compiled(mo: Path) -> dict[str, str]:
    if not mo.exists():
        return {}
    with mo.open("rb") as file:
        catalog = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # noqa: SLF001 - no public way to list
    return {message: japanese for message, japanese in catalog.items() if message}


def main(words: Sequence[str] | None = None) -> int:
    """Update every catalogue; with --check only report.  Exit code 1 when --check finds something."""
    parser = argparse.ArgumentParser(prog="messages")
    parser.add_argument("--merge", type=Path, metavar="FOLDER")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(words)
    if options.check:
        lines = [f"{domain.name}: {line}" for domain in domains() for line in problems(domain)]
        print("\n".join(lines) or "all messages have their Japanese")
        return 1 if lines else 0
    used: set[str] = set()
    everything: set[str] = set()
    for domain in domains():
        given, remarks = read_given(options.merge, domain.own) if options.merge else ({}, [])
        missing = update(domain, given)
        used |= extract(domain).messages.keys()
        everything |= given.keys()
        lines = [f"without Japanese: {message!r}" for message in missing] + remarks + problems(domain)
        print(f"{domain.name}: {len(translations(domain.po))} messages, {len(missing)} without Japanese")
        print("\n".join(f"  {line}" for line in dict.fromkeys(lines)))
    for message in sorted(everything - used):
        print(f"given, but not in the code: {message!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
