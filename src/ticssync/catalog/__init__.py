"""Scheme packs: read one with a company's overlay, decide what is in scope, say it as plain values."""

from ticssync.catalog.applicability import decide, parse_expression
from ticssync.catalog.describe import catalog_json, criterion_json, scope_payload
from ticssync.catalog.load import load_catalog, shipped_catalog

__all__ = [
    "catalog_json",
    "criterion_json",
    "decide",
    "load_catalog",
    "parse_expression",
    "scope_payload",
    "shipped_catalog",
]
