"""Who is writing a bundle, told by a lock that dies with its owner."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.bundles import bundle_lock
from app.bundles.bundle_lock import LOCK_NAME, BundleBusy, BundleLock, in_turn, is_being_written

HOLDER = """
import sys, time
from pathlib import Path
from app.bundles.bundle_lock import BundleLock
lock = BundleLock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_bundle_is_marked_while_it_is_written_and_not_afterwards(tmp_path):
    assert not is_being_written(tmp_path)
    lock = BundleLock(tmp_path)
    assert is_being_written(tmp_path)
    assert is_being_written(tmp_path)  # looking does not take the mark away
    lock.release()
    lock.release()
    assert not is_being_written(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_two_cannot_write_the_same_bundle(tmp_path):
    lock = BundleLock(tmp_path)
    with pytest.raises(BundleBusy):
        BundleLock(tmp_path)
    assert is_being_written(tmp_path)
    lock.release()
    BundleLock(tmp_path).release()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_the_mark_of_a_program_that_was_killed_counts_no_more(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    try:
        assert child.stdout.readline() == "held\n"
        assert is_being_written(tmp_path)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait(10)
        child.stdout.close()
    assert (tmp_path / LOCK_NAME).exists()
    assert not is_being_written(tmp_path)


def test_a_lock_file_that_was_taken_away_is_noticed_and_not_removed_by_mistake(tmp_path):
    lock = BundleLock(tmp_path)
    assert lock.is_in_place()
    (tmp_path / LOCK_NAME).rename(tmp_path / "elsewhere")
    assert not lock.is_in_place()
    another = BundleLock(tmp_path)
    lock.release()
    assert is_being_written(tmp_path)
    another.release()


def test_a_mark_that_is_taken_away_while_it_is_awaited_is_not_held_by_two(tmp_path, monkeypatch):
    first, opening = BundleLock(tmp_path), bundle_lock._open_lock
    others = []

    def open_and_be_late(*args):
        file = opening(*args)
        if not others:
            others.append(file)
            first.release()  # it takes its file away, and another comes at once
            others[:] = [BundleLock(tmp_path)]
        return file

    monkeypatch.setattr(bundle_lock, "_open_lock", open_and_be_late)
    with pytest.raises(BundleBusy):
        BundleLock(tmp_path)
    assert others[0].is_in_place()
    others[0].release()
    BundleLock(tmp_path).release()


def refuse(*_args, **_options):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def test_without_locks_a_draft_that_takes_its_place_tells_of_a_writer(tmp_path, monkeypatch):
    listing = Path.iterdir
    lock = BundleLock(tmp_path)
    monkeypatch.setattr(bundle_lock, "_lock", refuse)
    monkeypatch.setattr(Path, "iterdir", lambda path: [*listing(path), path / ".session.draft"])
    assert is_being_written(tmp_path)
    assert not bundle_lock.is_fresh(tmp_path / "nowhere")
    lock.release()


@pytest.mark.skipif(os.name == "nt", reason="Windows locks no folders")
def test_turns_end_however_they_are_left_and_are_not_waited_for_without_end(tmp_path, monkeypatch):
    with pytest.raises(ZeroDivisionError), in_turn(tmp_path):
        raise ZeroDivisionError
    took = []
    locking = bundle_lock._lock_folder

    def lock(descriptor):
        took.append(descriptor)
        locking(descriptor)

    monkeypatch.setattr(bundle_lock, "_lock_folder", lock)
    monkeypatch.setattr(bundle_lock, "TURN_S", 0.01)
    with in_turn(tmp_path):
        assert len(took) == 1  # nobody was at it any more
        with in_turn(tmp_path):
            assert len(took) > 2
    with in_turn(tmp_path / "nowhere"):
        assert list(tmp_path.iterdir()) == []


def test_without_locks_the_time_of_the_last_change_must_do(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle_lock, "_lock", refuse)
    lock = BundleLock(tmp_path)
    assert is_being_written(tmp_path)
    os.utime(tmp_path / LOCK_NAME, (1e9, 1e9))
    assert not is_being_written(tmp_path)
    lock.release()
