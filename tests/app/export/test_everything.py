"""JSON of everything, read back."""

from __future__ import annotations

import json

import pytest

from app.bundles.bundle_files import encode_event
from app.export.errors import ExportError
from app.secrets import HIDDEN
from app.timeline.events import MessageReceived, MessageSent
from tests.app.export.recorded import record


def read(path):
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(path.read_bytes().decode("utf-8"), parse_constant=refuse)


def test_all_that_is_known_is_in_it(recorded, exports):
    (path,) = exports("json")
    told = read(path)
    tracker = recorded.tracker
    assert (told["format"], told["version"], told["selection"]) == ("turnscope export", 1, None)
    assert told["duration_s"] == recorded.samples / 16_000
    assert told["session"]["agent"]["label"] == "Demo agent"
    assert told["notes"]["title"] == "A title"
    assert told["notes"]["markers"][1] == {"t": 6.0, "text": "=cut", "stop": 7.5}
    assert [turn["who"] for turn in told["turns"]].count("user") == len(tracker.user_turns)
    assert told["response_latencies_ms"] == pytest.approx(tracker.response_latencies_ms)
    assert told["summary"]["interruptions"] == 2
    assert told["summary"]["discarded_ms"] == tracker.summary().discarded_ms
    assert [line["text"] for line in told["lines"] if line["who"] == "agent"] == [
        line.text for line in tracker.transcript if line.who == "agent"
    ]
    cut, expected = told["interruptions"][0], tracker.interruptions[0]
    assert (cut["at_s"], cut["silent_at_s"]) == (expected.at, expected.silent_at)
    assert (cut["class"], cut["unheard_text"]) == ("barge-in", expected.unheard_text)
    assert told["events"] == [json.loads(encode_event(event)) for event in recorded.events]


def test_a_selection_is_shifted_and_says_from_where(recorded, exports):
    (path,) = exports("json", start_s=4.0, stop_s=7.0)
    told = read(path)
    assert told["selection"] == {"start_s": 4.0, "stop_s": 7.0}
    assert told["duration_s"] == 3.0
    assert (told["summary"]["user_turns"], told["summary"]["interruptions"]) == (1, 1)
    assert [(turn["start_s"], turn["stop_s"]) for turn in told["turns"]] == [(0, 1.641), (1, 3)]
    assert all(0 <= event["t"] <= 3.0 for event in told["events"])
    assert told["notes"]["markers"] == [{"t": 2.0, "text": "=cut", "stop": 3.0}]


def test_the_users_words_can_be_left_out(exports):
    (path,) = exports("json", user_text=False)
    assert "Hello" not in path.read_text()
    assert "HYPERLINK" not in path.read_text()
    assert any(line["who"] == "agent" for line in read(path)["lines"])


def test_no_secret_no_nonsense_and_no_audio_gets_into_it(tmp_path, exports):
    session = record(tmp_path)
    with (session.path / "events.jsonl").open("ab") as file:
        odd = {"api_key": "s3cret-value", "deep": [float("inf")], "half": "\ud800"}
        file.write(encode_event(MessageSent(27.0, "note", odd)))
        file.write(b'{"t": 27.5, "type": "from_the_future", "x": NaN}\nnot json\n[1]\n')
        file.write(
            encode_event(MessageReceived(27.6, "audio", {"url": "wss://x/?token=abcdefgh1"}))
        )
    (session.path / "session.json").write_text(
        json.dumps({"schema": 1, "settings": {"xi-api-key": "sk_0123456789abcdef0123"}})
    )
    (path,) = exports("json", session=session.path)
    text = path.read_text()
    for secret in ("s3cret-value", "abcdefgh1", "sk_0123456789"):
        assert secret not in text
    told = read(path)
    assert told["session"]["settings"]["xi-api-key"] == HIDDEN
    assert told["events"][-2] == {"t": 27.5, "type": "from_the_future", "x": None}
    assert len(told["events"]) == len(session.events) + 3


def test_a_recording_without_events_says_so(tmp_path, exports):
    session = record(tmp_path)
    (session.path / "events.jsonl").unlink()
    for kind in ("json", "srt", "vtt", "csv", "labels"):
        with pytest.raises(ExportError, match=r"no events\.jsonl"):
            exports(kind, session=session.path)
    assert exports("wav", "zip", session=session.path)
