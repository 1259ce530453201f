"""The pages and the workbook: what is open stands first, nothing is claimed, nothing runs."""

import html
import io
import re
import shutil
import zipfile
from datetime import date
from html.parser import HTMLParser
from pathlib import PurePosixPath

import pytest
from tests.unit.bundle import company

from ticssync.bundle.report.book import CELL_MAX, row_height
from ticssync.bundle.report.shown import day_text, moment_text, size_text
from ticssync.bundle.snapshot import OPEN_FIRST
from ticssync.tables import read_grids

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}{% raw %}",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "../../x",
    "請求書\u202efdp.exe",
    "長" * 300,
    "nul\x00 esc\x1b bell\x07",
    "half \ud800 surrogate",
    "javascript:alert(1)",
    "𠮷野家 髙﨑㈱ ㊙ 〜 👩‍🔧 か\u3099",
    "line\r\nbreak\u2028here",
]


class Page(HTMLParser):
    """Tags and attributes of a page, and whether every tag is closed where it should be."""

    VOID = frozenset({"meta", "link", "br", "input", "img", "hr"})

    def __init__(self, raw):
        super().__init__()
        self.tags, self.open, self.links, self.ids, self.text = [], [], [], [], []
        self.feed(raw.decode("utf-8"))
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        self.links += [value for name, value in attrs if name in {"href", "src"}]
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        self.text.append(data)


def pages(files):
    return {name: Page(content) for name, content in files.items() if name.endswith(".html")}


@pytest.fixture
def nasty(make):
    """Every text that a person or a tracker can write is hostile."""
    evil = iter(HOSTILE * 20)
    rows = [company.entry(ref, next(evil), owner=next(evil)) for ref, *_ in company.TITLES]
    items = [
        company.item(ref, "people", next(evil), next(evil), official_ref=[next(evil)])
        for ref, *_ in company.TITLES
    ]
    fields = {name: next(evil) for name in ("title", "body", "assignee", "own field")} | {
        "labels": HOSTILE,
        "n": 3,
        "none": None,
        "map": {"a": 1},
    }
    history = [{"at": "2026-09-30T02:00:00.000000Z", "actor": next(evil), "what": text} for text in HOSTILE]
    return make(
        company=HOSTILE[0],
        handling_class=HOSTILE[1],
        purpose="<b>../..",
        workspace="w",
        status={"criteria": rows},
        scopes={"tics": company.scope(items)},
        acts=[
            company.act(n, person_name=text, reason=text, actor=text, role=text, channel=text)
            for n, text in enumerate(HOSTILE)
        ],
        evidence=tuple(
            company.evidence(
                f"E-{n:05}",
                name=text,
                note=text,
                handed_in_by=text,
                evidence_class=text,
                keep_mode="paper",
                sha256="",
            )
            for n, text in enumerate(HOSTILE)
        ),
        tickets=[
            company.ticket(text, tracker=text, url=text, raw_status=text, fields=fields, history=history)
            for text in HOSTILE
        ],
        refusals=[
            {"task": text, "key": text, "field": text, "wanted": text, "why": text} for text in HOSTILE
        ],
        conflicts=[
            {"task": text, "field": text, "owner": text, "values": {text: text}, "taken": text, "at": text}
            for text in HOSTILE
        ],
        lost=[{"task": text, "tracker": text, "key": text, "binding": text} for text in HOSTILE],
        certificates=[
            {"body": text, "number": text, "scope": text, "issued_on": text, "expires_on": text}
            for text in HOSTILE
        ],
        duties=[
            {"kind": text, "title": text, "state": text, "due_on": text, "basis": text} for text in HOSTILE
        ],
    )


def test_hostile_text_stays_text(nasty):
    """No tag, attribute or link comes out of what people wrote."""
    for name, page in pages(nasty.files).items():
        assert page.open == [], name
        used = {tag for tag, _ in page.tags}
        assert not used & {
            "script",
            "img",
            "iframe",
            "object",
            "embed",
            "form",
            "svg",
            "base",
            "video",
            "audio",
        }, name
        assert not [key for _, attrs in page.tags for key in attrs if key.startswith("on")], name
        assert all(
            re.fullmatch(r"(\.\./|data/)?[a-z/]*[A-Za-z0-9.-]*(#[\w.-]+)?", link) for link in page.links
        ), name
        assert "alert(1)</script>" in "".join(page.text) or name.startswith(
            ("data/evidence/", "data/tickets/")
        ), name
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", nasty.files[name].decode("utf-8")), name


