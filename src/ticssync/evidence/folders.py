"""The drop folders that colleagues see: one per item, one for what is not sorted, one for what was taken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ticssync.text import Text

DROP: Final = "証跡受付"
UNSORTED: Final = "00_未分類"
RECEIVED: Final = "受付済"
HOW_TO: Final = "置き方.txt"
NAME_MAX: Final = 40
"""Characters of a folder's name: a path on a Windows share has 260 for everything together."""

_FORBIDDEN: Final = str.maketrans(
    {**dict(zip('\\/:*?"<>|', "＼／：＊？”＜＞｜", strict=True)), "\t": " ", "\n": " "}
)
_ITEM: Final = re.compile(r"[A-Za-z0-9-]+")
_BETWEEN: Final = re.compile(r"[,、_&+・ ]+")
_JOINED: Final = "\u200d"

_WORDS: Final = f"""証跡の置き方

このフォルダーに、技術情報管理認証（TICS）の証跡（決まりごとの文書、記録、写真など）を置いてください。

1. 項目のフォルダー（例：T-14_従業員を教育・訓練する）に、ファイルをそのまま入れます。
   中にフォルダーを作って入れてもかまいません。
2. どの項目か分からないときは「{UNSORTED}」に入れ、ファイル名の先頭に項目の番号を付けます。
     例　T-14_受講者名簿.pdf
   一つのファイルを二つ以上の項目に使うときは、番号を並べます。
     例　T-14,T-15_教育の記録.pdf
3. しばらくすると自動で受け付け、ファイルを「{RECEIVED}」の月ごとのフォルダーに移します。
   移ったら受付は完了です。開いたままのファイルは、閉じるまで受け付けません。
4. 差し替えるときは、新しいファイルをもう一度置いてください。
   「{RECEIVED}」のファイルは書き換えないでください。

お願い
・何のファイルか分かる名前を付けてください（「SCAN0001.pdf」ではなく「避難訓練の記録_2026年11月.pdf」）。
・文書はPDF、写真はJPEGかPNGが確実です。iPhoneのHEIC形式は、審査の人が開けないことがあります。
・パスワードは外してください。
・ショートカット、実行ファイル、中身のないファイルは受け付けません。
・台帳は、その日の写しを置いてください（台帳そのものは動かさないでください）。
・フォルダー名の先頭の番号（T-14など）は変えないでください。後ろの文字は変えてもかまいません。

----------------------------------------------------------------------

How to hand in evidence

Put evidence for the certification (TICS) here: rules, records, photos and the like.

1. Put the file into the folder of its item (such as T-14_...). Folders inside it are fine.
2. If you do not know the folder, put the file into "{UNSORTED}" and begin its name with the item's number:
     T-14_attendance.pdf
   A file that serves several items begins with all of them:
     T-14,T-15_training.pdf
3. After a while it is taken in and moved to "{RECEIVED}", by month: then it has been received.
   A file that is still open is taken once it is closed.
4. To replace a file, hand in the new one. Do not change files in "{RECEIVED}".

Please
- give files a name that says what they are (not SCAN0001.pdf);
- prefer PDF for documents, JPEG or PNG for photos (an auditor may be unable to open HEIC);
- take passwords off;
- no shortcuts, programs or empty files: they are not taken;
- of a living register, hand in a copy as of the day, not the register itself;
- leave the number at the beginning of a folder's name; the rest may be changed.
"""


def make_folders(shared: Path, items: Sequence[Mapping[str, Any]], text: Text) -> Path:
    """Make what is missing of the drop folders in `shared`, and return the drop folder.

    `items` are those of a scope payload.  Whatever stands already is kept, also a folder that was renamed
    behind its number.  Raises OSError where the shared folder cannot be written.
    """
    drop = shared / DROP
    for name in (UNSORTED, RECEIVED):
        (drop / name).mkdir(parents=True, exist_ok=True)
    standing = _item_folders(drop, [item["id"] for item in items])
    for item in items:
        if item["id"] not in standing:
            folder = drop / folder_name(item["id"], item["title"][text.lang])
            folder.mkdir(exist_ok=True)
            standing[item["id"]] = folder
    how_to = drop / HOW_TO
    if not how_to.exists():
        # With the mark and CRLF: the Notepad of an old Windows reads anything else as one long wrong line.
        how_to.write_bytes(_WORDS.replace("\n", "\r\n").encode("utf-8-sig"))
    return drop


