"""What the pump tells of the sound on the tracks: speech, echo, what lay before an interrupt."""

from __future__ import annotations

import shutil
import threading

import numpy as np
import pytest

from app.analysis.turns import TurnTracker
from app.live.pump import Pump
from app.recordings.recorded_sound import listen
from app.timeline.events import (
    AgentHeard,
    EchoHeard,
    Event,
    Interrupted,
    MicChunkSent,
    Silenced,
    SoundBefore,
    SpeechEnded,
    SpeechStarted,
    Timeline,
)
from app.timeline.tracks import Tracks
from audio.pcm import SAMPLE_RATE, round_to_samples, silence
from tests.app.simulated_audio import FakeFeed, SteppedClock
from tests.app.sound_lanes import Lane
from tests.audio.scenes import Scene, noise, scene

pytestmark = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"
)
STEP = SAMPLE_RATE // 50


class Live:
    """A pump whose tracks grow by 20 ms at a time, as in a session."""

    def __init__(self) -> None:
        self.feed, self.clock = FakeFeed(), SteppedClock()
        self.feed.account = None
        self.tracks, self.timeline = Tracks(), Timeline()
        self.pump = Pump(self.feed, self.tracks, self.timeline, self.clock)
        self.seen: list[tuple[float, object]] = []

    def play(self, shown: Scene, *interrupts: Interrupted) -> None:
        waiting = list(interrupts)
        for start in range(0, len(shown.user), STEP):
            self.tracks.user.append(shown.user[start : start + STEP])
            self.tracks.agent.append(shown.agent[start : start + STEP])
            self.clock.at += STEP / SAMPLE_RATE
            while waiting and waiting[0].t <= self.clock.now():
                self.timeline.append(waiting.pop(0))
            before = self.timeline.appended
            self.pump.cycle()
            self.seen += [(self.clock.now(), e) for e in self.timeline.read(before)[0]]
        assert self.pump.stop()

    def events(self, *kinds: type) -> list:
        return [event for event in self.timeline.read()[0] if isinstance(event, kinds)]


def test_the_agents_voice_in_the_microphone_is_told_as_that_and_not_as_speech():
    shown = scene(10, 2, echo_db=-12, delay_ms=140, user_speaks=False)
    live = Live()
    live.play(shown, Interrupted(4.0, 1, "agent", 9000), Interrupted(6.0, 2, "button", 0))
    assert live.events(SpeechStarted, SpeechEnded) == []
    echoes = live.events(EchoHeard)
    assert echoes
    assert {round(each.delay_ms) for each in echoes} <= {139, 140, 141}
    # the button needs no cause
    (sound,) = live.events(SoundBefore)
    assert (sound.interrupted_at, sound.kind) == (4.0, "echo")
    assert sound.echo_delay_ms == pytest.approx(140, abs=1)
    (told_at,) = [at for at, event in live.seen if event is sound]
    assert told_at - 4.0 < 1.0


def test_what_is_told_live_is_what_the_tracks_tell_afterwards():
    shown = scene(15, 4, echo_db=-15, delay_ms=90, reverb_s=0.2)
    cuts = [Interrupted(t, n, "agent", 100) for n, t in enumerate((3.51, 7.2, 11.033), 1)]
    live = Live()
    live.play(shown, *cuts)
    found = listen(Lane(shown.user), Lane(shown.agent), cuts, threading.Event(), lambda _s: None)
    kinds = (SpeechStarted, SpeechEnded, EchoHeard, SoundBefore)

    def facts(events) -> list:
        told = [{**event.to_dict(), "noticed_at": 0} for event in events]
        return sorted(told, key=lambda each: (each["t"], each["type"]))

    assert live.events(SpeechStarted)
    assert facts(live.events(*kinds)) == facts(each.event for each in found.events)