def test_text_that_turns_the_reading_direction_is_isolated_and_marked(nasty):
    text = nasty.files["data/index/index.html"].decode()

    assert '<bdi>請求書\u202efdp.exe <span class="turn">⚠ U+202E</span></bdi>' in text
    for name, content in nasty.files.items():
        if name.endswith(".html"):
            found = re.findall(
                r"(?:<bdi>|<span lang=\"..\">)[^<]*\u202e[^<]* "
                r"<span class=\"turn\">⚠ U\+202E</span></(?:bdi|span)>",
                content.decode(),
            )
            assert len(found) == content.decode().count("\u202e"), name


def test_hostile_text_in_the_workbook_is_text_and_never_a_formula_or_a_link(nasty):
    book = nasty.files["data/index/index.xlsx"]
    with zipfile.ZipFile(io.BytesIO(book)) as package:
        names = package.namelist()
        sheets = [package.read(name).decode() for name in names if name.startswith("xl/worksheets/sheet")]
        relations = [name for name in names if "worksheets/_rels" in name]

    assert relations == []
    assert not any("<f>" in sheet or "hyperlink" in sheet for sheet in sheets)
    cells = {cell for grid in read_grids(book).values() for row in grid.rows for cell in row}
    assert {
        "=cmd|' /C calc'!A0",
        "@SUM(1+1)",
        "<script>alert(1)</script>",
        "𠮷野家 髙﨑㈱ ㊙ 〜 👩‍🔧 か\u3099",
    } <= cells


def test_every_page_forbids_scripts_and_the_network_and_closes_every_tag(make):
    made = make()

    for name, page in pages(made.files).items():
        policy = [
            attrs["content"]
            for tag, attrs in page.tags
            if attrs.get("http-equiv") == "Content-Security-Policy"
        ]
        assert policy == [
            "default-src 'none'; style-src 'self' file: 'unsafe-inline'; base-uri 'none'; form-action 'none'"
        ], name
        assert "http:" not in made.files[name].decode().replace("https://redmine.example.co.jp", ""), name
        assert not [link for link in page.links if "://" in link], name
        assert made.files[name].startswith(b"<!DOCTYPE html>\n"), name
        assert len(page.ids) == len(set(page.ids)), name


def test_every_link_leads_to_a_file_or_a_place_that_is_there(make):
    made = make(evidence=(company.evidence(), company.evidence("E-00002", keep_mode="on_site", sha256="")))
    found = pages(made.files)

    for name, page in found.items():
        for link in page.links:
            path, _, anchor = link.partition("#")
            target = name
            if path:
                parts = []
                for part in [*PurePosixPath(name).parent.parts, *PurePosixPath(path).parts]:
                    parts = parts[:-1] if part == ".." else [*parts, part]
                target = "/".join(parts)
            assert target in made.files, (name, link)
            assert not anchor or anchor in found[target].ids, (name, link)


def states_in_order(text):
    return re.findall(r'id="state-([a-z_]+)"', text)


def test_open_items_stand_first_and_confirmed_ones_behind(make):
    text = make().files["data/index/index.html"].decode()

    assert states_in_order(text) == [
        "unknown",
        "expired",
        "reported_without_evidence",
        "returned",
        "in_progress",
        "reported",
        "confirmed",
        "not_applicable",
    ]


def test_a_state_of_a_later_version_stands_first_and_is_shown_as_it_is(make):
    text = (
        make(status={"criteria": [company.entry("T-01", "x", state="new_word")]})
        .files["data/index/index.html"]
        .decode()
    )

    assert states_in_order(text)[0] == "new_word"


def test_an_item_that_nobody_derived_a_state_for_is_unknown_and_never_green(make):
    made = make(status={"criteria": []})
    text = made.files["data/index/index.html"].decode()

    assert states_in_order(text) == ["unknown", "not_applicable"]
    assert "chip ok" not in text


def test_within_a_state_items_without_official_number_come_first_then_by_number(make):
    items = [
        company.item(ref, "people", ref, ref, official_ref=numbers)
        for ref, numbers in [("T-1", ["10"]), ("T-2", ["9"]), ("T-3", [])]
    ]
    rows = [company.entry(ref, ref, state="confirmed", late=False) for ref in ("T-1", "T-2", "T-3")]
    made = make(
        scopes={"tics": company.scope(items)}, status={"criteria": rows}, acts=(), evidence=(), tickets=()
    )
    grid = next(iter(read_grids(made.files["data/index/index.xlsx"]).values()))

    assert [row[1] for row in grid.rows[4:7]] == ["T-3", "T-2", "T-1"]


