"""What ticssync.yaml may say.  `trackers.*` and `notify.*` stay raw here: their plugins' models check them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    model_validator,
)

from ticssync.errors import say
from ticssync.model.person import Role
from ticssync.model.profile import FORMS
from ticssync.yamlfile import nearest

TRACKER_NAME: Final = r"^[a-z][a-z0-9_]{0,30}$"
WORKSPACE_ID: Final = r"^[a-z0-9]{10}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _pass_over_own_keys(cls, value: Any) -> Any:
        """`x-…` keys are the company's own notes."""
        return (
            {k: v for k, v in value.items() if not str(k).startswith("x-")}
            if isinstance(value, dict)
            else value
        )


class WorkspacePart(_Strict):
    """`id` is made by init and never changed; it also stands in the store.

    `language` is what the company's own files are written in (starter mappings, drop folders); without it they
    follow `--lang`.
    """

    id: Annotated[StrictStr, Field(pattern=WORKSPACE_ID)]
    name: Annotated[StrictStr, Field(min_length=1)]
    shared: Path | None = None
    language: Literal["ja", "en"] | None = None


def _known_form(value: str) -> str:
    if value not in FORMS:
        raise ValueError(say("{value} is not one of {known}", value=value, known=", ".join(FORMS)))
    return value


class ProfilePart(_Strict):
    """What the company handles; see model.profile."""

    forms: list[Annotated[StrictStr, AfterValidator(_known_form)]] = Field(default_factory=list)
    areas: StrictBool = False
    takeout: StrictBool = False
    remote_work: StrictBool = False
    external_systems: StrictBool = False
    third_parties: StrictBool = False
    classes: list[StrictStr] = Field(default_factory=list)


class PersonPart(_Strict):
    """Account ids are texts: `"5"`, never 5."""

    name: Annotated[StrictStr, Field(min_length=1)]
    mail: StrictStr = ""
    accounts: dict[StrictStr, StrictStr] = Field(default_factory=dict)


class HolderPart(_Strict):
    """A person in a role, from–to (inclusive)."""

    person: StrictStr
    since: date | None = Field(default=None, alias="from")
    until: date | None = Field(default=None, alias="to")


def _holders(value: Any) -> Any:
    items = value if isinstance(value, list) else [value]
    return [{"person": item} if isinstance(item, str) else item for item in items]


Holders = Annotated[list[HolderPart], BeforeValidator(_holders)]


class CertificatePart(_Strict):
    """Dates as printed on the certificate."""

    scheme: StrictStr = "tics"
    body: StrictStr
    number: StrictStr
    scope: StrictStr
    issued_on: date
    expires_on: date
    rules_confirmed: StrictBool = False

    @model_validator(mode="after")
    def _in_order(self) -> CertificatePart:
        if self.expires_on <= self.issued_on:
            raise ValueError(say("expires_on is not after issued_on"))
        return self


class RoutePart(_Strict):
    """Which criteria go to which tracker; `criteria` is an id or a pattern such as `T-2*`."""

    criteria: StrictStr
    tracker: StrictStr
    mirrors: list[StrictStr] = Field(default_factory=list)


def _known_zone(value: str) -> str:
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(value)
    except (ValueError, OSError, LookupError) as error:
        near = nearest(value, sorted(available_timezones())) or "Asia/Tokyo"
        raise ValueError(
            say("{value} is no time zone; did you mean {near}?", value=value, near=near)
        ) from error
    return value


class CalendarPart(_Strict):
    """The company's days.  `company_holidays` names a YAML file: `holidays: [dates]`, `working_days: [dates]`."""

    time_zone: Annotated[StrictStr, AfterValidator(_known_zone)] = "Asia/Tokyo"
    holidays: Literal["jp"] = "jp"
    company_holidays: Path | None = None
    fiscal_year_start: Annotated[int, Field(ge=1, le=12)] = 4


def _known_store(value: str) -> str:
    if not value.startswith(("sqlite:///", "postgresql://", "postgresql+")):
        # The value may hold a password, so it is not repeated.
        raise ValueError(say("a store is sqlite:///FILE or postgresql://…"))
    return value


class ConfigFile(_Strict):
    """The whole file."""

    version: Literal[1]
    extends: StrictStr | None = None
    workspace: WorkspacePart
    catalogs: list[StrictStr] = Field(default_factory=lambda: ["tics-2024"], min_length=1)
    overlay: Path | None = None
    profile: ProfilePart = Field(default_factory=ProfilePart)
    people: dict[StrictStr, PersonPart] = Field(default_factory=dict)
    roles: dict[Role, Any] = Field(default_factory=dict)
    certificates: dict[StrictStr, CertificatePart] = Field(default_factory=dict)
    trackers: dict[Annotated[StrictStr, Field(pattern=TRACKER_NAME)], dict[str, Any]] = Field(
        default_factory=dict
    )
    routes: list[RoutePart] = Field(default_factory=list)
    notify: dict[StrictStr, dict[str, Any]] = Field(default_factory=dict)
    calendar: CalendarPart = Field(default_factory=CalendarPart)
    store: Annotated[StrictStr, AfterValidator(_known_store)] = "sqlite:///ticssync.db"
    locker: Path = Path("locker")
    keys: Path = Path("keys")
    log: Path | None = None
    plugins: list[StrictStr] = Field(default_factory=list)
