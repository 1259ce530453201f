"""Five answers about a bundle: what is changed is found, what is hostile is harmless."""

import io
import json
import random
import shutil
import stat
import struct
import subprocess
import sys
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.bundle import company

from ticssync.bundle import bag, container
from ticssync.bundle.container import Entry, directory, local_header, place
from ticssync.bundle.keys import make_key
from ticssync.bundle.sign import signatures
from ticssync.bundle.verify import verify
from ticssync.errors import Said, UsageError


def answers(verdict):
    return verdict.readable, verdict.complete, verdict.unaltered, verdict.authentic, verdict.timestamp


def files_of(path):
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def packed(files):
    """A ZIP exactly as an export would have packed these files."""
    entries = place([Entry(name, zlib.crc32(files[name]), len(files[name])) for name in sorted(files)])
    return b"".join(local_header(entry) + files[entry.name] for entry in entries) + directory(entries)


def resealed(files, key=None):
    """Both manifests made again over these files, as a forger would, and signed where a key is given."""
    import hashlib

    def hashes(names):
        return {name: hashlib.sha256(files[name]).hexdigest() for name in names}

    own = {bag.TAGMANIFEST, *(name for name in files if name.startswith("signatures/"))}
    files = {**files, bag.MANIFEST: bag.manifest(hashes(name for name in files if name.startswith("data/")))}
    payload = [len(content) for name, content in files.items() if name.startswith("data/")]
    info = [line for line in files[bag.INFO].decode().split("\n") if not line.startswith("Payload-Oxum")]
    files[bag.INFO] = "\n".join([f"Payload-Oxum: {sum(payload)}.{len(payload)}", *info]).encode()
    files[bag.TAGMANIFEST] = bag.manifest(
        hashes(set(files) - own - {name for name in files if name.startswith("data/")})
    )
    return files if key is None else {**files, **signatures(files[bag.TAGMANIFEST], key, "k7m2q9wx4d")}


def verdict_of(tmp_path, content, expected=None):
    file = tmp_path / "b.zip"
    file.write_bytes(content)
    return verify(file, expected_fingerprint=expected)


def test_an_untouched_bundle_waits_for_a_fingerprint_and_is_authentic_with_the_right_one(exported, key):
    assert answers(verify(exported.path, expected_fingerprint=None)) == (True, True, True, None, None)
    assert answers(verify(exported.path, expected_fingerprint=key.fingerprint)) == (
        True,
        True,
        True,
        True,
        None,
    )
    assert verify(exported.path).key_fingerprint == key.fingerprint
    assert verify(exported.path).problems == ()


def test_another_fingerprint_than_the_one_handed_over_is_a_foreign_key(exported):
    verdict = verify(exported.path, expected_fingerprint="SHA256:someone-else")

    assert answers(verdict) == (True, True, True, False, None)
    assert not verdict.flawless


def test_the_verdict_is_the_json_of_the_contract(exported):
    plain = verify(exported.path).plain()

    assert list(plain) == [
        "readable",
        "complete",
        "unaltered",
        "authentic",
        "timestamp",
        "key_fingerprint",
        "problems",
    ]
    json.dumps(plain)


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError):
        verify(tmp_path / "missing.zip")


def flips(size):
    steer = random.Random(20261124)
    return sorted({*range(64), *range(size - 400, size), *(steer.randrange(size) for _ in range(250))})


def test_a_flip_anywhere_in_the_zip_is_found(exported, tmp_path, key):
    """Heads, tails and 250 places at random: contents, headers, directory, signatures."""
    good = exported.path.read_bytes()
    bits = random.Random(7)

    for place_ in flips(len(good)):
        changed = bytearray(good)
        changed[place_] ^= 1 << bits.randrange(8)
        verdict = verdict_of(tmp_path, bytes(changed), key.fingerprint)
        assert not verdict.flawless, place_
        assert verdict.problems, place_


def test_a_flip_in_each_single_header_byte_is_found(exported, tmp_path):
    good = exported.path.read_bytes()
    with zipfile.ZipFile(exported.path) as package:
        info = package.getinfo("data/evidence/E-00001.pdf")
        start, central = info.header_offset, package.start_dir

    for place_ in [*range(start, start + 30 + len(info.filename)), *range(central, central + 120)]:
        changed = good[:place_] + bytes([good[place_] ^ 0x10]) + good[place_ + 1 :]
        assert not verdict_of(tmp_path, changed).unaltered, place_ - start