def folder_name(item_id: str, title: str) -> str:
    """`T-14_従業員を教育・訓練する`: safe on Windows, at most `NAME_MAX` characters, none cut in two."""
    clean = unicodedata.normalize("NFC", title).translate(_FORBIDDEN)
    clean = "".join(char for char in clean if unicodedata.category(char) not in {"Cc", "Cs"})
    whole = f"{item_id}_{clean}"
    return _cut(whole, NAME_MAX).rstrip(" ._　")


def _cut(name: str, limit: int) -> str:
    # Windows counts UTF-16 units, and a character may be several code points (か゛, 葛󠄀, 👨‍👩‍👧).
    kept, used = "", 0
    for cluster in _clusters(name):
        used += len(cluster.encode("utf-16-le")) // 2
        if used > limit:
            break
        kept += cluster
    return kept


def _clusters(name: str) -> list[str]:
    found: list[str] = []
    for char in name:
        extends = unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Mc", "Cf", "Sk"}
        if found and (extends or found[-1].endswith(_JOINED)):
            found[-1] += char
        else:
            found.append(char)
    return found


def criterion_folder(drop: Path, item_id: str) -> Path | None:
    """The folder of an item, called `T-14` or beginning with `T-14_`; None where there is none."""
    return _item_folders(drop, [item_id]).get(item_id)


def _item_folders(drop: Path, item_ids: Collection[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in sorted(drop.iterdir() if drop.is_dir() else (), key=lambda path: path.name):
        item = item_of_folder(folder.name, item_ids)
        if item is not None and folder.is_dir():
            found.setdefault(item, folder)
    return found


def item_of_folder(name: str, item_ids: Collection[str]) -> str | None:
    """The item that a folder's name begins with (`T-14`, `T-14_教育`, also in full-width letters)."""
    return _known(plain_name(name).partition("_")[0].strip(), item_ids)


def items_in_name(name: str, item_ids: Collection[str]) -> tuple[str, ...]:
    """The items that a file's name begins with: `T-14,T-15_名簿.pdf` names two.  May be empty.

    Empty also where an item of a list is not known: `T-14,T-99_…` is a slip that a person must mend, not a
    file for T-14 alone.
    """
    found, slip = _named(name, item_ids)
    return () if slip else tuple(dict.fromkeys(found))


def unknown_in_name(name: str, item_ids: Collection[str]) -> str | None:
    """What a file's name lists among its items and no scheme has: `T-99` of `T-14,T-99_…`; else None."""
    return _named(name, item_ids)[1]


def _named(name: str, item_ids: Collection[str]) -> tuple[list[str], str | None]:
    rest, found, listed = plain_name(name).lstrip(), list[str](), ""
    while token := _ITEM.match(rest):
        word = token[0].rstrip("-")
        item = _known(word, item_ids)
        if item is None:
            return found, word if "," in listed and _meant_as_item(word, item_ids) else None
        found.append(item)
        rest = rest[token.end() :]
        between = _BETWEEN.match(rest)
        if between is None:
            break
        listed = between[0].replace("、", ",")
        rest = rest[between.end() :]
    return found, None


def _meant_as_item(word: str, item_ids: Collection[str]) -> bool:
    # A day behind the comma (T-14,2026-11-05_…) is no item, unless items are numbered without letters.
    return any(map(str.isalpha, word)) or any(not any(map(str.isalpha, item)) for item in item_ids)


def plain_name(name: str) -> str:
    """A name as an eye reads it, for comparing only: full-width letters and digits as plain ones."""
    return unicodedata.normalize("NFKC", name)


def _known(token: str, item_ids: Collection[str]) -> str | None:
    return next((item for item in item_ids if item.casefold() == token.casefold()), None)
