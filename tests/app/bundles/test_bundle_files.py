"""Small files that are replaced whole, and events in whole lines, whoever else is at them."""

from __future__ import annotations

import json
import os

from app.bundles.bundle_files import EventLog, write_json
from app.timeline.events import StateChanged, Timeline


def test_two_programs_that_replace_one_file_at_once_leave_one_of_both(tmp_path, monkeypatch):
    path, sync, ours = tmp_path / "notes.json", os.fsync, os.getpid()

    def meanwhile(descriptor):
        sync(descriptor)
        monkeypatch.setattr(os, "fsync", sync)
        monkeypatch.setattr(os, "getpid", lambda: ours + 1)
        write_json(path, {"by": "another"})
        assert json.loads(path.read_text()) == {"by": "another"}

    monkeypatch.setattr(os, "fsync", meanwhile)
    write_json(path, {"by": "this one"})
    assert json.loads(path.read_text()) == {"by": "this one"}
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_repair_adds_to_events_that_were_moved_away_is_not_taken_for_ours(tmp_path):
    """Nor does it cost the events that the timeline has let go of."""
    timeline, path = Timeline(2), tmp_path / "events.jsonl"
    log = EventLog(path)
    for number in range(50):
        timeline.append(StateChanged(number / 10, "running"))
        log.write(timeline)
    assert timeline.first > 0
    moved = path.rename(tmp_path / "moved")
    with moved.open("ab") as file:
        file.write(b'{"t": 4.9, "type": "state", "state": "ended"}\n')
    log.reopen()
    timeline.append(StateChanged(5.0, "ended"))
    log.write(timeline)
    assert [json.loads(line)["t"] for line in path.read_bytes().splitlines()] == [
        number / 10 for number in range(51)
    ]
    assert log.lost_events == 0
    log.close()
