"""Play one scenario through the real parts, and keep what was recorded and what was true.

``python -m tests.truth.playing NAME FOLDER``: a process, a sound card and an agent for one session.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from app.__main__ import SWITCH_S
from app.analysis.turns import TurnTracker
from app.live.session import Session, SessionFacts, State
from app.recordings.turns_found import TurnsFound
from audio import clock
from audio.default import DeviceSink, DeviceSource
from audio.duplex import DuplexInterface
from audio.pcm import SAMPLE_RATE
from tests.rig.monitor import Monitor
from tests.rig.sound_card import MICROPHONE, SoundCard
from tests.rig.speech import write_wav
from tests.rig.waiting import wait_until
from tests.truth.hearing import Ears, recorded_turns
from tests.truth.keeping_up import KeepingUp
from tests.truth.same_records import differences
from tests.truth.scenario import Cut, Scenario
from tests.truth.scripted_agent import ScriptedAgent
from tests.truth.truth import Truth

LOOK_S = 0.1
"""How often the live records are read, as a window does."""
PRIORITY = 5
"""Of the sound server, and of those who play and hear, where the system lets us: what a busy
machine does to sound is not what is to be judged."""
SPEAK_DELAY_S = 0.05
"""From starting to play to the first sample in the microphone, more or less: truth is measured."""


class _Live:
    """The events of a running session, fed to a tracker that is read all the time."""

    def __init__(self, session: Session) -> None:
        self.tracker = TurnTracker()
        self.session = session
        self.keeping_up = KeepingUp()
        self._cursor = 0

    def look(self) -> None:
        events, self._cursor, _ = self.session.timeline.read(self._cursor)
        for event in events:
            self.tracker.feed(event)
        # reading must not change what is found
        self.keeping_up.look(TurnsFound.of(self.tracker), self.session.now())


def play(scenario: Scenario, folder: Path) -> Truth:
    """Play it, and leave recording, monitors and truth in ``folder``, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    track = scenario.track()
    with contextlib.ExitStack() as stack:
        with _prompt():
            card = stack.enter_context(SoundCard())
            stack.enter_context(card.in_this_process())
            stack.enter_context(_echo(card, scenario))
            speaker = stack.enter_context(card.monitor())
            microphone = stack.enter_context(card.monitor(MICROPHONE))
        agent = stack.enter_context(ScriptedAgent(scenario))
        session = _session(scenario, agent, folder)
        live = _Live(session)
        session.start()
        zero = clock.now() - session.now()
        wait_until(lambda: session.state is State.RUNNING, 20, "the session to run")
        wait_until(lambda: agent.mic_bytes, 10, "the microphone to be heard")
        began = clock.now() + SPEAK_DELAY_S
        with _prompt():
            said = card.speak(track)
        agent.begin(began)
        presses = _follow(scenario, session, live, began)
        said.wait()
        session.end()
        assert session.wait(10), "the session did not end"
        live.look()
        truth = _truth(scenario, agent, Ears(speaker, microphone, zero, began), presses, live)
        _keep(folder, truth, speaker, microphone)
    return truth


def _session(scenario: Scenario, agent: ScriptedAgent, folder: Path) -> Session:
    frames = scenario.setting.mic_ms * SAMPLE_RATE // 1000
    audio = DuplexInterface(DeviceSource(), DeviceSink(), input_frames=frames)
    return Session(agent, audio, record_to=folder, facts=SessionFacts("virtual", "virtual"))


@contextlib.contextmanager
def _prompt() -> Iterator[None]:
    """Let this thread go before others, and with it whatever it starts, until the block ends."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except PermissionError:
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@contextlib.contextmanager
def _echo(card: SoundCard, scenario: Scenario) -> Iterator[None]:
    echo = scenario.setting.echo
    if echo is None:
        yield
        return
    with card.echo_path(echo.delay_ms, 10 ** (echo.gain_db / 20)):
        yield


def _follow(scenario: Scenario, session: Session, live: _Live, began: float) -> list[float]:
    """Let the session run its course; return when the button was pressed."""
    buttons = [cut for cut in scenario.actions if isinstance(cut, Cut) and cut.kind == "button"]
    presses: list[float] = []
    pause = threading.Event()
    while (at := clock.now() - began) < scenario.seconds:
        due = buttons[0].at if buttons else float("inf")
        if due <= at:
            buttons.pop(0)
            presses.append(clock.now())
            session.interrupt()
        live.look()
        pause.wait(max(0.0, min(LOOK_S, due - at)))
        assert not session.state.over, session.sentence
    return presses


def _truth(
    scenario: Scenario, agent: ScriptedAgent, ears: Ears, presses: list[float], live: _Live
) -> Truth:
    bundle = live.session.bundle
    assert bundle is not None
    recorded = recorded_turns(bundle)
    return Truth(
        scenario.name,
        scenario.setting.surroundings,
        ears.speech(scenario),
        ears.cuts(scenario, agent, presses),
        ears.heard,
        ears.coughs(scenario),
        ears.echo(scenario),
        sum(sent.speech.duration_ms for sent in agent.replies if sent.reply.shares_id),
        differences(TurnsFound.of(live.tracker), recorded),
        dict(recorded.summary().troubles),
        bundle.name,
        live.keeping_up.shown(recorded),
    )


def _keep(folder: Path, truth: Truth, speaker: Monitor, microphone: Monitor) -> None:
    write_wav(folder / "speaker-monitor.wav", speaker.samples)
    write_wav(folder / "microphone-monitor.wav", microphone.samples)
    truth.save(folder)


def main() -> None:
    """Play the scenario that is named."""
    from tests.truth.scenarios import SCENARIOS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(SCENARIOS))
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    sys.setswitchinterval(SWITCH_S)  # as the program does
    play(SCENARIOS[arguments.name], arguments.folder)


if __name__ == "__main__":
    main()
