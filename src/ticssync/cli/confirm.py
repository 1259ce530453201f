"""`ticssync confirm`."""

from __future__ import annotations

from ticssync.cli.acts import act_command
from ticssync.cli.words import tr

command = act_command("confirm", tr("A named person accepts a criterion"))
