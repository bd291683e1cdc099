"""What the recorder leaves on disk, whatever happens to the disk or to the program."""

from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from app.bundles.bundle_writer import BundleWriter
from app.bundles.disk_sync import DiskSync
from app.bundles.notes import Marker, load_notes
from app.bundles.session_info import SessionInfo
from app.secrets import ApiKey
from app.timeline.events import MessageReceived, MessageSent, MicChunkSent, StateChanged, Trouble
from app.timeline.tracks import Handover
from audio.pcm import SAMPLE_RATE
from tests.app.recorder_rig import BEGAN, Rig
from tests.rig.opened import open_bundle
from tests.rig.waiting import wait_until


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path)
    yield rig
    rig.recorder._worker.stop(5)


def test_a_session_becomes_a_bundle_that_anything_can_read(rig):
    rig.recorder.start()
    rig.grow(1.0)
    rig.timeline.append(StateChanged(0.5, "running"))
    rig.recorder.update(conversation_id="conv_1", formats={"agent_output": "pcm_16000"})
    rig.grow(0.5)
    assert rig.recorder.finish("user", "You ended the session.")
    for name in ("user.wav", "agent.wav", "received.wav"):
        assert len(rig.read(name)) == 1.5 * SAMPLE_RATE
    assert rig.read("agent.wav")[0] == -1000
    facts = json.loads((rig.recorder.folder / "session.json").read_text())
    assert facts["schema"] == 1
    assert facts["began_utc"] == "2026-11-22T09:15:03.000Z"
    assert facts["agent"] == {
        "kind": "demo",
        "label": "Demo agent",
        "id": "demo-1",
        "conversation_id": "conv_1",
    }
    assert facts["devices"] == {"microphone": "Headset", "speaker": "none"}
    assert facts["end"]["reason"] == "user"
    assert facts["end"]["duration_s"] == 1.5
    lines = (rig.recorder.folder / "events.jsonl").read_text().splitlines()
    assert json.loads(lines[0]) == {"t": 0.5, "type": "state", "state": "running", "sentence": ""}


def test_the_folder_is_named_by_local_time_and_agent_and_never_shared(tmp_path):
    names = []
    for _ in range(3):
        rig = Rig(tmp_path)
        rig.recorder.start()
        rig.recorder.finish("user")
        names.append(rig.recorder.folder.name)
    stamp = BEGAN.astimezone().strftime("%Y-%m-%d_%H-%M-%S")
    assert names == [f"{stamp}_demo", f"{stamp}_demo_2", f"{stamp}_demo_3"]


def test_both_tracks_are_equally_long_while_it_runs_and_at_the_end(rig):
    rig.recorder.start()
    rig.tracks.user.append(np.ones(16_000, np.int16))
    rig.tracks.agent.append(np.ones(16_480, np.int16))
    wait_until(lambda: rig.size("agent.wav") > 32_000)
    assert rig.size("user.wav") == rig.size("agent.wav")
    rig.tracks.user.append(np.ones(320, np.int16))
    rig.recorder.finish("user")
    assert len(rig.read("user.wav")) == len(rig.read("agent.wav")) == 16_480
    assert rig.read("user.wav")[:16_320].all()
    assert not rig.read("user.wav")[16_320:].any()


def test_a_message_longer_than_the_ring_is_recorded_whole(rig):
    rig.receive(np.arange(330 * SAMPLE_RATE).astype(np.int16))
    rig.recorder.start()
    rig.recorder.finish("user")
    samples = rig.read("received.wav")
    assert np.array_equal(samples, np.arange(330 * SAMPLE_RATE).astype(np.int16))
    assert rig.recorder.lost_samples == 0


def test_what_did_not_wait_for_the_disk_is_silence_and_counted(rig):
    rig.tracks.to_recorder = Handover(1000)
    rig.receive(np.ones(800, np.int16))
    rig.receive(np.ones(900, np.int16))
    rig.recorder.start()
    wait_until(lambda: rig.tracks.to_recorder.first() is None)
    rig.receive(np.ones(300, np.int16))
    rig.recorder.finish("user")
    samples = rig.read("received.wav")
    assert samples[:800].all()
    assert not samples[800:1700].any()
    assert samples[1700:].all()
    assert rig.recorder.lost_samples == rig.tracks.to_recorder.dropped_samples == 900


