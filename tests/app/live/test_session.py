"""A session as a person meets it: it runs, it ends for a reason, and the recording is there."""

from __future__ import annotations

import json
import threading
import time
import wave
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import soundfile

from app.agents.base import AgentError, Endpoint
from app.agents.demo_agent import DemoAgent
from app.analysis.turns import TurnTracker
from app.bundles.bundle_lock import is_being_written
from app.bundles.notes import Marker, edit_notes, load_notes
from app.bundles.session_info import summary_facts
from app.live.choices import build_audio
from app.live.session import EndReason, Session, State
from app.timeline.events import (
    Interrupted,
    MessageReceived,
    MessageSent,
    MicChunkSent,
    Silenced,
    Trouble,
)
from audio.duplex import DuplexInterface
from audio.errors import AlreadyRunning, DeviceError
from audio.file import FileSink
from audio.user_sound import UserSound
from audio.wavfile import StreamingWav
from tests.app.agents.fake_agent import (
    KEY,
    SIGNATURE,
    FakeAgent,
    QuietCaller,
    audio,
    eventually,
    message,
    metadata,
    running,
)
from tests.app.session_rig import (
    SECOND,
    agent_at,
    assert_recorded,
    events_of,
    run,
    send_then_listen,
)
from tests.rig.opened import open_bundle


def test_a_conversation_with_the_demo_agent_is_recorded_whole(make):
    session = make(DemoAgent())
    began = time.monotonic()
    session.start()
    assert time.monotonic() - began < 0.1
    assert eventually(lambda: session.state is State.RUNNING, 10)
    assert eventually(lambda: session.queued_ms > 500, 10)

    assert session.interrupt()
    assert eventually(lambda: events_of(session, Interrupted))
    assert session.queued_ms == 0
    assert not session.interrupt()  # once more is harmless

    session.end()
    assert session.wait(5)
    assert (session.state, session.reason) == (State.ENDED, EndReason.USER)
    assert session.conversation_id.startswith("conv_")
    assert [event.source for event in events_of(session, Interrupted)] == ["button"]
    sent = {event.kind for event in events_of(session, MessageSent)}
    assert {"conversation_initiation_client_data", "pong"} <= sent
    assert events_of(session, MicChunkSent)
    assert_recorded(session)
    frozen = session.now()
    assert session.now() == frozen > 0


def test_a_demo_agent_that_dies_ends_the_session_with_a_sentence(make):
    agent = DemoAgent()
    session = make(agent)
    session.start()
    assert eventually(lambda: session.state is State.RUNNING, 10)
    agent._process._process.kill()
    assert session.wait(5)
    assert session.reason is EndReason.SERVER_CLOSED
    assert "The connection to the demo agent broke off." in session.sentence
    assert_recorded(session)


def test_the_key_and_the_signature_stay_out_of_everything_written(make):
    told = f"your key {KEY} and the signature {SIGNATURE} are"

    def gossip(ws):
        ws.recv()
        ws.send(metadata())
        ws.send(message("debug", "debug_event", text=told, xi_api_key=KEY))
        ws.send(message(told, "x"))
        ws.close(1011, told)

    with running(gossip) as server:
        session = run(make(agent_at(server.base_url, key=True)))
    assert server.requests[0].headers["xi-api-key"] == KEY
    assert SIGNATURE in server.requests[1].path
    assert len(events_of(session, MessageReceived)) == 3
    assert_recorded(session)
    written = repr((session.timeline.read(), session.sentence, session.notices.read()))
    assert KEY not in written
    assert SIGNATURE not in written
    assert "the signature •••" in written


def test_a_microphone_that_does_not_open_fails_the_session(make):
    class NoMicrophone(QuietCaller):
        def start(self, input_callback):
            raise DeviceError("microphone", "Headset", "is not plugged in")

    with running(send_then_listen()) as server:
        session = run(make(agent_at(server.base_url), NoMicrophone()))
    assert session.reason is EndReason.DEVICE
    assert "“Headset” is not plugged in" in session.sentence
    assert_recorded(session)


def test_somebodys_own_class_that_raises_is_named(make):
    class Broken(QuietCaller):
        def start(self, input_callback):
            raise KeyError("rate")

    with running(send_then_listen()) as server:
        session = run(make(agent_at(server.base_url), Broken()))
    assert session.reason is EndReason.DEVICE
    assert "Broken could not start: KeyError" in session.sentence