@pytest.mark.parametrize("length", [1, 4096])
def test_bytes_after_the_end_or_before_the_beginning_are_found(exported, tmp_path, length):
    good = exported.path.read_bytes()

    assert not verdict_of(tmp_path, good + b"x" * length).unaltered
    assert not verdict_of(tmp_path, b"x" * length + good).unaltered


def test_a_comment_an_extra_field_and_another_order_are_found(exported, tmp_path):
    files = files_of(exported.path)
    for change in ("comment", "extra", "order", "time", "compressed"):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as package:
            for name in sorted(files, reverse=change == "order"):
                info = zipfile.ZipInfo(
                    name, (1980, 1, 1, 0, 0, 2 if change == "time" and name == bag.INFO else 0)
                )
                info.external_attr, info.create_system = 0o100644 << 16, 3
                info.compress_type = zipfile.ZIP_DEFLATED if change == "compressed" else zipfile.ZIP_STORED
                info.extra = b"\xfe\xca\x02\x00hi" if change == "extra" and name == bag.INFO else b""
                package.writestr(info, files[name])
            package.comment = b"hello" if change == "comment" else b""
        verdict = verdict_of(tmp_path, stream.getvalue())
        assert (verdict.readable, verdict.complete, verdict.unaltered) == (True, True, False), change


def test_a_zip_packed_again_in_the_same_way_is_the_same_zip(exported):
    assert packed(files_of(exported.path)) == exported.path.read_bytes()


def test_a_missing_file_is_incomplete_and_what_is_there_stays_unaltered(exported, tmp_path):
    files = files_of(exported.path)
    del files["data/evidence/E-00001.pdf"]

    verdict = verdict_of(tmp_path, packed(files))

    assert answers(verdict) == (True, False, True, None, None)
    assert "data/evidence/E-00001.pdf" in {one.path for one in verdict.problems}


@pytest.mark.parametrize(
    "name", ["data/evidence/E-00099.pdf", "machine/more.json", "README.txt", "signatures/second.pub"]
)
def test_an_added_file_is_found_wherever_it_lies(exported, tmp_path, name):
    verdict = verdict_of(tmp_path, packed({**files_of(exported.path), name: b"added"}))

    assert not verdict.unaltered
    assert name in {one.path for one in verdict.problems}


@pytest.mark.parametrize(
    "name", ["00_START.html", "bag-info.txt", "bagit.txt", "machine/manifest.json", "data/index/index.html"]
)
def test_a_changed_file_is_named(exported, tmp_path, name):
    files = files_of(exported.path)

    verdict = verdict_of(tmp_path, packed({**files, name: files[name] + b" "}))

    assert not verdict.unaltered
    assert name in {one.path for one in verdict.problems}


def test_a_forger_who_makes_the_manifests_again_is_found_by_the_signature(exported, tmp_path, key):
    files = resealed({**files_of(exported.path), "data/evidence/E-00001.pdf": b"forged"})

    assert answers(verdict_of(tmp_path, packed(files))) == (True, True, True, False, None)


def test_a_forger_with_a_key_of_his_own_passes_only_where_nobody_compares_fingerprints(
    exported, tmp_path, key
):
    own = make_key(tmp_path / "forger")
    files = resealed({**files_of(exported.path), "data/evidence/E-00001.pdf": b"forged"}, own)

    assert answers(verdict_of(tmp_path, packed(files))) == (True, True, True, None, None)
    assert verdict_of(tmp_path, packed(files), key.fingerprint).authentic is False


def test_signatures_that_do_not_belong_together_are_not_authentic(exported, tmp_path):
    files = files_of(exported.path)
    own = make_key(tmp_path / "other")
    for path, content in signatures(files[bag.TAGMANIFEST], own, "k7m2q9wx4d").items():
        assert verdict_of(tmp_path, packed({**files, path: content})).authentic is False, path
        del_one = {name: kept for name, kept in files.items() if name != path}
        assert verdict_of(tmp_path, packed(del_one)).authentic is False, path