def test_samples_that_the_ring_has_overwritten_are_silence_in_their_place(rig):
    rig.grow(1.0, level=7)
    rig.grow(125.0, level=9)
    rig.recorder.start()
    rig.recorder.finish("user")
    user = rig.read("user.wav")
    assert len(user) == 126 * SAMPLE_RATE
    assert not user[: 6 * SAMPLE_RATE].any()
    assert (user[6 * SAMPLE_RATE :] == 9).all()
    assert rig.recorder.lost_samples == 2 * 6 * SAMPLE_RATE


def test_no_key_and_no_token_is_in_any_file(tmp_path):
    key = ApiKey("sk_5ecre7" + "0123456789abcdef" * 2)
    token = "tok-very-hidden-token"
    info = SessionInfo("elevenlabs", "Agent", "a1", settings={"api_key": token, "url": "x"})
    rig = Rig(tmp_path, info)
    rig.recorder.start()
    url = f"wss://host/v1?agent_id=a1&conversation_signature={token}"
    rig.timeline.append(MessageReceived(1, "client_tool_call", {"note": f"use {key.reveal()}"}))
    rig.timeline.append(MessageSent(1, "x", {"xi-api-key": token, "deep": [{"url": url}]}))
    rig.timeline.append(Trouble(1, "protocol", f"GET {url} failed with Bearer {token}"))
    rig.timeline.append(MessageReceived(1, "t", {key.reveal(): 1}))
    rig.recorder.finish("server_error", f"The server refused {key.reveal()}.")
    for path in filter(Path.is_file, rig.recorder.folder.rglob("*")):
        content = path.read_bytes()
        assert key.reveal().encode() not in content, path
        assert token.encode() not in content, path
    assert len(open_bundle(rig.recorder.folder).events) == 4


def nested(depth):
    value = "end"
    for _ in range(depth):
        value = [value]
    return value


def test_whatever_an_agent_sends_the_log_stays_readable(rig):
    rig.recorder.start()
    payloads = [
        {"text": "line\nbreak \u2028 \ud800 \x00"},
        {"score": float("nan"), "worse": [float("inf")]},
        {"deep": nested(900)},
        {"strange": {1, 2}},
    ]
    for payload in payloads:
        rig.timeline.append(MessageReceived(1.0, "odd", payload))
    rig.timeline.append(StateChanged(2.0, "ended"))
    rig.recorder.finish("user")
    raw = (rig.recorder.folder / "events.jsonl").read_bytes()
    lines = raw.split(b"\n")
    assert len(lines) == len(payloads) + 2
    assert not re.search(rb"NaN|Infinity", raw)
    bundle = open_bundle(rig.recorder.folder)
    assert bundle.events[0].payload["text"] == payloads[0]["text"]
    assert bundle.events[1].payload == {"score": None, "worse": [None]}
    assert isinstance(bundle.events[-1], StateChanged)


def test_a_round_costs_little(rig):
    rig.recorder.start()
    rig.recorder._worker.stop(5)
    rig2 = Rig(rig.recorder.folder.parent)
    rig2.recorder.PERIOD_S = 60.0
    rig2.recorder.start()
    spent = []
    for number in range(40):
        rig2.grow(0.2)
        for index in range(10):
            rig2.timeline.append(MicChunkSent(number + index, 0, 4000, 0.0, 0.25, 0.001))
        before = time.thread_time()
        rig2.recorder._round(rig2.recorder._writer)
        spent.append(time.thread_time() - before)
    rig2.recorder.finish("user")
    assert np.median(spent) < 0.005