def test_a_class_that_fails_in_output_does_not_end_the_session(make):
    class Clumsy(QuietCaller):
        def output(self, audio):
            raise ZeroDivisionError("oops")

    with running(send_then_listen(audio(1, SECOND))) as server:
        session = make(agent_at(server.base_url), Clumsy())
        session.start()
        assert eventually(lambda: [e for e in events_of(session, Trouble) if e.kind == "device"])
        assert eventually(lambda: session.notices.read()[0])
        session.end()
        assert session.wait(5)
    assert session.reason is EndReason.USER


def test_a_class_that_hangs_in_stop_is_left_behind(make):
    free = threading.Event()

    class Stuck(QuietCaller):
        def stop(self):
            free.wait(20)
            super().stop()

    with running(send_then_listen()) as server:
        session = make(agent_at(server.base_url), Stuck())
        session.start()
        assert eventually(lambda: session.state is State.RUNNING)
        began = time.monotonic()
        session.end()
        assert session.wait(4)
        assert time.monotonic() - began < 3.5
        free.set()
    assert session.state is State.ENDED


def test_an_agent_that_does_not_open_has_its_sentence(make):
    class Missing(FakeAgent):
        def open(self):
            raise AgentError(EndReason.REFUSED_KEY, "There is no API key.", "Store one.")

    session = run(make(Missing(Endpoint(None, "a"))))
    assert (session.reason, session.sentence) == (
        EndReason.REFUSED_KEY,
        "There is no API key. Store one.",
    )
    assert_recorded(session)


def test_a_folder_that_cannot_be_written_fails_before_anybody_speaks(tmp_path):
    (tmp_path / "taken").write_text("a file")
    agent = agent_at("http://127.0.0.1:1")
    session = Session(agent, QuietCaller(), record_to=tmp_path / "taken")
    run(session)
    assert session.reason is EndReason.RECORDING
    assert "taken" in session.sentence
    assert agent.opened == 0


