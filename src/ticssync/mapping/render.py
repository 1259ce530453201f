"""From a criterion to the values of a task.  Pure: everything it needs is handed in.

Templates run in Jinja's immutable sandbox and get plain texts, numbers and lists only.  The sandbox would
still call methods of whatever it is handed, so nothing with methods worth calling is handed in, and
attribute access and calls are refused when the file is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Mapping_
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any, Final

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ticssync.errors import say
from ticssync.mapping.schema import FieldOwner, Mapping
from ticssync.model.canonical import canonical_text
from ticssync.model.task import Fields, FieldValue
from ticssync.yamlfile import nearest

TITLE_MAX: Final = 255
"""Characters: the shortest title of all trackers."""

TEMPLATE_NAMES: Final = (
    "id",
    "number",
    "official_refs",
    "scheme",
    "title",
    "to_do",
    "evidence_hint",
    "evidence_count",
    "evidence_kinds",
    "chapter",
    "cadence",
    "keep_mode",
    "basis",
    "confidence",
    "company",
    "drop_folder",
    "why",
)
"""What a template may use."""

_SOME: Final = "upper, lower, trim, replace, join, first, default …"
"""The filters of Jinja that are worth knowing here."""

_CADENCES: Final = {
    "once": ("最初に一度", "once"),
    "yearly": ("毎年", "yearly"),
    "half_yearly": ("半年ごと", "every half year"),
    "quarterly": ("四半期ごと", "quarterly"),
    "monthly": ("毎月", "monthly"),
    "on_event": ("その都度", "on each event"),
}
_KINDS: Final = {
    "document": ("文書", "document"),
    "register": ("台帳", "register"),
    "record": ("記録", "record"),
    "photo": ("写真", "photo"),
    "screenshot": ("画面の写し", "screenshot"),
    "certificate": ("証明書", "certificate"),
}
_KEEP: Final = {
    "copy": ("写しを預かる", "a copy is kept"),
    "hash_only": (
        "ファイルは社内に残し、ハッシュだけを記録",
        "the file stays in the house, only its hash is kept",
    ),
    "on_site": ("現地で提示", "shown on site"),
    "paper": ("紙で保管", "kept on paper"),
}
_BASIS: Final = {
    "named_by_meti": ("経済産業省の説明資料に挙がる項目", "named in METI's slides"),
    "pre_revision": ("改正前の基準の要約にある項目", "named in a summary of the criteria before 2024"),
    "derived": ("改正の説明から導いた項目", "derived from what METI says of the revision"),
    "official": ("公式の基準にある項目", "in the official criteria"),
    "company": ("自社で加えた項目", "added by the company"),
    "guess": ("推定した項目", "our guess"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What rendering needs besides the mapping and the item: `planned_on`, `issued_on`, `expires_on` are days;
    `owner` a person id or None; `target_day` moves a day to the working day before."""

    company: str
    planned_on: date
    owner: str | None = None
    issued_on: date | None = None
    expires_on: date | None = None
    target_day: Callable[[date], date] = lambda day: day


@dataclass(frozen=True, slots=True)
class Rendered:
    """`owned`: values that ticssync writes whenever they differ; `initial`: given once, at creation."""

    owned: Fields
    initial: Fields


def template_problems(template: str) -> Iterator[tuple[int, str, str]]:
    """(line within the template, message, what to do) for everything wrong with a template."""
    try:
        tree = _environment().parse(template)
    except TemplateSyntaxError as error:
        yield error.lineno, say("the template does not read: {why}", why=error.message or ""), ""
        return
    for product in tree.find_all((nodes.Mul, nodes.Pow)):
        # Ten characters of these make a text that fills the memory.
        yield product.lineno, say("a template may not multiply"), ""
    for node in tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Call)):
        yield (
            node.lineno,
            say("a template may not reach into values or call anything"),
            say("use a plain name such as {{{{ title }}}}, with filters if wanted"),
        )
    for other in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        yield other.lineno, say("a template may not take in other files"), ""
    faults = list(_unknown(tree)) or list(_not_compiled(template))
    yield from faults
    # Jinja looks for names by compiling.
    names = set() if faults else meta.find_undeclared_variables(tree)
    for name in sorted(names - set(TEMPLATE_NAMES)):
        yield (
            1,
            say("the template uses {name}, which does not exist", name=name),
            say("there are: {names}", names=", ".join(TEMPLATE_NAMES)),
        )


