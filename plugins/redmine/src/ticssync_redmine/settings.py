"""What ticssync.yaml says of a Redmine."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from ticssync.plugin import http


class RedmineSettings(BaseModel):
    """The part of ticssync.yaml under a tracker of kind `redmine`.

    `url` is what stands before `/projects` in the browser.  `project` is the identifier (or number) of the
    project; its address in the browser will do.  `api_key` belongs into the environment or the secrets folder.
    `ca_file`: the company's own certificate authority (PEM), relative to the configuration file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="Redmine の URL（/projects の前まで）")
    project: str = Field(
        pattern=r"^[a-z0-9_-]+$", description="プロジェクトの識別子（英小文字・数字・ハイフン・下線）"
    )
    api_key: SecretStr = Field(
        default=SecretStr(""), description="APIアクセスキー（環境変数か秘密フォルダーに）"
    )
    allow_insecure: bool = Field(default=False, description="http:// を許す（鍵が盗み見られます）")
    ca_file: Path | None = Field(default=None, description="社内認証局の証明書（PEM）")

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        found = http.address(url)
        return found.partition("/projects/")[0].partition("/issues")[0].removesuffix("/projects")

    @field_validator("project", mode="before")
    @classmethod
    def _an_identifier(cls, project: object) -> object:
        """The identifier also from what the browser shows: `https://…/projects/tics/issues` is `tics`."""
        if not isinstance(project, str):
            return project
        words = project.strip()
        if "/projects/" in words:
            words = urlsplit(words).path.partition("/projects/")[2].partition("/")[0]
        return words

    @model_validator(mode="after")
    def _not_in_the_open(self) -> RedmineSettings:
        http.closed_address(self.url, allowed=self.allow_insecure)
        return self
