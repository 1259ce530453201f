"""Run by an interpreter of its own: how long another program reads the issues of a project, and how many it gets."""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def python_redmine(url: str, key: str) -> dict[str, Any]:
    """The loop of its documentation."""
    import redminelib

    redmine = redminelib.Redmine(url, key=key)
    began = time.perf_counter()
    read = [
        (issue.id, issue.subject)
        for issue in redmine.issue.filter(project_id="tics", status_id="*", sort="id")
    ]
    version = redminelib.__version__
    return {"program": f"python-redmine {version}", "seconds": time.perf_counter() - began, "read": len(read)}


def bugwarrior_redmine(url: str, key: str) -> dict[str, Any]:
    """Its Redmine service's own client, asked as the service asks it with the largest limit."""
    from importlib.metadata import version

    from bugwarrior.services.redmine import RedMineClient

    client = RedMineClient(url, key, None, 1000, True)
    began = time.perf_counter()
    read = client.find_issues(1000, "project_id=tics&status_id=*")
    seconds = time.perf_counter() - began
    return {
        "program": f"bugwarrior {version('bugwarrior')} (Redmine service)",
        "seconds": seconds,
        "read": len(read),
    }


if __name__ == "__main__":
    name, url, key = sys.argv[1:]
    print(
        json.dumps(
            {"python_redmine": python_redmine, "bugwarrior_redmine": bugwarrior_redmine}[name](url, key)
        )
    )
