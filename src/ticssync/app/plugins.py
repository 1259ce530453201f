"""`plugins`: what is installed, what is allowed, what it can do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ticssync import __version__
from ticssync.app.workspace import Surroundings, read_config
from ticssync.host import BUILTIN, load_host


def describe(around: Surroundings) -> dict[str, Any]:
    """The JSON of `ticssync plugins`; without a configuration everything installed is shown as not allowed."""
    allowed = read_config(around).values.plugins if around.config_file.exists() else []
    host = load_host(allowed)
    shown = [
        {
            "name": one.name,
            "version": one.version,
            "allowed": one.allowed,
            "trackers": list(one.trackers),
            "notifiers": list(one.notifiers),
            "quality": ", ".join(sorted({host.trackers[name].quality for name in one.trackers})),
            "capabilities": {name: asdict(host.trackers[name].caps) for name in one.trackers},
        }
        for one in host.plugins
    ]
    taken = {name for one in host.plugins for name in one.notifiers}
    own = {
        "name": BUILTIN,
        "version": __version__,
        "allowed": True,
        "trackers": [],
        "notifiers": sorted(set(host.notifiers) - taken),
        "quality": "",
        "capabilities": {},
    }
    return {"items": [own, *shown]}
