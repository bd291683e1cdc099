"""Zips of bundles, whole, hostile and damaged."""

from __future__ import annotations

import os
import stat
import struct
import zipfile

import pytest

from app.bundles import unzip
from app.bundles.bundle import FILES, BundleError
from app.bundles.bundle_lock import BundleLock, is_being_written
from app.bundles.unzip import unpack_bundle


@pytest.fixture
def path(tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return tmp_path / "recording.zip"


def pack(path, members, **settings):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **settings) as archive:
        for name, content in members:
            archive.writestr(name, content)


SESSION = ("session.json", b"{}")


def assert_refused(path, why):
    with pytest.raises(BundleError, match=why) as caught, unpack_bundle(path):
        pass
    assert path.name in str(caught.value)
    assert str(caught.value).endswith(".")
    assert_nothing_left(path)


def assert_nothing_left(path):
    assert list((path.parent / "tmp").iterdir()) == []
    assert {item.name for item in path.parent.iterdir()} <= {"tmp", path.name}


@pytest.mark.parametrize("top", ["", "2026-11-22_10-15-03_demo/"])
def test_a_bundle_is_unpacked_privately_and_goes_in_the_end(path, top):
    files = {name: name.encode() * 100 for name in FILES}
    others = [(f"{top}{name}", b"x") for name in ("peaks/user.peaks", "readme.txt", "a/user.wav")]
    pack(path, [*((top + name, content) for name, content in files.items()), *others])
    with unpack_bundle(path) as folder:
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == files
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert_nothing_left(path)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../user.wav", r"outside its folder"),
        ("a/../../user.wav", r"outside its folder"),
        ("..\\user.wav", r"outside its folder"),
        ("/etc/user.wav", "absolute"),
        ("C:\\user.wav", "absolute"),
        ("C:/user.wav", "absolute"),
        ("\\\\server\\user.wav", "absolute"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(path, name, why):
    pack(path, [SESSION, (name, b"x")])
    assert_refused(path, why)


def test_links_are_refused(path):
    link = zipfile.ZipInfo("user.wav")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    pack(path, [SESSION, (link, b"/etc/passwd")])
    assert_refused(path, "link")


@pytest.mark.parametrize("names", ["a/session.json b/events.jsonl", "session.json b/session.json"])
def test_more_than_one_recording_is_refused(path, names):
    pack(path, [(name, b"{}") for name in names.split()])
    assert_refused(path, "more than one recording")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_in_it_twice_is_refused(path):
    pack(path, [SESSION, SESSION])
    assert_refused(path, "more than one recording")


@pytest.mark.parametrize("members", [[], [("user.wav", b"x")], [("readme.txt", b"x")]])
def test_a_zip_of_something_else_is_refused(path, members):
    pack(path, members)
    assert_refused(path, "holds no recording")


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 9, b"PK\x05\x06" + bytes(18)])
def test_what_is_no_zip_is_refused(path, content):
    path.write_bytes(content)
    assert_refused(path, "zip that can be read|no recording")


def test_what_is_missing_and_what_is_a_folder_is_said(path):
    assert_refused(path, "no file")
    path.mkdir()
    assert_refused(path, "folder")


def test_a_damaged_zip_is_refused(path):
    pack(path, [SESSION, ("user.wav", bytes(range(256)) * 500)])
    content = bytearray(path.read_bytes())
    content[200:220] = b"\xff" * 20
    path.write_bytes(content)
    assert_refused(path, "damaged")


def test_half_a_zip_is_refused(path):
    pack(path, [SESSION, ("user.wav", bytes(1000))])
    path.write_bytes(path.read_bytes()[:-40])
    assert_refused(path, "damaged")


def lie_about_size(path, name, size):
    """Have both headers of a file in a zip tell of another size."""
    content = bytearray(path.read_bytes())
    for mark, at_size in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.find(mark)
        while at >= 0 and name not in content[at : at + 60]:
            at = content.find(mark, at + 4)
        struct.pack_into("<I", content, at + at_size, size)
    path.write_bytes(content)


@pytest.mark.parametrize("told", [10, 5000, 200_000])
def test_a_file_that_unpacks_to_another_size_than_it_says_is_refused(path, told):
    pack(path, [SESSION, ("user.wav", bytes(100_000))])
    lie_about_size(path, b"user.wav", told)
    assert_refused(path, "damaged|than it says")


def test_bombs_are_refused_before_they_are_unpacked(path, monkeypatch):
    monkeypatch.setattr(unzip, "SUSPECT_BYTES", 1_000_000)
    pack(path, [SESSION, ("user.wav", bytes(2_000_000))])
    assert_refused(path, "times its size")
    monkeypatch.setattr(unzip, "MOST_BYTES", 1_500_000)
    assert_refused(path, "unpacks to 0 GB")


def test_a_silent_hour_is_no_bomb(path):
    pack(path, [SESSION, ("user.wav", bytes(115_200_000))])
    with unpack_bundle(path) as folder:
        assert (folder / "user.wav").stat().st_size == 115_200_000


def test_a_full_disk_is_refused_before_it_is_full(path, monkeypatch):
    monkeypatch.setattr(unzip, "MARGIN_BYTES", 10**18)
    pack(path, [SESSION])
    assert_refused(path, "no room")


def test_too_many_files_are_refused(path, monkeypatch):
    monkeypatch.setattr(unzip, "MOST_FILES", 20)
    pack(path, [SESSION, *((f"{number}", b"") for number in range(30))])
    assert_refused(path, "more than 20 files")
    monkeypatch.setattr(unzip, "_MOST_DIRECTORY_BYTES", 100)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert_refused(path, "more than 20 files")


def test_an_encrypted_zip_is_refused(path):
    pack(path, [SESSION])
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(mark) + at] |= 1
    path.write_bytes(content)
    assert_refused(path, "encrypted")


def test_zips_that_a_killed_program_had_open_go_and_those_in_use_stay(path):
    place = path.parent / "tmp"
    left, used, mine = place / "turnscope-abcdefgh", place / "turnscope-abcdefg0", place / "other"
    for folder in (left, used, mine):
        (folder / "recording").mkdir(parents=True)
        (folder / ".recording.lock").touch()
    lock = BundleLock(used)
    (place / "turnscope-abcdefg1").symlink_to(mine)
    for item in (*place.rglob("*"), *place.rglob(".*")):
        os.utime(item, (1e9, 1e9), follow_symlinks=False)
    pack(path, [SESSION])
    with unpack_bundle(path) as folder:
        assert not left.exists()
        assert {used, mine, folder.parent} < set(place.iterdir())
        assert is_being_written(folder.parent)
        assert not is_being_written(folder)
    lock.release()
    assert len(list(place.iterdir())) == 3
