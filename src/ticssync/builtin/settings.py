"""What stands under `notify.mail` and `notify.folder` in ticssync.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class MailSettings(BaseModel):
    """A mail server.  `security: none` is for a relay without login in the house only; `ca_file` adds an own
    certificate authority to the system's; `timeout_s` in seconds; `reply_to` is a person id."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: SecretStr | None = None
    sender: str = Field(alias="from", pattern=r"^[^\r\n]*@[^\r\n]+$")
    reply_to: str = ""
    ca_file: Path | None = None
    timeout_s: float = Field(default=30.0, gt=0, le=300)

    @model_validator(mode="after")
    def _never_in_clear(self) -> Self:
        if self.security == "none" and (self.user or self.password is not None):
            raise ValueError("security none would send the password in clear: take starttls or tls")
        if self.user and self.password is None:
            raise ValueError("user is given, the password is missing: set TICSSYNC_NOTIFY__MAIL__PASSWORD")
        return self


class FolderSettings(BaseModel):
    """A folder that receives one .eml file per message; relative paths are relative to ticssync.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
