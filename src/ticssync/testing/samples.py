"""Values that are nasty in just the ways in which trackers, spreadsheets and mail servers fail."""

from __future__ import annotations

from typing import Final

from ticssync.plugin import FieldValue

TITLES: Final[dict[str, str]] = {
    "company": "髙﨑㈱ 🔒 <b>&amp;</b>",
    "circled": "㊙①②③ Ⅳ ㍿ ㎏",
    "full width": "ＴＩＣＳ　第１４条　（確認）",
    "half-width kana": "ｷｼﾞｭﾝ ｶｸﾆﾝ",
    "combining": "か\u3099き\u3099く\u3099と がぎぐ",
    "formula": "=1+1",
    "plus": "+81-3-0000-0000",
    "at": "@SUM(A1)",
    "quote": "'0012 は文字",
    "leading zeros": "0012",
    "exponent": "1e5",
    "date-like": "3-4",
    "wave dashes": "10〜12月 と 10～12月",
    "yen and backslash": "¥1,000 \\1,000",
    "markup": "*太字* _斜体_ {code} #12 [x](y)",
    "quotes": "“引用” \"二重\" '一重' `逆`",
    "separators": "a,b;c|d\tタブ",
    "ideographs": "𠮷野家 𩸽 葛\U000e0100飾",
    "family": "👨‍👩‍👧‍👦 と 🏳️‍🌈",
    "right to left": "مراجعة 確認",
    "two hundred": "基準" * 100,
}
"""Titles of one line, by what is nasty about them."""

BODIES: Final[dict[str, str]] = {
    **TITLES,
    "crlf": "一行目\r\n二行目\r\n",
    "trailing blanks": "行末に空白   \n全角空白　\n終わり  ",
    "blank lines": "\n\n先頭が空行\n\n\n途中も空行\n\n",
    "indent": "  字下げ\n\t- 項目\n　全角字下げ",
    "html": "<script>alert('髙')</script>\n<p>段落 &lt;&gt; &nbsp;</p>",
    "long": "技術情報を取り扱う区域への立入りを記録する。\n" * 80,
    "csv": '"a","b"\n=cmd|\' /C calc\'!A0',
}
"""Texts of several lines."""

DATES: Final = ("2026-04-01", "2027-12-31", "2028-02-29", "2027-01-01", "2099-03-31")
"""Days, ISO: a leap day and both sides of New Year, where a wrong zone shows."""

STATUSES: Final = ("todo", "doing", "review", "done", "wont_do")

VALUES: Final[dict[str, FieldValue]] = {
    "title": "施錠できる保管庫を用意する",
    "body": "鍵の管理者を決め、\n貸出しを記録する。",
    "status": "doing",
    "start": "2026-04-01",
    "due": "2028-02-29",
    "priority": "high",
    "labels": ("tics", "物理"),
    "number": "T-14",
    "chapter": "第３章　物理的管理",
    "confirmation": "未確認",
    "from_office": "差戻し：台帳の写真を付けてください",
    "evidence": "共有フォルダー\\鍵管理台帳.xlsx",
}
"""One good value for each field that a mapping may name."""

OTHER_VALUES: Final[dict[str, FieldValue]] = {
    "title": "保管庫の鍵を交換する",
    "body": "交換した日を書く。",
    "status": "done",
    "start": "2026-05-07",
    "due": "2027-12-31",
    "priority": "low",
    "labels": ("人的",),
    "number": "T-15",
    "chapter": "第４章　人的管理",
    "confirmation": "確認済み",
    "from_office": "ありがとうございました",
    "evidence": "写真 3 枚",
}
"""Another good value for each."""
