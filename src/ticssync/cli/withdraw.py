"""`ticssync withdraw`."""

from __future__ import annotations

from ticssync.cli.acts import act_command
from ticssync.cli.words import tr

command = act_command("withdraw", tr("Take the last act on a criterion back"))