@pytest.mark.parametrize(
    "damage", ["payload", "hash", "gap", "order", "claimed", "form", "head", "nonsense", "type"]
)
def test_a_broken_event_chain_is_found_even_under_fresh_manifests_and_signature(
    exported, tmp_path, key, damage
):
    files = files_of(exported.path)
    rows = [json.loads(line) for line in files["machine/events.jsonl"].splitlines()]
    if damage == "payload":
        rows[1]["payload"] = rows[1]["payload"].replace("確認", "否認")
    elif damage == "hash":
        rows[2]["hash"] = "0" * 64
    elif damage == "gap":
        del rows[0]
    elif damage == "order":
        rows.reverse()
    elif damage == "claimed":
        rows[0]["claimed_by"] = "tanaka"
    elif damage == "head":
        rows.pop()
    elif damage == "type":
        rows[0]["seq"] = [1]
    space = ", " if damage == "form" else ","
    lines = [json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(space, ":")) for row in rows]
    files["machine/events.jsonl"] = (
        b"[" * 100_000 if damage == "nonsense" else "".join(f"{line}\n" for line in lines).encode()
    )

    verdict = verdict_of(tmp_path, packed(resealed(files, key)), key.fingerprint)

    assert (verdict.complete, verdict.unaltered, verdict.authentic) == (True, False, True)
    assert "machine/events.jsonl" in {one.path for one in verdict.problems}


@pytest.mark.parametrize("raw", [b"", b"PK", b"no zip", b"PK\x05\x06" + bytes(18), bytes(1000)])
def test_what_is_no_zip_is_unreadable_and_nothing_else_is_claimed(tmp_path, raw):
    verdict = verdict_of(tmp_path, raw)

    assert (verdict.readable, verdict.complete, verdict.unaltered) == (False, False, False)
    assert verdict.authentic in {None, False}


def test_a_bundle_cut_off_anywhere_is_unreadable(exported, tmp_path):
    good = exported.path.read_bytes()

    for length in range(0, len(good), 4999):
        assert not verdict_of(tmp_path, good[:length]).readable


def hostile(*, names=("x",), content=b"x", attributes=0, flags=0, **fields):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as package:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = attributes
            info.compress_type = fields.get("compress", zipfile.ZIP_STORED)
            package.writestr(info, content)
    raw = bytearray(stream.getvalue())
    if flags:
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = raw.index(signature)
            struct.pack_into("<H", raw, at + offset, flags)
    if "lie" in fields:
        at = raw.index(b"PK\x01\x02")
        struct.pack_into("<L", raw, at + 24, fields["lie"])
    return bytes(raw)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("case", "wording"),
    [
        ({"names": ("../../etc/passwd",)}, "leave the folder"),
        ({"names": ("/etc/passwd",)}, "leave the folder"),
        ({"names": ("C:\\windows\\x",)}, "leave the folder"),
        ({"names": ("data/NUL.txt",)}, "leave the folder"),
        ({"names": ("データ.txt",)}, "leave the folder"),
        ({"names": ("data/x", "data/x")}, "two files"),
        ({"names": ("data/x", "data/X")}, "two files"),
        ({"attributes": (stat.S_IFLNK | 0o777) << 16}, "link"),
        ({"attributes": (stat.S_IFCHR | 0o666) << 16}, "link"),
        ({"flags": 0x1}, "encrypted"),
        ({"content": bytes(30 << 20), "compress": zipfile.ZIP_DEFLATED}, "bomb"),
        ({"content": b"x" * 100, "lie": 3 << 30}, "bomb"),
        ({"content": b"x" * 100, "lie": 50}, "damaged"),
        ({"content": b"x" * 100, "lie": 200}, "damaged"),
    ],
)
def test_a_hostile_zip_is_harmless_and_it_is_said_what_is_wrong(tmp_path, case, wording):
    verdict = verdict_of(tmp_path, hostile(**case))

    assert not verdict.readable
    assert not verdict.unaltered
    assert any(wording in one.problem for one in verdict.problems)
    assert all(isinstance(one.problem, Said) for one in verdict.problems)
    assert [path.name for path in tmp_path.iterdir()] == ["b.zip"]