def test_the_chapters_hold_the_items_in_the_order_of_official_numbers_where_known(make):
    items = [
        company.item(ref, "people", ref, ref, official_ref=numbers)
        for ref, numbers in [("T-1", ["10"]), ("T-2", ["9"]), ("T-3", [])]
    ]
    text = make(
        scopes={"tics": company.scope(items)}, status={"criteria": []}, acts=(), evidence=(), tickets=()
    ).files["data/index/index.html"]

    assert re.findall(r'<section class="card[^"]*" id="item-tics-(T-\d)"', text.decode()) == [
        "T-2",
        "T-1",
        "T-3",
    ]


def test_chapters_stand_in_the_order_of_the_catalogue(make):
    shuffled = {**company.scope(), "chapters": dict(sorted(company.CHAPTERS.items()))}
    text = make(scopes={"tics": shuffled}).files["data/index/index.html"].decode()

    shown = re.findall(r'<h3 class="chapter"[^>]*><span lang="ja">([^<]+)', text)
    assert shown == [words["ja"] for words in company.CHAPTERS.values()]


def test_a_path_on_the_machines_of_the_company_is_not_given_as_an_address(make):
    url = "file:///C:/Users/sato/台帳.xlsx"
    rows = [company.entry("T-01", "x", tasks=[{"task": "tics/T-01", "url": url}])]
    made = make(tickets=(company.ticket(url=url),), status={"criteria": rows})

    for name, content in made.files.items():
        assert b"Users/sato" not in content, name


def test_the_numbers_at_the_top_are_those_of_the_list(make):
    text = make().files["data/index/index.html"].decode()

    assert re.findall(r'<div class="pile[^"]*"><b>(\d+)</b>', text) == ["2", "1", "4", "1", "1"]
    assert len(re.findall(r'<a href="#item-', text)) == len(company.TITLES)


def test_what_status_says_about_a_pile_counts(make):
    rows = [company.entry("T-01", "x", state="expired", pile="waiting")]
    text = make(status={"criteria": rows}).files["data/index/index.html"].decode()

    assert re.findall(r'<div class="pile[^"]*"><b>(\d+)</b>', text) == ["0", "1", "0", "7", "1"]


def test_who_confirmed_when_which_way_and_who_entered_it_is_shown_with_its_flags(make):
    acts = (
        company.act(),
        company.act(
            2, criterion="tics/T-05", self_confirmed=True, on_behalf=True, channel="cli", reason="代表の指示"
        ),
    )
    made = make(acts=acts)
    text = made.files["data/index/index.html"].decode()
    card = text[text.index('id="item-tics-T-05"') :].split("</section>")[0]

    for shown in (
        "佐藤 花子",
        "2026-10-01",
        "sato@pc-07",
        "2026-10-01 10:30 JST",
        "コマンド",
        "代表の指示",
        "c" * 16,
        "管理責任者",
    ):
        assert shown in card
    assert card.count('class="chip wait"') == 2
    rows = next(iter(read_grids(made.files["data/index/index.xlsx"]).values())).rows
    row = next(row for row in rows if row[1] == "T-05")
    assert row[9] == "佐藤 花子"
    assert row[12] not in (None, "")


def test_a_withdrawn_confirmation_is_history_and_no_longer_the_one_that_counts(make):
    text = make(acts=(company.act(), company.act(2, kind="withdraw"))).files["data/index/index.html"].decode()
    row = text[text.index('href="#item-tics-T-01"') :].split("</tr>")[0]

    assert "佐藤" not in row
    assert text[text.index('id="item-tics-T-01"') :].split("</section>")[0].count("佐藤 花子") == 2


def test_missing_official_numbers_and_the_working_catalogue_are_said_in_page_and_workbook(make):
    made = make(lang="en")
    text = made.files["data/index/index.html"].decode()
    sheets = read_grids(made.files["data/index/index.xlsx"])

    assert "経済産業省の公開資料をもとに本製品が作成した作業用カタログです。" in text
    assert text.count("official number not filled in") >= 2 * len(company.TITLES)
    assert next(iter(sheets.values())).rows[4][0] == "official number not filled in"
    assert any("METI" in str(cell) for row in list(sheets.values())[-1].rows for cell in row)


def test_a_profile_that_nobody_confirmed_or_that_changed_since_is_said_to_be_so(make):
    told = "This profile was not confirmed by a named person"

    assert html.escape(told) not in make(lang="en").files["data/index/index.html"].decode()
    assert told in make(lang="en", profile_acts=()).files["data/index/index.html"].decode()
    old = {"scheme": "tics", "profile_digest": "f" * 64, "person_name": "佐藤 花子", "on": "2025-04-01"}
    assert told in make(lang="en", profile_acts=(old,)).files["data/index/index.html"].decode()


