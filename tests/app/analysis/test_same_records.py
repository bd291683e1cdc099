"""The same events give the same records: however often they are read, live and from a bundle."""

from __future__ import annotations

import random
import threading
from contextlib import closing
from pathlib import Path

import pytest

from app.analysis.turns import TurnTracker
from app.bundles.bundle_files import encode_event
from app.recordings.recorded_events import RecordedEvents
from app.recordings.recording import open_recording
from app.recordings.turns_found import TurnsFound, find_turns
from app.timeline.events import (
    EchoHeard,
    Event,
    MessageReceived,
    SoundBefore,
    SpeechStarted,
    Trouble,
)
from tests.app.spoken_session import ended, heard, said, track
from tests.app.wild_session import WildSession

NAMES = (
    *("user_turns", "agent_turns", "response_latencies_ms", "spans", "interruptions"),
    *("overlaps", "responses", "refused", "transcript"),
)


def wilder(seed: int) -> list[Event]:
    """A wild session in which the agent also hears itself, and tells of it."""
    chance = random.Random(seed)
    events: list[Event] = []
    for event in WildSession(seed).events:
        events.append(event)
        t, number = event.t, chance.randrange(20)
        if chance.random() < 0.06:
            body = {"user_transcription_event": {"user_transcript": "Well"}}
            events.append(MessageReceived(t, "user_transcript", body, number))
        if chance.random() < 0.06:
            events.append(MessageReceived(t, "interruption", {}, number))
        if chance.random() < 0.06:
            events.append(MessageReceived(t, "audio", {}, number, 640, chance.choice(("", "old"))))
        if chance.random() < 0.05:
            kind = chance.choice(("silence", "noise", "burst", "echo", "speech"))
            events.append(SoundBefore(t - 1, t, t, kind, -20.0, -60.0, 100.0, 0.2))
        if isinstance(event, SpeechStarted) and chance.random() < 0.4:
            events.append(EchoHeard(t - 0.05, t + 0.5, 140.0, -30.0, 0.8, t))
        if chance.random() < 0.03:
            events.append(Trouble(t, "underrun", "x", data={"ms": 120.0}))
    return events


@pytest.mark.parametrize("seed", range(12))
def test_it_does_not_matter_how_often_they_are_read(seed: int) -> None:
    often, events = TurnTracker(), wilder(seed)
    for number, event in enumerate(events):
        often.feed(event)
        if number % 11 == 0:
            assert TurnsFound.of(often)
    assert TurnsFound.of(often) == TurnsFound.of(track(*events))


@pytest.mark.parametrize("seed", range(5))
def test_live_from_the_file_and_from_the_cache_they_are_the_same(seed: int, tmp_path: Path) -> None:
    events = wilder(seed)
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join(encode_event(event) for event in events))
    live = TurnsFound.of(track(*events))
    found = find_turns(RecordedEvents(file), threading.Event(), lambda _: None)
    assert found == live
    found.save(tmp_path)
    assert TurnsFound.load(tmp_path, file.stat().st_size) == live


def test_those_sessions_have_all_there_is() -> None:
    found = [TurnsFound.of(track(*wilder(seed))) for seed in range(8)]
    for name in NAMES:
        assert any(getattr(each, name) for each in found), name
    cuts = [cut for each in found for cut in each.interruptions]
    assert any(cut.sound is not None for cut in cuts)
    assert any(cut.told_at is not None for cut in cuts)
    assert any(cut.chunk_sent_at is not None for cut in cuts)


def test_echo_leaves_what_there_would_be_without_it() -> None:
    """Speech that is all echo, told late or early, leaves no trace among the turns."""
    for seed in range(40):
        chance = random.Random(seed)
        clean: list[Event] = []
        noisy: list[Event] = []
        at = position = 0
        for _ in range(12):
            at += chance.choice((3, 4, 6))
            user, begins = said(at + 0.5, at + 1.2), at + chance.choice((1.4, 1.5, 1.9))
            own = said(begins + 0.3, begins + 0.9)
            playout = heard(begins, begins + 1.2, position)
            position += round(1.2 * 16_000)
            told = EchoHeard(begins + 0.3, begins + 0.95, 140.0, -30.0, 0.8, begins + 1.0)
            clean += [*user, playout]
            noisy += [*user, *chance.choice(([*own, playout, told], [told, own[0], playout, own[1]],
                                             [own[0], playout, told, own[1]]))]  # fmt: skip
        expected, found = track(*clean, ended(99.0)), track(*noisy, ended(99.0))
        for name in ("user_turns", "agent_turns", "response_latencies_ms", "overlaps", "responses"):
            assert getattr(found, name) == getattr(expected, name), (seed, name)


def test_another_pause_gives_other_turns_and_is_not_kept(tmp_path: Path) -> None:
    events = [*said(1.0, 2.0), *said(2.6, 3.0), ended(9.0)]
    (tmp_path / "session.json").write_text('{"schema": 1}')
    (tmp_path / "events.jsonl").write_bytes(b"".join(encode_event(event) for event in events))
    for pause_s, turns in ((1.0, 1), (0.5, 2), (1.0, 1)):
        with closing(open_recording(tmp_path, pause_s=pause_s)) as recording:
            assert recording.wait(10)
            assert len(recording.turns.user_turns) == turns
