"""`ticssync return`."""

from __future__ import annotations

from ticssync.cli.acts import act_command
from ticssync.cli.words import tr

command = act_command("return", tr("A named person sends a criterion back, with a reason"))