def test_nothing_claims_that_the_company_conforms_or_passed(make):
    for name, content in make().files.items():
        if name.endswith((".html", ".json")):
            text = content.decode().lower()
            for claim in ("適合", "合格", "compliant", "conform", "passed the audit"):
                assert claim not in text, (name, claim)


def test_evidence_past_its_date_is_marked(make):
    made = make(evidence=(company.evidence(valid_until=date(2026, 11, 23)),), lang="en")
    fresh = make(evidence=(company.evidence(valid_until=company.AS_OF),), lang="en")

    assert "past its date" in made.files["data/index/index.html"].decode()
    assert "past its date" not in fresh.files["data/index/index.html"].decode()


def test_a_file_that_could_run_is_stored_inert_and_the_index_says_so(make):
    made = make(evidence=(company.evidence(name="見積.html"),), lang="en")

    assert made.files["data/evidence/E-00001.txt"] == company.FILES["E-00001"]
    assert "stored as .txt" in made.files["data/index/index.html"].decode()


def test_the_page_of_an_on_site_item_says_what_where_and_who_saw_it(make):
    seen = company.evidence(
        keep_mode="on_site", sha256="", name="サーバー室の施錠", note="本社2階。佐藤 花子が9月14日に確認"
    )
    text = make(evidence=(seen,)).files["data/evidence/E-00001.html"].decode()

    for shown in (
        "サーバー室の施錠",
        "本社2階。佐藤 花子が9月14日に確認",
        "現地でお見せします",
        "It is shown on site",
        "髙﨑 健",
    ):
        assert shown in text


def test_the_page_of_a_hash_only_item_names_the_hash(make):
    item = company.evidence(keep_mode="hash_only")

    assert item.sha256 in make(evidence=(item,)).files["data/evidence/E-00001.html"].decode()


def test_the_ticket_is_a_snapshot_whose_address_is_text(make):
    made = make()
    page = pages(made.files)["data/tickets/factory-1.html"]

    assert "https://redmine.example.co.jp/issues/12" in "".join(page.text)
    assert page.links == ["../index/index.html"]


def test_refusals_conflicts_and_lost_links_stand_in_the_appendix_and_not_in_the_index(make):
    made = make(
        refusals=(
            {
                "task": "tics/T-14",
                "key": "112",
                "field": "due",
                "wanted": "2026-12-25",
                "why": "変更できません",
            },
        ),
        conflicts=(
            {
                "task": "tics/T-20",
                "field": "assignee",
                "owner": "tracker",
                "values": {"local": "甲", "remote": "乙"},
                "taken": "乙",
                "at": "2026-11-20T03:00:00.000000Z",
            },
        ),
        lost=({"task": "tics/T-22", "tracker": "it", "key": "TICS-22", "binding": "tomb"},),
    )
    appendix = made.files["data/appendix/status.html"].decode()

    for shown in ("変更できません", "local", "乙", "TICS-22", "削除された", "2026-11-20 12:00 JST"):
        assert shown in appendix
        assert shown not in made.files["data/index/index.html"].decode() or shown == "local"


def test_the_first_page_names_fingerprint_snapshot_and_the_ways_to_check_in_both_languages(make, key):
    made = make()
    text = made.files["00_START.html"].decode()

    for shown in (
        key.fingerprint,
        made.exported.snapshot,
        "certutil",
        "Get-FileHash",
        "shasum",
        "sha256sum",
        "openssl",
        "ssh-keygen",
    ):
        assert text.count(shown) >= 2, shown
    assert text.index('id="ja"') < text.index('id="en"')
    english = make(lang="en").files["00_START.html"].decode()
    assert english.index('id="en"') < english.index('id="ja"')


def test_both_languages_of_a_title_are_on_the_page_and_the_language_of_the_bundle_is_shown_first(make):
    for lang in ("ja", "en"):
        page = pages(make(lang=lang).files)["data/index/index.html"]
        checked = [attrs["id"] for tag, attrs in page.tags if tag == "input" and "checked" in attrs]
        assert checked == [f"show-{lang}"]
        assert {"守るべき技術情報を決める", "Decide which technical information is to be protected"} <= set(
            page.text
        )


