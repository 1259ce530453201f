"""A small scheme pack of three items, to be damaged by the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ticssync.catalog import load_catalog
from ticssync.errors import Problem
from ticssync.model.criterion import Catalog

PACK = """\
version: 1
name: demo-1
scheme: demo
edition: "1"
in_force_on: "2024-08-16"
status: working
basis: {ja: 作業用カタログ, en: Working catalogue}
source: 髙﨑㈱ ㊙ 〜 🔒
chapters:
  rules: {ja: 規則, en: Rules}
  doors: {ja: 扉, en: Doors}
checklist_fields:
  making: {ja: 作る, en: Making}
  late: {ja: 未確認, en: Not seen, seen: "no"}
sources:
  S-1: {ja: 資料, en: Slides, url: "https://example.com/a"}
items:
  - id: "A-1"
    chapter: rules
    title: {ja: 決める, en: Decide}
    to_do: {ja: 決めて書きます。, en: Decide and write.}
    evidence: {hint: {ja: 一覧, en: The list}, count: 2, kinds: [register], valid_months: 12, reviewed: true}
    class: internal
    keep_mode: copy
    cadence: [yearly]
    checklist_fields: [making]
    source: [S-1]
    basis: derived
    confidence: low
    crosswalk:
      - {scheme: iso27001-2022, ref: A.5.9, relation: intersects, basis: own}
  - id: "A-2"
    chapter: doors
    title: {ja: 閉める, en: Lock}
    to_do: {ja: 扉を閉めます。, en: Lock the door.}
    evidence: {hint: {ja: 写真, en: Photo}}
    class: secret
    keep_mode: hash_only
    cadence: [on_event]
    applies_when: forms.paper or areas
    basis: guess
    confidence: low
  - id: "A-10"
    chapter: doors
    title: {ja: 数える, en: Count}
    to_do: {ja: 鍵を数えます。, en: Count the keys.}
    evidence: {hint: {ja: 記録, en: Record}}
    class: personal
    keep_mode: hash_only
    cadence: [half_yearly]
    basis: guess
    confidence: low
"""

Load = Callable[..., tuple[Catalog | None, list[Problem]]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write the pack (with replacements) and perhaps an overlay, and load them."""

    def loaded(*changes: tuple[str, str], overlay: str | None = None) -> tuple[Catalog | None, list[Problem]]:
        text = PACK
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        pack = tmp_path / "catalog.yaml"
        pack.write_text(text, encoding="utf-8")
        if overlay is None:
            return load_catalog(pack)
        (tmp_path / "overlay.yaml").write_text(overlay, encoding="utf-8")
        return load_catalog(pack, tmp_path / "overlay.yaml")

    return loaded
