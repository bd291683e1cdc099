"""Turns of recordings without events, from their sound."""

from __future__ import annotations

import shutil
import threading

import numpy as np
import pytest
import soundfile

from app.recordings.recorded_sound import Noticed, SoundFound, barge_ins
from app.recordings.recording import open_recording
from app.timeline.events import (
    AgentHeard,
    EchoHeard,
    Interrupted,
    MicChunkSent,
    Silenced,
    SoundBefore,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
)
from audio.pcm import SAMPLE_RATE, round_to_samples
from tests.app.bundle_rig import make_bundle
from tests.audio.scenes import echo, noise, scene, speech
from tests.rig.speech import write_wav

SECOND = SAMPLE_RATE
needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"
)


def spans(*pairs: tuple[float, float]) -> list[tuple[int, int]]:
    return [(round(start * SECOND), round(stop * SECOND)) for start, stop in pairs]


@pytest.mark.parametrize(
    ("user", "agent", "cuts"),
    [
        ([(3, 5)], [(1, 3.6), (6, 8)], [3.6]),
        ([(3, 3.4)], [(1, 3.8), (6, 8)], [3.8]),
        # it went on, after a pause
        ([(3, 3.4)], [(1, 3.5), (3.9, 8)], []),
        # it had ended before, or long after
        ([(4, 5)], [(1, 3.8)], []),
        ([(3, 3.4)], [(1, 5.5)], []),
        ([(3, 9)], [(1, 6.5)], []),
        # it began while the user spoke
        ([(0.5, 2)], [(1, 1.8)], []),
        ([(3, 5), (12, 14)], [(1, 3.5), (10, 12.5)], [3.5, 12.5]),
        ([], [(1, 3)], []),
    ],
)
def test_what_looks_like_a_barge_in(user, agent, cuts):
    found = barge_ins(spans(*user), spans(*agent))
    assert [position / SECOND for position in found] == cuts


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """A caller who is answered, cuts in once, and says mm-hm once; with echo on the left."""
    folder = tmp_path_factory.mktemp("call")
    user, agent = np.zeros(24 * SECOND), np.zeros(24 * SECOND)

    def put(track, at, text, voice="en-us", cut=None):
        words = speech(text, voice)[:cut]
        start = round(at * SECOND)
        track[start : start + len(words)] += words
        return at, (start + len(words)) / SECOND

    question = put(user, 1.0, "What are your opening hours today?", "en-gb")
    answer = put(
        agent,
        question[1] + 0.8,
        "We are open every day from nine in the morning until six in the evening, and on Saturday.",
        cut=round(3.2 * SECOND),
    )
    cut = put(user, answer[1] - 0.4, "Stop, I have another question.", "en-gb")
    second = put(agent, cut[1] + 1.1, "Of course. What is it that you would like to know from us?")
    track = user + echo(agent, 60, -25) + noise(len(user)) * 8
    path = folder / "call.wav"
    both = np.stack((round_to_samples(track), round_to_samples(agent)), axis=1)
    soundfile.write(path, both, SECOND, subtype="PCM_16")
    return path, question, answer, cut, second


@needs_espeak
def test_a_strangers_recording_tells_its_turns_and_what_looks_like_a_barge_in(call):
    path, question, answer, cut, second = call
    recording = open_recording(path)
    try:
        assert recording.wait(30)
        turns = recording.turns
        assert [turn.start for turn in turns.user_turns] == pytest.approx(
            [question[0], cut[0]], abs=0.05
        )
        assert [turn.start for turn in turns.agent_turns] == pytest.approx(
            [answer[0], second[0]], abs=0.05
        )
        assert turns.response_latencies_ms == pytest.approx([800, 1100], abs=80)
        (found,) = turns.interruptions
        assert (found.kind, found.source, found.estimated) == ("barge-in", "unknown", True)
        assert found.silent_at == pytest.approx(answer[1], abs=0.08)
        assert found.mouth_to_silence_ms == pytest.approx(400, abs=100)
        assert found.time_to_silence_ms is None
        assert any(each.start == pytest.approx(cut[0], abs=0.05) for each in turns.overlaps)
        assert any("sound alone" in warning for warning in recording.warnings)
        recording.swap()
        assert recording.wait(30)
        assert recording.turns.agent_turns[0].start == pytest.approx(question[0], abs=0.05)
        assert recording.turns.user_turns[0].start == pytest.approx(answer[0], abs=0.05)
    finally:
        recording.close()


@needs_espeak
def test_of_one_channel_there_is_the_speech_of_one_party(call, tmp_path):
    path, question, *_rest = call
    both, _rate = soundfile.read(path, dtype="int16")
    soundfile.write(tmp_path / "mono.flac", both[:, 0], SECOND)
    recording = open_recording(tmp_path / "mono.flac")
    try:
        assert recording.wait(30)
        assert recording.turns.user_turns[0].start == pytest.approx(question[0], abs=0.05)
        assert recording.turns.agent_turns == recording.turns.interruptions == []
        assert any("one channel" in warning for warning in recording.warnings)
    finally:
        recording.close()


def test_what_was_found_stands_among_the_events_where_it_was_noticed():
    told = [SpeechStarted(1.0, 1.2), SpeechStarted(5.0, 5.2)]
    sound = SoundBefore(2.0, 3.5, 3.5, "silence", -90.0, -90.0, 0.0, 0.0)
    onset = SpeechStarted(1.3, 1.5)
    found = SoundFound([Noticed(1.5, onset), Noticed(3.8, sound)])
    # without an echo, the speech that was told of stands
    assert list(found.among(told)) == [told[0], sound, told[1]]
    echo_heard = EchoHeard(1.0, 1.3, 100.0, -20.0, 0.9, 1.4)
    found = SoundFound([Noticed(1.4, echo_heard), *found.events])
    assert list(found.among(told)) == [echo_heard, onset, sound]


def test_listening_stops_when_it_is_told_to():
    from app.recordings.recorded_sound import listen_to_file
    from tests.app.sound_lanes import Lane

    stopping = threading.Event()
    stopping.set()
    track = Lane(np.zeros(SECOND, np.int16))
    assert listen_to_file(track, track, stopping, lambda _s: None) is None


@needs_espeak
def test_a_bundle_of_an_older_version_learns_of_the_echo_from_its_tracks(tmp_path):
    shown = scene(9, 2, echo_db=-12, delay_ms=140, user_speaks=False)
    start = shown.agent_speech[0][0] / SECOND + 0.14
    told = [
        MicChunkSent(0.3, 0, 4000, 0.0, 0.25, 0.0),
        AgentHeard(1.0, 0, 3 * SECOND, 1.0),
        # as an older version took the echo for the user's speech
        SpeechStarted(start, start + 0.2),
        Interrupted(3.9, 1, "agent", SECOND),
        Silenced(3.95, 1, 3.9, 3.95),
        SpeechEnded(4.0, 4.5),
        StateChanged(9.0, "ended"),
    ]
    folder = make_bundle(tmp_path / "old", events=told)
    write_wav(folder / "user.wav", shown.user)
    write_wav(folder / "agent.wav", shown.agent)
    for _ in range(2):
        recording = open_recording(folder)
        try:
            assert recording.wait(30)
            assert recording.turns.user_turns == []
            (cut,) = recording.turns.interruptions
            assert (cut.kind, cut.user_onset) == ("false", None)
            assert cut.sound.kind == "echo"
            assert cut.sound.echo_delay_ms == pytest.approx(140, abs=1)
            assert any("older version" in warning for warning in recording.warnings)
        finally:
            recording.close()
    # the second time it was kept
    assert (folder / "peaks" / "turns.json").is_file()
