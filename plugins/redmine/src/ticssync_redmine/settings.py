"""What ticssync.yaml says of a Redmine."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from ticssync.plugin.http import in_the_open


class RedmineSettings(BaseModel):
    """The part of ticssync.yaml under a tracker of kind `redmine`.

    `url` is what stands before `/projects` in the browser.  `project` is the identifier (or number) of the
    project.  `api_key` belongs into the environment or the secrets folder.  `ca_file`: the company's own
    certificate authority (PEM), relative to the configuration file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="Redmine の URL（/projects の前まで）")
    project: str = Field(min_length=1, pattern=r"^[a-z0-9_-]+$", description="プロジェクトの識別子")
    api_key: SecretStr = Field(
        default=SecretStr(""), description="APIアクセスキー（環境変数か秘密フォルダーに）"
    )
    allow_insecure: bool = Field(default=False, description="http:// を許す（鍵が盗み見られます）")
    ca_file: Path | None = Field(default=None, description="社内認証局の証明書（PEM）")

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        parts = urlsplit(url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("url must begin with https://")
        if parts.username or parts.password:
            raise ValueError("url must not hold a password")
        path = parts.path.partition("/projects/")[0].partition("/issues")[0]
        return f"{parts.scheme}://{parts.netloc}{path}".rstrip("/")

    @model_validator(mode="after")
    def _not_in_the_open(self) -> RedmineSettings:
        if in_the_open(self.url) and not self.allow_insecure:
            raise ValueError(
                "http:// sends the key in the open: use https://, or allow_insecure: true if that is accepted"
            )
        return self
