"""`ticssync exclude`."""

from __future__ import annotations

from ticssync.cli.acts import act_command
from ticssync.cli.words import tr

command = act_command("exclude", tr("A named person leaves a criterion out, with a reason"))