def test_a_cough_that_silenced_the_agent_is_no_speech():
    shown = scene(8, 2, user_speaks=False)
    track = shown.user.astype(float)
    track[50_000:54_000] += noise(4000, 3) * 3000
    live = Live()
    live.play(Scene(round_to_samples(track), shown.agent), Interrupted(3.9, 1, "agent", 100))
    assert live.events(SpeechStarted) == []
    (sound,) = live.events(SoundBefore)
    assert sound.kind == "burst"
    assert sound.burst_ms == pytest.approx(250, abs=40)


def test_speech_while_the_agent_is_silent_waits_for_nothing():
    shown = scene(8, 3, agent_speaks=False)
    live = Live()
    live.play(Scene(shown.user, silence(len(shown.user))))
    onsets = live.events(SpeechStarted)
    assert len(onsets) == len(shown.user_speech)
    assert all(each.noticed_at - each.t < 0.25 for each in onsets)
    starts = [start / SAMPLE_RATE for start, _stop in shown.user_speech]
    errors = np.subtract([each.t for each in onsets], starts)
    assert np.abs(errors).max() < 0.03


# -- how soon a class is there ------------------------------------------------------------------

PIECE = 6 * STEP
"""So much of what was heard is told at a time, when its last sample has left the speaker."""


def account_of(shown: Scene, cuts: tuple[float, ...]) -> list[tuple[float, Event]]:
    """Return what a device's account would tell, each with the moment of telling."""
    told: list[tuple[float, Event]] = []
    position = 0
    for start, stop in shown.agent_speech:
        for at in range(start, stop, PIECE):
            until = min(at + PIECE, stop)
            t = at / SAMPLE_RATE
            heard = AgentHeard(t, position, position + until - at, t)
            told.append((until / SAMPLE_RATE, heard))
            position += until - at
    for number in range(len(shown.user) // 4000):
        t = (number + 1) / 4
        told.append((t + 0.01, MicChunkSent(t, 0, 4000, t - 0.25, t, 0.002)))
    for number, t in enumerate(cuts, 1):
        told.append((t + 0.02, Interrupted(t, number, "agent", 9000)))
        told.append((t + 0.05, Silenced(t + 0.03, number, t, t + 0.03)))
    return sorted(told, key=lambda each: each[0])


@pytest.mark.parametrize("echo_db", [None, -15.0])
def test_the_class_of_an_interruption_is_there_within_a_second_of_it(echo_db: float | None):
    cuts = (1.6, 4.0, 7.7, 11.3)
    shown = scene(14, 2, echo_db=echo_db, user_speaks=False)
    # one barge-in that VAD is not sure of when the interrupt comes
    cut_in = scene(14, 1, agent_speaks=False, noise_dbfs=-90.0)
    onset = cut_in.user_speech[0][0]
    word = cut_in.user[onset : onset + SAMPLE_RATE].astype(float)
    track = shown.user.astype(float)
    track[62_400 : 62_400 + SAMPLE_RATE] += word
    shown = Scene(round_to_samples(track), shown.agent, [], shown.agent_speech)
    live, told = Live(), account_of(shown, cuts)
    tracker, cursor = TurnTracker(), 0
    classes: dict[int, list[tuple[float, str | None]]] = {number: [] for number in range(1, 5)}
    for start in range(0, len(shown.user), STEP):
        live.tracks.user.append(shown.user[start : start + STEP])
        live.tracks.agent.append(shown.agent[start : start + STEP])
        live.clock.at += STEP / SAMPLE_RATE
        while told and told[0][0] <= live.clock.now():
            live.timeline.append(told.pop(0)[1])
        live.pump.cycle()
        events, cursor, _ = live.timeline.read(cursor)
        for event in events:
            tracker.feed(event)
        for cut in tracker.interruptions:
            seen = classes[cut.number]
            if not seen or seen[-1][1] != cut.kind:
                seen.append((live.clock.now() - cut.at, cut.kind))
    assert live.pump.stop()
    assert [seen[-1][1] for seen in classes.values()] == ["false", "barge-in", "false", "false"]
    for seen in classes.values():
        assert seen[-1][0] <= 0.9
        # it is not certain first, and then never called anything else
        assert [kind for _, kind in seen[:-1]] in ([], [None])
