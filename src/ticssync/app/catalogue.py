"""`catalog list|show` and `profile show`: the scheme as this company uses it."""

from __future__ import annotations

from typing import Any

from ticssync.app.scope import catalogs
from ticssync.app.workspace import Surroundings, read_config
from ticssync.catalog import catalog_json, criterion_json, decide, load_catalog, shipped_catalog
from ticssync.catalog.describe import BASIS_WORDS
from ticssync.config import Config
from ticssync.errors import UsageError, say
from ticssync.model.criterion import Catalog
from ticssync.model.profile import Profile
from ticssync.yamlfile import nearest

DEFAULT = "tics-2024"


def _used(around: Surroundings) -> tuple[tuple[Catalog, ...], Profile | None]:
    """The company's catalogues; outside of a workspace the shipped one, with nothing said about scope."""
    if around.config_file.exists():
        config: Config = read_config(around)
        return catalogs(config), config.profile
    catalog, problems = load_catalog(shipped_catalog(DEFAULT))
    if catalog is None:
        raise UsageError(say("the catalogue is wrong"), problems=problems)
    return (catalog,), None


def listed(around: Surroundings) -> dict[str, Any]:
    """The JSON of `catalog list`."""
    found, profile = _used(around)
    items = []
    for catalog in found:
        for plain, criterion in zip(catalog_json(catalog, around.lang), catalog.items, strict=True):
            scope = decide(criterion, profile) if profile else None
            in_scope = scope.in_scope if scope else True
            items.append(
                {
                    **plain,
                    "in_scope": in_scope,
                    "why": scope.reason.in_language(around.lang) if scope else "",
                    "basis_text": BASIS_WORDS[criterion.basis].in_language(around.lang),
                }
            )
    heads = [
        {
            "name": one.name,
            "scheme": one.scheme,
            "edition": one.edition,
            "status": one.status,
            "basis": one.basis.in_language(around.lang),
            "source": one.source,
        }
        for one in found
    ]
    return {"catalogs": heads, "items": items}


def shown(around: Surroundings, item: str) -> dict[str, Any]:
    """The JSON of `catalog show`.  Raises UsageError with the nearest id."""
    found, profile = _used(around)
    known = {
        name: criterion
        for catalog in found
        for criterion in catalog.items
        for name in (criterion.ref, criterion.id)
    }
    if item not in known:
        near = nearest(item, sorted(known))
        raise UsageError(
            say("the catalogue has no item {item}", item=item),
            fix=say("did you mean {near}?", near=near) if near else say("ticssync catalog list"),
        )
    return criterion_json(known[item], decide(known[item], profile or Profile()), around.lang)