def _unknown(tree: nodes.Template) -> Iterator[tuple[int, str, str]]:
    """Filters and tests that do not exist; Jinja itself names only the first, and none inside an `if`."""
    environment = _environment()
    for kind, known in ((nodes.Filter, environment.filters), (nodes.Test, environment.tests)):
        for node in tree.find_all(kind):
            if node.name not in known:
                near = nearest(node.name, sorted(known))
                yield (
                    node.lineno,
                    say("the template uses {name}, which does not exist", name=node.name),
                    say("did you mean {near}?", near=near)
                    if near
                    else say("there are: {names}", names=_SOME),
                )


def _not_compiled(template: str) -> Iterator[tuple[int, str, str]]:
    try:
        _compiled(template)
    except TemplateSyntaxError as error:
        yield error.lineno, say("the template does not read: {why}", why=error.message or ""), ""


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
    )


@lru_cache(maxsize=512)
def _compiled(template: str) -> Template:
    """One mapping's few templates serve every item."""
    return _environment().from_string(template)


def render_task(mapping: Mapping, item: Mapping_[str, Any], facts: Facts) -> Rendered:
    """The task for one item of a scope payload.  Raises ValueError where a template or a due date fails."""
    override = mapping.overrides.get(item["id"])
    values = _context(mapping.language, item, facts)
    labels = (override.labels if override and override.labels is not None else mapping.labels) or []
    due = (override and override.due) or mapping.due
    filled: dict[str, FieldValue] = {
        "number": item["id"],
        "chapter": values["chapter"],
        "title": _text((override and override.title) or mapping.title, values).replace("\n", " ")[:TITLE_MAX],
        "body": _text((override and override.body) or mapping.body, values),
        "labels": tuple(sorted(text for label in labels if (text := _text(label, values)))),
        "due": _due(item["id"], due, facts) if due else None,
    }
    for name, rule in mapping.fields.items():
        if rule.value is not None:
            filled[name] = _text(rule.value, values)
    owned = {
        name: value
        for name, value in filled.items()
        if name in mapping.fields and mapping.owner(name) is FieldOwner.TICSSYNC
    }
    return Rendered(owned, _initial(mapping, override, facts))


def _initial(mapping: Mapping, override: Any, facts: Facts) -> Fields:
    priority = (override and override.priority) or mapping.priority
    wanted = (override and override.assignee) or mapping.assignee
    values: dict[str, FieldValue] = {
        "status": "todo",
        "assignee": facts.owner if wanted.startswith("role:") else wanted,
        "priority": priority.value if priority else None,
    }
    return {name: value for name, value in values.items() if name in mapping.fields}


def _due(item: str, rule: Any, facts: Facts) -> str | None:
    anchors = {"planned": facts.planned_on, "issued": facts.issued_on, "expires": facts.expires_on}
    anchor = anchors[rule.anchor]
    try:
        return facts.target_day(anchor + timedelta(days=rule.days)).isoformat() if anchor else None
    except OverflowError as error:
        raise ValueError(
            say("the due date of {item} is beyond any calendar: {days} days", item=item, days=rule.days)
        ) from error


def _context(lang: str, item: Mapping_[str, Any], facts: Facts) -> dict[str, Any]:
    side = 1 if lang == "en" else 0
    word = "en" if lang == "en" else "ja"
    refs = list(item.get("official_ref", ()))
    return {
        "id": item["id"],
        "number": "・".join(refs) or item["id"],
        "official_refs": refs,
        "scheme": item.get("scheme", ""),
        "title": item["title"][word],
        "to_do": item["to_do"][word],
        "evidence_hint": item["evidence_hint"][word],
        "evidence_count": item["evidence"]["count"],
        "evidence_kinds": [_KINDS[kind][side] for kind in item["evidence"]["kinds"]],
        "chapter": item["chapter_title"][word],
        "cadence": [_CADENCES[cadence][side] for cadence in item["cadence"]],
        "keep_mode": _KEEP[item["keep_mode"]][side],
        "basis": _BASIS[item["basis"]][side],
        "confidence": item["confidence"],
        "company": facts.company,
        "drop_folder": item.get("drop_folder", ""),
        "why": item["why"][word],
    }


def _text(template: str, values: Mapping_[str, Any]) -> str:
    try:
        return canonical_text(_compiled(template).render(values))
    except Exception as error:
        # A filter with wrong arguments raises whatever Python raises there.
        why = str(error) or type(error).__name__
        raise ValueError(say("the template fails for {item}: {why}", item=values["id"], why=why)) from error
