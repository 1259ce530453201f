"""What a mapping file may say.  The same model gives the messages, the reference and the JSON Schema."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from ticssync.errors import say
from ticssync.model.key import PART_PATTERN
from ticssync.model.task import Priority, Status


class FieldOwner(StrEnum):
    """Who has the last word on a field: ticssync, the tracker, or whoever changed it last (merge)."""

    TICSSYNC = "ticssync"
    TRACKER = "tracker"
    MERGE = "merge"


DEFAULT_OWNERS: Final = {
    "status": FieldOwner.MERGE,
    "start": FieldOwner.MERGE,
    "priority": FieldOwner.MERGE,
    "assignee": FieldOwner.TRACKER,
    "evidence": FieldOwner.TRACKER,
}
"""Fields that are not named here belong to ticssync."""

OWN_FIELDS: Final = frozenset(
    {"number", "title", "body", "due", "labels", "confirmation", "from_office", "chapter"}
)
"""What ticssync knows how to fill by itself; any other field of ours needs `value:`."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_rule(value: Any) -> Any:
    return {"to": value} if isinstance(value, str) else value


class FieldRule(_Strict):
    """Where a field goes in the tracker (`to`: field id or column head) and who owns it."""

    to: StrictStr = Field(
        min_length=1, description="トラッカー側の項目ID・列見出し / field id or column head"
    )
    owner: FieldOwner | None = Field(default=None, description="ticssync | tracker | merge")
    value: StrictStr | None = Field(
        default=None, description="テンプレート（ticssyncが書く項目のみ） / template"
    )


class DueRule(_Strict):
    """When a task is due: `days` after (negative: before) the anchor, on the working day before if need be.

    Anchors: `planned` (the day the task first came up), `issued` and `expires` (the certificate's printed
    dates; without a certificate the task has no due date).
    """

    anchor: Literal["planned", "issued", "expires"] = "planned"
    days: StrictInt = 90


class Override(_Strict):
    """What is different for one criterion."""

    title: StrictStr | None = None
    body: StrictStr | None = None
    labels: list[StrictStr] | None = None
    priority: Priority | None = None
    due: DueRule | None = None
    assignee: StrictStr | None = Field(default=None, description="person id, or role:owner")


class CollectRule(_Strict):
    """What people put into a task that is taken in as evidence.  Private notes only where the company says so."""

    notes: StrictBool = True
    private_notes: StrictBool = False
    files: StrictBool = True


class ConfirmRule(_Strict):
    """What a confirmer does in the tracker, with an account of their own, to confirm: a status (the tracker's own),
    or a field and its value.  Proven by the task's history."""

    status: StrictStr | None = None
    field: StrictStr | None = None
    value: StrictStr | None = None

    @model_validator(mode="after")
    def _one_way(self) -> ConfirmRule:
        if (self.status is None) == (self.field is None) or (self.field is None) != (self.value is None):
            raise ValueError(say("confirm_when: give either status:, or field: and value:"))
        return self


class Mapping(_Strict):
    """One mapping file."""

    version: Literal[1]
    kind: StrictStr = Field(description="トラッカーの種類（workbook, redmine, …）")
    language: Literal["ja", "en"] = "ja"
    title: StrictStr = "{{ title }}"
    body: StrictStr = "{{ to_do }}"
    labels: list[StrictStr] = Field(default_factory=list)
    priority: Priority | None = None
    due: DueRule | None = None
    assignee: StrictStr = Field(default="role:owner", description="person id, or role:owner …")
    marker: StrictStr = Field(default="", description="目印を置く場所 / where the marker goes")
    fields: dict[StrictStr, Annotated[FieldRule, BeforeValidator(_as_rule)]]
    statuses: dict[StrictStr, Status] = Field(
        min_length=1, description="トラッカーの状態 → todo|doing|review|done|wont_do"
    )
    on_confirm: Status | None = Field(default=None, description="確認されたときに書く状態（既定: 書かない）")
    on_return: Status = Field(default=Status.DOING, description="差戻しのときに書く状態")
    values: dict[StrictStr, dict[StrictStr, StrictStr]] = Field(
        default_factory=dict,
        description="項目 → トラッカーの値 → ticssync の値 / field → the tracker's value → ours",
    )
    given: dict[StrictStr, StrictStr] = Field(
        default_factory=dict, description="作るときに一度だけ入れる値 / given once, at creation"
    )
    collect: CollectRule = Field(
        default_factory=CollectRule, description="証跡として取り込むもの / what is taken in as evidence"
    )
    confirm_when: ConfirmRule | None = Field(
        default=None,
        description="確認者が自分のアカウントで行う確認 / how a confirmer confirms in the tracker",
    )
    conflict_note: StrictBool = Field(
        default=False,
        description="競合を課題にも書き残すか（既定: 残さない） / whether a conflict is told in the task too",
    )
    texts: dict[StrictStr, StrictStr] = Field(
        default_factory=dict, description="トラッカーの種類が使う表示名"
    )
    overrides: dict[Annotated[StrictStr, Field(pattern=f"^{PART_PATTERN}$")], Override] = Field(
        default_factory=dict
    )

    def owner(self, name: str) -> FieldOwner:
        """Who owns a field."""
        rule = self.fields.get(name)
        if rule is not None and rule.owner is not None:
            return rule.owner
        return DEFAULT_OWNERS.get(name, FieldOwner.TICSSYNC)

    def templates(self) -> dict[tuple[str | int, ...], str]:
        """Every template of the file by its place."""
        found: dict[tuple[str | int, ...], str] = {("title",): self.title, ("body",): self.body}
        found |= {("labels", index): label for index, label in enumerate(self.labels)}
        found |= {
            ("fields", name, "value"): rule.value
            for name, rule in self.fields.items()
            if rule.value is not None
        }
        for item, override in self.overrides.items():
            found |= {
                ("overrides", item, name): text
                for name in ("title", "body")
                if (text := getattr(override, name)) is not None
            }
            found |= {
                ("overrides", item, "labels", index): label
                for index, label in enumerate(override.labels or ())
            }
        return found


def json_schema() -> dict[str, Any]:
    """The JSON Schema for editors."""
    schema = Mapping.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "ticssync mapping"
    return schema


NOTHING_TO_FILL: Final = say(
    "ticssync owns this field but does not know what to write: give it a value:, or owner: tracker"
)