def test_caches_that_take_long_or_fail_neither_delay_nor_break_the_end(tmp_path, monkeypatch):
    free = threading.Event()
    monkeypatch.setattr("app.recordings.peaks_cache.save_peaks", lambda *_: free.wait(20))
    slow = Rig(tmp_path)
    slow.recorder.CACHES_S = 0.05
    slow.recorder.start()
    slow.grow(1.0)
    began = time.monotonic()
    assert slow.recorder.finish("user")
    assert time.monotonic() - began < 2.0
    assert not open_bundle(slow.folder).unfinished
    free.set()
    assert slow.recorder._worker.stop(5)

    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr("app.recordings.peaks_cache.save_peaks", fail)
    broken = Rig(tmp_path)
    broken.recorder.start()
    broken.grow(1.0)
    assert broken.recorder.finish("user")
    assert not open_bundle(broken.folder).unfinished


def test_peaks_are_kept_only_of_what_the_files_really_hold(tmp_path):
    rig = Rig(tmp_path)
    rig.grow(130.0)
    rig.recorder.start()
    assert not rig.recorder.finish("user")
    assert rig.recorder.lost_samples
    assert not (rig.folder / "peaks").exists()


def test_facts_and_notes_follow_while_it_runs(rig):
    rig.recorder.start()
    rig.recorder.update(conversation_id="conv_1")
    rig.recorder.note(lambda notes: notes.marked(Marker(1.0, "here")))

    wait_until(lambda: open_bundle(rig.folder).info.conversation_id == "conv_1")
    wait_until(lambda: load_notes(rig.folder).markers == (Marker(1.0, "here"),))
    assert open_bundle(rig.folder).unfinished
    assert rig.recorder.finish("user")


def test_a_change_of_notes_that_fails_costs_itself_alone(rig, caplog):
    def fail(notes):
        raise RuntimeError("at fault")

    rig.recorder.start()
    rig.recorder.note(fail)
    rig.recorder.note(lambda notes: notes.marked(Marker(1.0)))
    rig.grow(1.0)
    assert rig.recorder.finish("user")
    assert load_notes(rig.folder).markers == (Marker(1.0),)
    assert "at fault" in caplog.text


def test_the_end_and_the_summary_are_written_once_and_by_the_recorder_alone(rig, monkeypatch):
    real, written = BundleWriter.write_facts, []

    def note(writer, facts):
        written.append((threading.current_thread().name, facts["end"], "summary" in facts))
        real(writer, facts)

    monkeypatch.setattr(BundleWriter, "write_facts", note)
    rig.recorder.start()
    rig.recorder._end = {"reason": "user"}  # the session's thread has said so, and no more yet
    rig.recorder.update(conversation_id="conv_1")
    wait_until(lambda: len(written) == 2)
    assert written[1] == ("recorder-sync", None, False)
    assert rig.recorder.finish("user")
    rig.recorder.update(conversation_id="conv_2")
    rig.recorder._write_facts()  # by a thread that waited for the medium all the while
    ends = [(name, end is not None, has_summary) for name, end, has_summary in written[2:]]
    assert ends == [("recorder", True, True)]
    assert not open_bundle(rig.folder).unfinished


def test_a_fault_in_the_facts_ends_no_thread(rig, monkeypatch, caplog):
    real, asked = BundleWriter.write_facts, []

    def fail(_writer, facts):
        asked.append(facts)
        raise RuntimeError("at fault")

    rig.recorder.start()
    monkeypatch.setattr(BundleWriter, "write_facts", fail)
    rig.recorder.update(conversation_id="conv_1")
    wait_until(lambda: asked)
    monkeypatch.setattr(BundleWriter, "write_facts", real)
    rig.recorder.update(conversation_id="conv_2")
    wait_until(lambda: open_bundle(rig.folder).info.conversation_id == "conv_2")
    assert rig.recorder.finish("user")
    assert "at fault" in caplog.text


def test_whatever_goes_wrong_besides_the_files_are_sent_on(caplog):
    synced = []

    class File:
        def sync(self):
            synced.append(1)
            raise RuntimeError("at fault")

    def errand():
        raise RuntimeError("besides")

    sync = DiskSync(lambda: [File()], errand)
    sync.PERIOD_S = 0.01
    sync.start()
    wait_until(lambda: len(synced) > 1)
    assert sync.stop(5)
    assert "at fault" in str(sync.take_error())
    assert "besides" in caplog.text
