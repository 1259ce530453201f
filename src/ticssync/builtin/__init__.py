"""The notifiers that come with ticssync.  They use only `ticssync.plugin`, like anybody's plugin."""

from collections.abc import Sequence

from ticssync.builtin.settings import FolderSettings, MailSettings
from ticssync.plugin import NotifierKind, hookimpl


@hookimpl
def ticssync_notifiers() -> Sequence[NotifierKind]:
    """Mail over SMTP, and a folder of .eml files as the last resort."""
    return [
        NotifierKind(
            name="mail", settings=MailSettings, open="ticssync.builtin.mail:open_mail", secrets=("password",)
        ),
        NotifierKind(name="folder", settings=FolderSettings, open="ticssync.builtin.eml_folder:open_folder"),
    ]