def test_a_bomb_of_many_small_entries_is_not_read(tmp_path):
    block = bytes(900_000)
    names = [f"data/{n}.bin" for n in range(120)]

    verdict = verdict_of(tmp_path, hostile(names=names, content=block, compress=zipfile.ZIP_DEFLATED))

    assert any("bomb" in one.problem for one in verdict.problems)


def test_a_bomb_beside_much_honest_content_is_not_read(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as package:
        package.writestr("data/honest.bin", random.Random(1).randbytes(1 << 20))
        package.writestr("data/bomb.bin", bytes(30 << 20), zipfile.ZIP_DEFLATED)

    verdict = verdict_of(tmp_path, stream.getvalue())

    assert {one.path for one in verdict.problems if "bomb" in one.problem} == {"data/bomb.bin"}


def test_a_symlink_hidden_in_an_otherwise_perfect_bundle_is_found(exported, tmp_path):
    good = bytearray(exported.path.read_bytes())
    with zipfile.ZipFile(exported.path) as package:
        central = package.start_dir
    struct.pack_into("<L", good, central + 38, (stat.S_IFLNK | 0o777) << 16)

    assert not verdict_of(tmp_path, bytes(good)).readable


@pytest.mark.skipif(sys.platform != "linux", reason="address space limits are Linux's")
def test_a_deflate_bomb_is_judged_in_little_memory(tmp_path):
    import resource

    file = tmp_path / "b.zip"
    file.write_bytes(hostile(content=bytes(200 << 20), compress=zipfile.ZIP_DEFLATED))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss

    code = "from pathlib import Path; from ticssync.bundle.verify import verify; "
    code += f"assert not verify(Path({str(file)!r})).readable"
    subprocess.run([sys.executable, "-c", code], check=True)

    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss - before < 150_000


@settings(max_examples=150, deadline=None)
@given(
    cuts=st.lists(
        st.tuples(st.floats(0, 1), st.binary(max_size=6), st.integers(0, 40)), min_size=1, max_size=4
    ),
)
def test_whatever_is_spliced_in_or_cut_out_is_an_answer_and_never_an_error(exported, tmp_path_factory, cuts):
    good = exported.path.read_bytes()
    raw = bytearray(good)
    for where, splice, length in cuts:
        place_ = int(where * len(raw))
        raw[place_ : place_ + length] = splice

    verdict = verdict_of(tmp_path_factory.mktemp("splice"), bytes(raw))

    assert verdict.flawless == (bytes(raw) == good)


def test_zip64_records_are_written_where_sizes_and_offsets_need_them_and_any_reader_follows(
    tmp_path, monkeypatch
):
    """The threshold is lowered to 100 bytes, so that no file of 4 GB is needed."""
    monkeypatch.setattr(container, "_WIDE_FROM", 100)
    files = {"a": b"x" * 99, "b": b"y" * 100, "c": b"z" * 5000, "d": b""}

    raw = packed(files)

    assert files_of(io.BytesIO(raw)) == files
    if shutil.which("unzip") is None:
        pytest.skip("unzip is not installed")
    (tmp_path / "z.zip").write_bytes(raw)
    assert (
        subprocess.run(["unzip", "-tq", tmp_path / "z.zip"], capture_output=True, check=False).returncode == 0
    )


def test_more_than_65535_files_are_written_so_that_any_reader_counts_them():
    entries = place([Entry(f"f{n:06}", 0, 0) for n in range(66_000)])
    raw = b"".join(local_header(entry) for entry in entries) + directory(entries)

    assert len(zipfile.ZipFile(io.BytesIO(raw)).namelist()) == 66_000


def test_a_workspace_of_another_name_does_not_fit_the_signers_file(exported, tmp_path, key):
    files = files_of(exported.path)
    manifest = json.loads(files["machine/manifest.json"])
    files["machine/manifest.json"] = json.dumps({**manifest, "workspace": "other"}).encode()

    assert verdict_of(tmp_path, packed(resealed(files, key))).authentic is False


def test_the_company_fixture_exports_the_moment_it_says(exported):
    info = bag.read_info(files_of(exported.path)[bag.INFO])

    assert info["Ticssync-Exported-At"] == "2026-11-24T09:30:00.000000Z"
    assert info["Bagging-Date"] == company.EXPORTED_AT.date().isoformat()
