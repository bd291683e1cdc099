"""The demo scripts with a fault: what each of them does in a real session, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest

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
SILENT_S = 1.8
"""So long does the caller listen before cutting in."""
CUT_IN_ON = ("stops-late", "never-stops", "reuses-id")
ALONE = "hears-itself"

Sessions = dict[str, Session]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """All those that need no loudspeaker, at once, for each takes its time."""
    folder: Path = tmp_path_factory.mktemp("misbehaving")
    caller = str(write_wav(folder / "caller.wav", np.concatenate((silence(SILENT_S), say(CUT_IN)))))
    with ExitStack() as stack:
        made = {name: _begin(stack, name, caller, "none") for name in CUT_IN_ON}
        made[ALONE] = _begin(stack, ALONE, "none", "none")
        for name, session in made.items():  # by then all their threads are there
            _wait(f"{name} to begin", 20, lambda one=session: _events(one, AgentChunkReceived))
        yield made


def _begin(stack: ExitStack, script: str, microphone: str, speaker: str) -> Session:
    session = Session(DemoAgent(find_script(script)), build_audio(microphone, speaker))
    stack.enter_context(closing(session))
    session.start()
    return session


def _wait(what: str, within_s: float, condition: Callable[[], object]) -> None:
    wait_until(condition, within_s, what)


def _events(session: Session, kind: type[Event]) -> list[Event]:
    return [event for event in session.timeline.read()[0] if isinstance(event, kind)]


def _replies(session: Session) -> int:
    messages = _events(session, MessageReceived)
    return sum(message.kind == "agent_response" for message in messages)


def _drops_audio(session: Session) -> bool:
    return any(message.dropped for message in _events(session, MessageReceived))


def test_one_hears_itself_over_a_loudspeaker(sessions: Sessions, sound_card: SoundCard) -> None:
    with ExitStack() as stack:
        stack.enter_context(sound_card.echo_path(100, 0.1))
        session = _begin(stack, ALONE, "default", "default")
        _wait("two interrupts", 25, lambda: len(_events(session, Interrupted)) >= 2)
        assert session.agent_label == "Demo agent: hears itself"


def test_that_one_says_all_it_has_to_say_where_nothing_is_heard(sessions: Sessions) -> None:
    session = sessions[ALONE]
    _wait("its middle to be heard", 15, lambda: session.now() > 6 and session.agent_speaking)
    assert _events(session, Interrupted) == []


def test_one_stops_a_second_and_a_half_late(sessions: Sessions) -> None:
    late = sessions["stops-late"]
    _wait("the late interrupt", 20, lambda: _events(late, Interrupted))
    onset, cut = _events(late, SpeechStarted)[0], _events(late, Interrupted)[0]
    assert 1.4 < cut.t - onset.t < 2.2


def test_the_answer_of_one_goes_unheard(sessions: Sessions) -> None:
    _wait("an answer that the SDK drops", 20, lambda: _drops_audio(sessions["reuses-id"]))


def test_one_never_stops_and_answers_after_its_last_word(sessions: Sessions) -> None:
    never = sessions["never-stops"]
    _wait("the answer after the last word", 25, lambda: _replies(never) == 2)
    assert _events(never, Interrupted) == []
    assert _events(never, SpeechStarted) != []