def test_mute_sends_silence_and_says_since_when(make):
    class Loud(QuietCaller):
        def start(self, input_callback):
            super().start(lambda audio: input_callback(b"\x11\x22" * (len(audio) // 2)))

    heard: list[bytes] = []

    def listen(ws):
        ws.send(metadata())
        for text in ws:
            chunk = json.loads(text).get("user_audio_chunk")
            if chunk is not None:
                heard.append(chunk)

    with running(listen) as server:
        session = make(agent_at(server.base_url), Loud())
        session.start()
        assert eventually(lambda: len(heard) >= 2)
        assert "AAAAAAAA" not in heard[-1]
        session.set_muted(True)
        assert session.muted
        assert eventually(lambda: set(heard[-1].rstrip("=")) == {"A"})
        session.set_muted(False)
        assert eventually(lambda: "AAAAAAAA" not in heard[-1])
        session.end()
        assert session.wait(5)


def test_a_text_reaches_the_agent(make):
    texts: list[str] = []

    def listen(ws):
        ws.send(metadata())
        for text in ws:
            texts.append(json.loads(text).get("text", ""))

    with running(listen) as server:
        session = make(agent_at(server.base_url))
        assert not session.send_text("too early")
        session.start()
        assert eventually(lambda: session.state is State.RUNNING)
        assert session.send_text("Hello")
        assert eventually(lambda: "Hello" in texts)
        session.end()
        assert session.wait(5)
    assert not session.send_text("too late")
    kinds = [event.kind for event in events_of(session, MessageSent)]
    assert "user_message" in kinds


def test_commands_before_the_start_and_after_the_end_do_no_harm(make):
    session = make(agent_at("http://127.0.0.1:1"))
    session.end()
    assert not session.interrupt()
    assert (session.state, session.now()) == (State.IDLE, 0.0)
    run(session)
    session.end()
    session.set_muted(True)
    assert not session.interrupt()
    assert session.reason is EndReason.NO_NETWORK
    with pytest.raises(AlreadyRunning):
        session.start()


@pytest.mark.parametrize("part", ["_pump", "_link", "_recorder"])
def test_a_session_ends_whatever_part_of_its_end_fails(tmp_path, caplog, part):
    with running(send_then_listen()) as server:
        session = Session(agent_at(server.base_url), QuietCaller(), record_to=tmp_path)
        session.start()
        assert eventually(lambda: session.state is State.RUNNING)
        name = {"_pump": "stop", "_link": "close", "_recorder": "finish"}[part]
        broken, whole = getattr(session, part), getattr(getattr(session, part), name)

        def fail(*args):
            whole(*args)
            raise RuntimeError("out of order")

        setattr(broken, name, fail)
        session.end()
        assert session.wait(5)
    assert session.state is State.ENDED
    end = json.loads((session.bundle / "session.json").read_text())["end"]
    assert end["reason"] == "user"
    assert "out of order" in caplog.text


def test_a_fault_of_the_analysis_that_stays_does_not_keep_the_session_alive(
    tmp_path, caplog, monkeypatch
):
    with running(send_then_listen(audio(1, SECOND))) as server:
        session = Session(agent_at(server.base_url), QuietCaller(), record_to=tmp_path)

        def fail(*_):
            raise ValueError("model fault")

        monkeypatch.setattr(UserSound, "feed", fail)
        session.start()
        assert eventually(lambda: session.state is State.RUNNING)
        session.end()
        assert session.wait(5)
    end = json.loads((session.bundle / "session.json").read_text())["end"]
    assert end["reason"] == "user"
    with wave.open(str(session.bundle / "user.wav")) as user:
        assert user.getnframes() > 0
    assert "model fault" in caplog.text


def test_a_recording_that_is_not_whole_at_the_end_is_told_with_its_folder(make):
    with running(send_then_listen()) as server:
        session = make(agent_at(server.base_url))
        session.start()
        assert eventually(lambda: session.state is State.RUNNING)
        session._recorder.finish = lambda *_: False
        session.end()
        assert session.wait(5)
    (notice,) = session.notices.read()[0]
    assert str(session.bundle) in notice.sentence
    assert "is not whole" in notice.sentence
    assert "is not whole" in session.sentence
    assert session.reason is EndReason.USER
    session._recorder._worker.stop(5)


def test_an_agent_that_never_opens_is_given_up_in_its_own_time(make, monkeypatch):
    free = threading.Event()
    monkeypatch.setattr("app.live.link.Link.OPEN_S", 0.4)

    class Waiting(FakeAgent):
        def open(self):
            free.wait(20)
            return super().open()

    agent = Waiting(Endpoint("http://127.0.0.1:1", "a"), label="Agent of mine")
    session = run(make(agent, connect_timeout_s=0.1))
    assert session.state is State.FAILED
    assert "Agent of mine could not be opened within 0.4 seconds" in session.sentence
    assert "keyring" in session.sentence
    free.set()
    assert eventually(lambda: agent.opened)
    assert_recorded(session)


class Waiting:
    """The source that a device is whose sound server hangs."""

    label = "Waiting"

    def __init__(self) -> None:
        self.free = threading.Event()

    def open(self, *_):
        self.free.wait(20)
        raise DeviceError("microphone", "Box", "is gone")


def test_devices_that_do_not_open_are_not_blamed_on_the_agent(make):
    source = Waiting()
    with running(send_then_listen()) as server:
        audio = DuplexInterface(source, FileSink(None))
        session = run(make(agent_at(server.base_url), audio, connect_timeout_s=0.3))
        source.free.set()
    assert session.reason is EndReason.DEVICE
    assert session.sentence == (
        "The microphone or the speaker did not open within 0.3 seconds. "
        "Check that the sound system answers, or choose another device or a file."
    )


def test_a_class_of_ones_own_whose_start_blocks_is_named(make):
    free = threading.Event()

    class Blocking(QuietCaller):
        def start(self, input_callback):
            free.wait(20)

    with running(send_then_listen()) as server:
        session = run(make(agent_at(server.base_url), Blocking(), connect_timeout_s=0.3))
        free.set()
    assert session.reason is EndReason.DEVICE
    assert "The audio interface Blocking did not open within 0.3 seconds." in session.sentence


def test_health_counts_what_every_buffer_had_to_drop(make, tmp_path):
    session = make(agent_at("http://127.0.0.1:1"), build_audio("none", str(tmp_path / "out.wav")))
    session._tap._uplink.dropped_samples = 1
    session._tap.received.dropped_samples = 2
    session.tracks.to_recorder.dropped_samples = 3
    session.tracks.user.trimmed_samples = 4
    run(session)
    health = session.health()
    assert health["unsent_mic_samples"] == 1
    assert health["unanalysed_agent_samples"] == 2
    assert health["unrecorded_received_samples"] == 3
    assert health["user_trimmed_samples"] == 4
    files = ("mic_file_late_samples", "speaker_file_lost_samples", "unrecorded_events")
    assert [health[name] for name in files] == [0, 0, 0]


def mark(session: Session, marker: Marker) -> bool:
    return session.change_notes(lambda notes: notes.marked(marker))


def test_a_live_session_can_be_marked_and_the_recording_keeps_it(make):
    with running(send_then_listen()) as server:
        session = make(agent_at(server.base_url))
        assert not mark(session, Marker(0.0, "too early"))
        session.start()
        first, second, third = Marker(0.0, "at once"), Marker(0.1, "here"), Marker(0.2)
        assert mark(session, first)
        assert eventually(lambda: session.state is State.RUNNING)
        began = time.monotonic()
        assert mark(session, second)
        assert time.monotonic() - began < 0.02
        assert session.notes.markers == (first, second)
        assert eventually(lambda: load_notes(session.bundle).markers == (first, second))
        # what somebody else writes meanwhile stays
        edit_notes(session.bundle, lambda notes: replace(notes, title="A title"))
        assert session.change_notes(lambda notes: replace(notes, tags=("late",)))
        assert mark(session, third)
        session.end()
        assert session.wait(5)
    assert not session.change_notes(lambda notes: replace(notes, title="too late"))
    notes = load_notes(session.bundle)
    assert (notes.title, notes.tags) == ("A title", ("late",))
    assert notes.markers == (first, second, third)


def test_a_session_that_is_not_recorded_can_be_marked_too():
    with running(send_then_listen()) as server:
        session = Session(agent_at(server.base_url), QuietCaller())
        session.start()
        assert eventually(lambda: session.state is State.RUNNING)
        assert mark(session, Marker(1.0, "here"))
        session.end()
        assert session.wait(5)
    assert session.notes.markers == (Marker(1.0, "here"),)
    assert session.bundle is None


def test_the_recording_says_in_figures_what_happened(make):
    session = make(DemoAgent())
    session.start()
    assert eventually(lambda: session.queued_ms > 500, 10)
    assert session.interrupt()
    assert eventually(lambda: events_of(session, Silenced))
    session.end()
    assert session.wait(5)
    facts = json.loads((session.bundle / "session.json").read_text())
    tracker = TurnTracker()
    for event in open_bundle(session.bundle).events:
        tracker.feed(event)
    assert facts["summary"] == summary_facts(tracker.summary())
    assert facts["summary"]["interruptions"] == 1
    assert (session.bundle / "peaks" / "user.peaks").exists()
    assert not is_being_written(session.bundle)


def test_a_disk_that_stalls_for_five_seconds_costs_no_audio_and_no_mic_chunk(
    make, tmp_path, monkeypatch
):
    caller = tmp_path / "caller.wav"
    tone = (np.arange(16_000 * 9) % 20_000 + 1).astype(np.int16)
    with StreamingWav(caller) as wav:
        wav.write(tone)
    stall, write, stalled = threading.Event(), StreamingWav.write, []

    def write_slowly(wav, samples):
        if wav.path.name == "user.wav" and samples.any() and not stall.is_set():
            stalled.append(time.monotonic())
            stall.wait(20)
        write(wav, samples)

    monkeypatch.setattr(StreamingWav, "write", write_slowly)
    with running(send_then_listen(*(audio(number, SECOND) for number in range(1, 6)))) as server:
        session = make(agent_at(server.base_url), build_audio(str(caller), "none"))
        session.start()
        assert eventually(lambda: stalled, 10)
        assert eventually(lambda: time.monotonic() - stalled[0] >= 5.0, 10)
        assert session.health()["waiting_for_disk_samples"] > 4 * 16_000
        stall.set()
        assert eventually(lambda: session.health()["waiting_for_disk_samples"] < 16_000)
        session.end()
        assert session.wait(5)
    assert session.is_recording_whole
    notices = [notice.sentence for notice in session.notices.read()[0]]
    assert "The disk does not answer" in notices[0]
    assert notices[1] == "The recording goes on; nothing was lost."
    health = session.health()
    for name in ("unrecorded_samples", "user_gap_samples", "agent_gap_samples", "input_xruns"):
        assert health[name] == 0, name
    assert health["dropped_input_samples"] == health["unsent_mic_samples"] == 0
    chunks = events_of(session, MicChunkSent)
    assert all(first.stop == second.start for first, second in pairwise(chunks))
    late_s = [second.t - first.t for first, second in pairwise(chunks)]
    assert max(late_s) < 1.0  # it is 0.25 s; the disk stalled for five
    user = soundfile.read(session.bundle / "user.wav", dtype="int16")[0]
    spoken = user[user != 0]
    assert len(spoken) >= 5 * 16_000
    assert (np.abs(spoken[:5000].astype(int) - tone[:5000]) <= 1).all()
    received = soundfile.read(session.bundle / "received.wav")[0]
    assert len(received) == 5 * 16_000
