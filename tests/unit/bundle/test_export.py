"""What an export writes, and what it leaves when something goes wrong."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import unicodedata
import zipfile
from datetime import timedelta

import bagit
import pytest
from tests.unit.bundle import company

from ticssync.bundle.layout import plan_bundle
from ticssync.bundle.naming import BUDGET, is_safe_path
from ticssync.bundle.verify import verify
from ticssync.bundle.write import export
from ticssync.errors import RetryLaterError


def unpacked(exported, folder):
    with zipfile.ZipFile(exported.path) as package:
        package.extractall(folder)
    return folder


def test_the_bundle_has_the_files_of_the_layout_and_no_others(exported):
    names = set(zipfile.ZipFile(exported.path).namelist())

    assert names == {
        "00_START.html",
        "bagit.txt",
        "bag-info.txt",
        "manifest-sha256.txt",
        "tagmanifest-sha256.txt",
        "signatures/tagmanifest.ed25519",
        "signatures/tagmanifest.sshsig",
        "signatures/key.pub",
        "signatures/allowed_signers",
        "data/index/index.html",
        "data/index/index.xlsx",
        "data/index/style.css",
        "data/appendix/status.html",
        "data/evidence/E-00001.pdf",
        "data/evidence/E-00002.xlsx",
        "data/evidence/E-00003.txt",
        "data/tickets/factory-1.html",
        "machine/manifest.json",
        "machine/events.jsonl",
        *(f"data/criteria/{ref}.json" for ref, *_ in company.TITLES),
    }


def test_paths_are_ascii_unique_whatever_the_case_and_within_the_budget(exported):
    names = zipfile.ZipFile(exported.path).namelist()

    assert names == sorted(names)
    assert len({name.lower() for name in names}) == len(names)
    for name in names:
        assert is_safe_path(name)
        assert 2 * (len(exported.path.stem) + 1) + len(name) <= BUDGET


def test_bagit_python_finds_the_unpacked_bundle_valid(exported, tmp_path):
    bag = bagit.Bag(str(unpacked(exported, tmp_path)))

    assert bag.validate() is True
    assert bag.version_info == (1, 0)
    assert bag.info["Source-Organization"] == "株式会社小出精密"


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_sha256sum_accepts_both_manifests_and_finds_a_changed_file(exported, tmp_path):
    unpacked(exported, tmp_path)

    def check(manifest):
        return subprocess.run(
            ["sha256sum", "--quiet", "-c", manifest], cwd=tmp_path, capture_output=True, check=False
        ).returncode

    assert check("manifest-sha256.txt") == check("tagmanifest-sha256.txt") == 0
    (tmp_path / "data/evidence/E-00001.pdf").write_bytes(b"forged")
    assert check("manifest-sha256.txt") != 0


def test_the_commands_on_the_first_page_work_as_they_are_printed(exported, tmp_path):
    """The lines for sha256sum, openssl and ssh-keygen are taken out of 00_START.html and run."""
    import html
    import re

    unpacked(exported, tmp_path)
    page = (tmp_path / "00_START.html").read_text("utf-8")
    lines = {
        html.unescape(line)
        for block in re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)
        for line in block.split("\n")
    }
    wanted = [line for line in sorted(lines) if line.split()[0] in {"sha256sum", "openssl", "ssh-keygen"}]

    assert len(wanted) == 4
    for line in wanted:
        if shutil.which(line.split()[0]) is None:
            pytest.skip(f"{line.split()[0]} is not installed")
        assert (
            subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, check=False).returncode == 0
        ), line


def test_originals_are_inside_byte_for_byte_a_file_of_0_bytes_included(make):
    files = make().files

    assert files["data/evidence/E-00001.pdf"] == company.FILES["E-00001"]
    assert files["data/evidence/E-00003.txt"] == b""


def test_the_same_snapshot_gives_the_same_bytes_but_for_bag_info_tagmanifest_and_signatures(make, tmp_path):
    first = make(folder=tmp_path / "1")
    second = make(folder=tmp_path / "2", exported_at=company.EXPORTED_AT + timedelta(days=3))

    differ = {name for name in first.files if first.files[name] != second.files[name]}

    assert first.exported.snapshot == second.exported.snapshot
    assert differ == {
        "bag-info.txt",
        "tagmanifest-sha256.txt",
        "signatures/tagmanifest.ed25519",
        "signatures/tagmanifest.sshsig",
    }


def test_the_same_moment_too_gives_the_same_zip(make, tmp_path):
    first, second = make(folder=tmp_path / "1"), make(folder=tmp_path / "2")

    assert first.exported.path.read_bytes() == second.exported.path.read_bytes()


def test_the_order_in_which_rows_arrive_does_not_matter(make, tmp_path):
    taken = company.snapshot()
    one = make(folder=tmp_path / "1")
    other = make(
        folder=tmp_path / "2",
        evidence=taken.evidence[::-1],
        status={**taken.status, "criteria": taken.status["criteria"][::-1]},
    )

    assert one.exported.snapshot == other.exported.snapshot


def test_the_name_carries_the_first_8_digits_of_the_digest_of_the_payload_manifest(make):
    made = make()
    digest = hashlib.sha256(made.files["manifest-sha256.txt"]).hexdigest()

    assert made.exported.snapshot == digest
    assert made.exported.path.name == f"TICS-company-renewal-2028-{digest[:8]}.zip"
    assert made.exported.sha256 == hashlib.sha256(made.exported.path.read_bytes()).hexdigest()
    assert made.exported.bytes == made.exported.path.stat().st_size


def test_the_zip_tells_nothing_of_the_machine_or_the_hour(exported):
    infos = zipfile.ZipFile(exported.path).infolist()

    assert {
        (info.create_system, info.date_time, info.external_attr, info.extra, info.compress_type)
        for info in infos
    } == {(3, (1980, 1, 1, 0, 0, 0), 0o100644 << 16, b"", zipfile.ZIP_STORED)}


def test_a_line_end_in_the_name_of_the_company_starts_no_tag_of_its_own(make):
    info = make(company="小出\r\nPayload-Oxum: 0.0\n精密").files["bag-info.txt"].decode()

    assert "Source-Organization: 小出 Payload-Oxum: 0.0 精密\n" in info
    assert info.count("\nPayload-Oxum: ") == 1


def test_one_more_event_is_another_snapshot(make, tmp_path):
    assert (
        make(folder=tmp_path / "1").exported.snapshot
        != make(folder=tmp_path / "2", events=company.events(4)).exported.snapshot
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"keep_mode": "hash_only"}, "hash"),
        ({"keep_mode": "on_site"}, "on site"),
        ({"keep_mode": "paper"}, "paper"),
        ({"withdrawn": True}, "withdrawn"),
        ({"readable": False}, "unreadable"),
        ({"evidence_class": ""}, "class"),
        ({"sha256": ""}, "unreadable"),
        ({"keep_mode": "a mode of a later version"}, "hash"),
    ],
)
def test_what_may_not_leave_is_a_page_with_the_reason_and_its_bytes_are_nowhere(make, changes, reason):
    made = make(evidence=(company.evidence(**changes),), openers={})

    assert company.FILES["E-00001"].strip() not in made.exported.path.read_bytes()
    assert "data/evidence/E-00001.html" in made.files
    (left,) = made.exported.left_out
    assert reason in left.why.en
    assert left.what.startswith("E-00001")


def test_evidence_without_a_class_leaves_not_even_its_name_or_note(make):
    secret = company.evidence(evidence_class="", name="給与一覧.xlsx", note="鈴木の給与")
    made = make(evidence=(secret,), events=company.events(3, "E-00001"))
    raw = made.exported.path.read_bytes()

    with zipfile.ZipFile(io.BytesIO(made.files["data/index/index.xlsx"])) as book:
        raw += b"".join(book.read(name) for name in book.namelist())

    assert "給与".encode() not in raw
    assert b"\\u7d66" not in raw
    assert verify(made.exported.path).unaltered
    assert made.exported.left_out[0].what == "E-00001 給与一覧.xlsx"


def test_the_json_of_a_criterion_holds_item_status_acts_evidence_and_tickets(make):
    row = json.loads(make().files["data/criteria/T-01.json"])

    assert (row["scheme"], row["id"], row["state"], row["as_of"]) == (
        "tics",
        "T-01",
        "confirmed",
        "2026-11-24",
    )
    assert row["criterion"]["title"]["ja"] == "守るべき技術情報を決める"
    assert row["status"][0]["owner"] == "髙﨑 健"
    assert row["acts"][0]["person_name"] == "佐藤 花子"
    assert row["tickets"][0]["path"] == "data/tickets/factory-1.html"
    (held,) = row["evidence"]
    assert (held["name"], held["inside"], held["path"]) == (
        "管理対象情報一覧㊙.pdf",
        True,
        "data/evidence/E-00001.pdf",
    )


def test_evidence_that_cannot_be_read_is_an_entry_with_the_reason_and_the_rest_goes_out(make):
    class Torn(io.BytesIO):
        def read(self, size=-1):
            raise OSError(5, "Input/output error")

    def gone():
        raise FileNotFoundError("/secret/place")

    made = make(openers={"E-00001": gone, "E-00002": Torn, "E-00003": lambda: io.BytesIO(b"other bytes")})

    assert {one.what.split()[0]: one.why.en for one in made.exported.left_out} == {
        "E-00001": "The file is missing",
        "E-00002": "The file cannot be read",
        "E-00003": "Its content does not match the hash on record",
    }
    assert "/secret/place" not in made.exported.path.read_bytes().decode("latin-1")
    assert "The file is missing" in made.files["data/evidence/E-00001.html"].decode()
    assert verify(made.exported.path).flawless


def test_a_file_that_changes_between_check_and_copy_becomes_an_entry_too(make):
    opened = []

    def unsteady():
        opened.append(1)
        return io.BytesIO(company.FILES["E-00001"] if len(opened) == 1 else b"changed meanwhile")

    made = make(openers={**company.openers(), "E-00001": unsteady})

    assert len(opened) == 2
    assert [one.why.en for one in made.exported.left_out] == ["Its content does not match the hash on record"]
    assert verify(made.exported.path).flawless


def test_equal_bytes_are_stored_once_and_referenced_twice(make):
    twin = company.evidence(
        "E-00007", name="写し.pdf", sha256=company.evidence().sha256, criterion="tics/T-12"
    )
    made = make(
        evidence=(company.evidence(), twin),
        openers={**company.openers(), "E-00007": company.openers()["E-00001"]},
    )

    assert [name for name in made.files if name.startswith("data/evidence/")] == ["data/evidence/E-00001.pdf"]
    assert (
        json.loads(made.files["data/criteria/T-12.json"])["evidence"][0]["path"]
        == "data/evidence/E-00001.pdf"
    )


def test_where_the_first_of_two_equal_files_is_unreadable_the_second_one_is_stored(make):
    twin = company.evidence("E-00007", name="写し.pdf", sha256=company.evidence().sha256)
    made = make(evidence=(company.evidence(), twin), openers={"E-00007": company.openers()["E-00001"]})

    names = sorted(name for name in made.files if name.startswith("data/evidence/"))
    assert names == ["data/evidence/E-00001.html", "data/evidence/E-00007.pdf"]


def test_nfc_and_nfd_twins_and_names_that_differ_by_case_only_live_side_by_side(make):
    names = [unicodedata.normalize(form, "がくしゅう.pdf") for form in ("NFC", "NFD")] + ["A.PDF", "a.pdf"]
    contents = {f"E-0000{n}": f"{n}".encode() for n in range(4)}
    items = tuple(
        company.evidence(ref, name=name, sha256=hashlib.sha256(contents[ref]).hexdigest())
        for ref, name in zip(contents, names, strict=True)
    )
    made = make(evidence=items, openers=company.openers(contents))
    manifest = json.loads(made.files["machine/manifest.json"])

    assert [row["original_name"] for row in manifest["files"] if row["what"] == "evidence"] == names
    assert verify(made.exported.path).flawless


def test_ids_that_windows_cannot_keep_or_that_differ_by_case_only_get_names_of_their_own(make):
    ids = ["CON", "con", "t-1", "T-1", "A-very-long-criterion-identifier"]
    rows = [company.item(ref, "people", ref, ref) for ref in ids]
    made = make(
        scopes={"tics": company.scope(rows)},
        status={"criteria": []},
        tickets=(company.ticket(tracker="a" * 31),),
    )

    paths = [name for name in made.files if name.startswith("data/criteria/")]
    assert sorted(json.loads(made.files[path])["id"] for path in paths) == sorted(ids)


def test_a_failed_export_leaves_no_file_at_all_and_the_older_bundle_untouched(
    make, tmp_path, key, monkeypatch
):
    first = make().exported
    before = first.path.read_bytes()

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RetryLaterError, match="No space left"):
        export(
            plan_bundle(company.snapshot()),
            first.path.parent,
            key=key,
            exported_at=company.EXPORTED_AT,
            openers=company.openers(),
        )

    assert [path.name for path in first.path.parent.iterdir()] == [first.path.name]
    assert first.path.read_bytes() == before


def test_an_interruption_in_the_middle_leaves_no_half_file(tmp_path, key):
    reads = []

    def interrupted():
        reads.append(1)
        if len(reads) == 2:
            raise KeyboardInterrupt
        return io.BytesIO(company.FILES["E-00001"])

    with pytest.raises(KeyboardInterrupt):
        export(
            plan_bundle(company.snapshot()),
            tmp_path / "out",
            key=key,
            exported_at=company.EXPORTED_AT,
            openers={**company.openers(), "E-00001": interrupted},
        )

    assert list((tmp_path / "out").iterdir()) == []


def test_memory_does_not_grow_with_the_evidence(tmp_path, key):
    """64 MB of evidence are exported and verified within a few MB above what a small bundle needs."""
    import tracemalloc

    size = 64 << 20

    class Zeros(io.RawIOBase):
        left = size

        def read(self, wanted=-1):
            part = min(wanted, self.left)
            self.left -= part
            return bytes(part)

    digest = hashlib.sha256(bytes(size)).hexdigest()
    plan = plan_bundle(company.snapshot(evidence=(company.evidence(sha256=digest, size=size),)))
    plan_small = plan_bundle(company.snapshot(evidence=()))
    export(plan_small, tmp_path / "small", key=key, exported_at=company.EXPORTED_AT, openers={})

    tracemalloc.start()
    done = export(
        plan, tmp_path / "out", key=key, exported_at=company.EXPORTED_AT, openers={"E-00001": Zeros}
    )
    assert verify(done.path).flawless
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert done.bytes > size
    assert peak < 12 << 20


def test_the_log_inside_is_every_event_one_canonical_line_each_and_an_erased_payload_is_null(make):
    from dataclasses import replace

    first, *rest = company.events(3)
    made = make(events=(replace(first, payload=None, salt=None), *rest))
    rows = [json.loads(line) for line in made.files["machine/events.jsonl"].decode().splitlines()]

    assert [row["seq"] for row in rows] == [1, 2, 3]
    assert rows[0]["payload"] is None
    assert verify(made.exported.path).unaltered


def test_an_empty_company_can_be_exported(make):
    made = make(
        status={},
        scopes={},
        profile_acts=(),
        acts=(),
        evidence=(),
        tickets=(),
        certificates=(),
        duties=(),
        events=(),
    )

    assert verify(made.exported.path).flawless


def test_the_plan_alone_reads_no_evidence_and_says_what_stays_out():
    items = (company.evidence(), company.evidence("E-00002", keep_mode="hash_only"))

    plan = plan_bundle(company.snapshot(evidence=items))

    assert [file.path for file in plan.files if file.what == "evidence"] == ["data/evidence/E-00001.pdf"]
    assert [one.what for one in plan.left_out] == ["E-00002 管理対象情報一覧㊙.pdf"]


def test_the_json_of_the_export_is_that_of_the_contract(make):
    made = make(evidence=(company.evidence(keep_mode="paper"),)).exported

    assert set(made.plain("ja")) == {
        "path",
        "sha256",
        "snapshot",
        "files",
        "bytes",
        "key_fingerprint",
        "left_out",
    }
    assert made.plain("en")["left_out"] == [
        {"what": "E-00001 管理対象情報一覧㊙.pdf", "why": "It is paper and is shown on site"}
    ]
