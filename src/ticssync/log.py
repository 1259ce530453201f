"""structlog, set up once, with secrets masked in every line."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, Final, TextIO

import structlog

MASK: Final = "•••"
_SECRET_NAMES: Final = ("password", "token", "api_key", "secret", "authorization", "cookie")


class Masker:
    """Replaces known secret values, and values under names that say secret, wherever they stand in a log line."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.secrets = sorted({text for text in secrets if len(text) >= 4}, key=len, reverse=True)

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """A structlog processor."""
        for name, value in event.items():
            secret = any(word in name.lower() for word in _SECRET_NAMES)
            event[name] = MASK if secret else self.mask(value)
        return event

    def mask(self, value: Any) -> Any:
        """The value with every known secret replaced."""
        if isinstance(value, str):
            for secret in self.secrets:
                value = value.replace(secret, MASK)
            return value
        if isinstance(value, dict):
            return {name: self.mask(item) for name, item in value.items()}
        return [self.mask(item) for item in value] if isinstance(value, (list, tuple)) else value


def set_up(
    *, secrets: Iterable[str] = (), stream: TextIO | None = None, verbose: bool = False, as_json: bool = True
) -> None:
    """Send log lines to `stream` (default: standard error).  Quiet but for warnings unless `verbose`."""
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.processors.KeyValueRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            Masker(secrets),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO if verbose else logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def logger(**values: Any) -> Any:
    """A logger that carries these values."""
    return structlog.get_logger(**values)
