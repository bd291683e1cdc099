"""The demo scripts with a fault: what each of them does in a real session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from app.agents.demo.script import find_script
from app.agents.demo_agent import DemoAgent
from app.live.choices import build_audio
from app.live.session import Session
from app.timeline.events import (
    AgentChunkReceived,
    Event,
    Interrupted,
    MessageReceived,
    SpeechStarted,
)
from tests.rig.sound_card import SoundCard
from tests.rig.speech import say, silence, write_wav
from tests.rig.waiting import wait_until

CUT_IN = "Excuse me, I have a question, and I will go on until I am heard by you."


@contextmanager
def _talking(script: str, microphone: str, speaker: str) -> Iterator[Session]:
    session = Session(DemoAgent(find_script(script)), build_audio(microphone, speaker))
    session.start()
    try:
        yield session
    finally:
        session.close()


def _wait(what: str, within_s: float, condition: Callable[[], object]) -> None:
    wait_until(condition, within_s, what)


def _events(session: Session, kind: type[Event]) -> list[Event]:
    return [event for event in session.timeline.read()[0] if isinstance(event, kind)]


def _replies(session: Session) -> int:
    messages = _events(session, MessageReceived)
    return sum(message.kind == "agent_response" for message in messages)


def _drops_audio(session: Session) -> bool:
    return any(message.dropped for message in _events(session, MessageReceived))


def _caller(folder: Path) -> str:
    """Somebody who is silent for three seconds, and then cuts in."""
    return str(write_wav(folder / "caller.wav", np.concatenate((silence(3.0), say(CUT_IN)))))


def test_one_hears_itself_over_a_loudspeaker(sound_card: SoundCard) -> None:
    with sound_card.echo_path(100, 0.1), _talking("hears-itself", "default", "default") as session:
        _wait("two interrupts", 25, lambda: len(_events(session, Interrupted)) >= 2)
        assert session.agent_label == "Demo agent: hears itself"


def test_that_one_says_all_it_has_to_say_where_nothing_is_heard() -> None:
    with _talking("hears-itself", "none", "none") as session:
        _wait("a greeting", 15, lambda: _events(session, AgentChunkReceived))
        _wait("its middle to be heard", 15, lambda: session.now() > 6 and session.agent_speaking)
        assert _events(session, Interrupted) == []


def test_cut_in_on_one_stops_late_one_never_and_one_answers_unheard(tmp_path: Path) -> None:
    """Three sessions at once, for each takes its time."""
    caller = _caller(tmp_path)
    with (
        _talking("stops-late", caller, "none") as late,
        _talking("never-stops", caller, "none") as never,
        _talking("reuses-id", caller, "none") as reusing,
    ):
        _wait("the late interrupt", 20, lambda: _events(late, Interrupted))
        onset, cut = _events(late, SpeechStarted)[0], _events(late, Interrupted)[0]
        assert 1.4 < cut.t - onset.t < 2.2
        _wait("an answer that the SDK drops", 20, lambda: _drops_audio(reusing))
        _wait("the answer after the last word", 25, lambda: _replies(never) == 2)
        assert _events(never, Interrupted) == []
        assert _events(never, SpeechStarted) != []