def test_the_workbook_has_a_row_per_criterion_and_evidence_and_empty_columns_for_the_auditor(make):
    grids = list(read_grids(make(lang="en").files["data/index/index.xlsx"]).values())
    criteria, evidence = grids[0], grids[1]

    assert criteria.rows[2][17] == "For the auditor"
    assert criteria.rows[3][17:20] == ("Judgement", "Remarks", "Name, date")
    assert len(criteria.rows) == 4 + len(company.TITLES)
    assert all(cell is None for row in criteria.rows[4:] for cell in row[17:20])
    assert [row[0] for row in evidence.rows[4:]] == ["E-00001", "E-00002", "E-00003"]
    assert evidence.rows[4][2] == "管理対象情報一覧㊙.pdf"
    assert evidence.rows[4][12] == company.evidence().sha256


def test_a_cell_longer_than_excel_allows_is_cut_visibly(make):
    made = make(evidence=(company.evidence(note="長" * 40_000),))
    cells = [
        cell
        for grid in read_grids(made.files["data/index/index.xlsx"]).values()
        for row in grid.rows
        for cell in row
    ]

    assert "長" * CELL_MAX + "…" in cells
    assert "長" * 40_000 in made.files["data/index/index.html"].decode()


def test_two_schemes_with_the_same_item_id_stay_apart(make):
    other = {
        **company.scope([company.item("T-01", "people", "別の基準", "Another")]),
        "scheme": "scs",
        "catalog": "scs-3",
    }
    made = make(scopes={"tics": company.scope(), "scs": other})

    assert len([name for name in made.files if name.startswith("data/criteria/T-01")]) == 2
    text = made.files["data/index/index.html"].decode()
    assert 'id="item-tics-T-01"' in text
    assert 'id="item-scs-T-01"' in text


def test_the_most_open_cycle_of_an_item_decides_where_it_stands(make):
    rows = [
        company.entry("T-01", "x", cycle="2025", state="confirmed"),
        company.entry("T-01", "x", cycle="2026", state="expired"),
    ]
    text = make(status={"criteria": rows}).files["data/index/index.html"].decode()

    assert 'href="#item-tics-T-01"' in text[text.index('id="state-expired"') :].split("</tbody>")[0]


def test_every_state_of_the_product_has_its_place_and_both_words(make):
    from ticssync.bundle.labels import STATES

    assert set(STATES) == set(OPEN_FIRST)
    assert all(words.ja and words.en for words in STATES.values())


def test_days_instants_and_sizes_are_shown_as_people_read_them():
    assert day_text(date(2026, 1, 2)) == "2026-01-02"
    assert day_text(None) == ""
    assert moment_text("2026-10-01T15:30:00.000000Z") == "2026-10-02 00:30 JST"
    assert moment_text(company.EXPORTED_AT) == "2026-11-24 18:30 JST"
    assert moment_text("そのうち") == "そのうち"
    assert [size_text(size) for size in (0, 999, 1500, 2_500_000, 3_000_000_000)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "2.5 MB",
        "3.0 GB",
    ]


def test_a_row_is_high_enough_for_its_longest_cell():
    columns = (("", 10), ("", 20))

    assert row_height(["あ" * 30, "x"], columns) > row_height(["あ" * 5, "x"], columns)
    assert row_height(["x\ny\nz", None], columns) > row_height(["x", None], columns)
    assert row_height(["あ" * 90_000], columns) == 409


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_in_a_browser_the_banner_hides_after_extraction_and_languages_switch_without_a_script(make, tmp_path):
    from playwright.sync_api import sync_playwright

    made = make()
    with zipfile.ZipFile(made.exported.path) as package:
        package.extractall(tmp_path / "x")
    (tmp_path / "inside.html").write_bytes(made.files["00_START.html"])

    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(java_script_enabled=True)
        said = []
        page.on("console", lambda message: said.append(message.text))
        for path, hidden in (
            ("x/00_START.html", True),
            ("x/data/index/index.html", True),
            ("inside.html", False),
        ):
            page.goto((tmp_path / path).as_uri())
            assert page.locator(".extract-first").is_hidden() is hidden, path
        page.goto((tmp_path / "x/data/index/index.html").as_uri())
        title = page.locator("#item-tics-T-01 h3")
        assert title.locator("[lang=ja]").is_visible()
        assert title.locator("[lang=en]").is_hidden()
        page.locator("label[for=show-en]").click()
        assert title.locator("[lang=ja]").is_hidden()
        assert title.locator("[lang=en]").is_visible()
        page.locator("label[for=show-both]").click()
        assert title.locator("[lang=ja]").is_visible()
        assert title.locator("[lang=en]").is_visible()
        browser.close()

    assert [text for text in said if "style.css" not in text or "inside" not in text] in ([], said[:1])
