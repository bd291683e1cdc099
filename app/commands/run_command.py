"""``turnscope run`` and ``turnscope replay``: from their options to a session.

The main thread enters.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

from app.agents.base import Agent
from app.agents.demo.script import find_script, load_script
from app.agents.demo_agent import DemoAgent
from app.agents.elevenlabs import ElevenLabsAgent, check_base_url
from app.commands.run import RunPlan, run_session
from app.commands.streams import say
from app.live.choices import (
    DEFAULT,
    build_audio,
    check_input,
    end_of_input,
    load_interface,
    replayed_by,
)
from app.live.session import Session, SessionFacts
from app.notices import AppError, NoticeBoard
from app.recordings.replayed import Replayed, find_replayed
from app.recordings.session_path import find_recording
from app.settings import SettingsFile
from app.tap.tap import CarriesAudio


def run(options: argparse.Namespace) -> int:
    """Run the session that ``options`` ask for, and return the exit code.

    Raises:
        AppError: the options make no sense.
        AudioError: a device or a file cannot be used.
        ScriptError: the demo agent's script is faulty.

    """
    agent = _agent(options)
    if options.audio:
        own = load_interface(_alone(options))
        return _run(options, agent, own, _Choices(options.audio, options.audio))
    microphone, speaker = options.mic or DEFAULT, options.speaker or DEFAULT
    replayed = replayed_by(microphone)
    audio = build_audio(replayed or microphone, speaker)
    return _run(options, agent, audio, _Choices(microphone, speaker, replayed))


def replay(options: argparse.Namespace) -> int:
    """Run a session in which a caller speaks again, and return the exit code; raises as ``run``."""
    agent = _agent(options)
    replayed = find_replayed(find_recording(options.recording), swap=options.swap)
    audio = build_audio(replayed, options.speaker)
    return _run(options, agent, audio, _Choices(replayed.name, options.speaker, replayed))


class _Choices(NamedTuple):
    microphone: str
    speaker: str
    replayed: Replayed | None = None


def _run(options: argparse.Namespace, agent: Agent, audio: CarriesAudio, chosen: _Choices) -> int:
    check_input(audio)  # before an agent is begun, which takes its time
    session = Session(agent, audio, record_to=_folder(options), facts=_facts(options, chosen))
    plan = RunPlan(
        seconds=options.seconds,
        interrupt_at=tuple(options.interrupt_at),
        input_ended=end_of_input(audio),
        quiet_s=options.quiet_for,
        title=options.title,
    )
    try:
        return run_session(session, plan, sys.stdout, sys.stderr, as_json=options.json)
    finally:
        session.close()


def _agent(options: argparse.Namespace) -> Agent:
    kind, _, agent_id = options.agent.partition(":")
    if kind == DemoAgent.kind and not agent_id:
        _refuse(options.base_url, "--base-url", "elevenlabs:AGENT_ID")
        _refuse(options.no_key, "--no-key", "elevenlabs:AGENT_ID")
        if options.script is None:
            return DemoAgent()
        script = find_script(options.script)
        load_script(script)
        return DemoAgent(script)
    if kind == ElevenLabsAgent.kind and agent_id:
        _refuse(options.script, "--script", "demo")
        check_base_url(options.base_url)
        return ElevenLabsAgent(agent_id, base_url=options.base_url, use_key=not options.no_key)
    raise AppError(
        f"“{options.agent}” names no agent.", "Give --agent demo, or --agent elevenlabs:AGENT_ID."
    )


def _refuse(given: object, option: str, agent: str) -> None:
    if given:
        raise AppError(f"{option} can only be given with --agent {agent}.")


def _alone(options: argparse.Namespace) -> str:
    for option, given in (("--mic", options.mic), ("--speaker", options.speaker)):
        if given is not None:
            raise AppError(
                f"{option} cannot be given beside --audio.",
                "The class of --audio takes the place of both.",
            )
    return str(options.audio)


def _folder(options: argparse.Namespace) -> Path | None:
    """Return where the recording goes: where it is told to, else where the window keeps its own."""
    if options.no_record:
        if options.title:
            raise AppError("--title is kept in the recording: it cannot go with --no-record.")
        return None
    if options.record is not None:
        return Path(options.record)
    notices = NoticeBoard()
    folder = SettingsFile(notices=notices).load().recordings_folder
    for notice in notices.read()[0]:
        say(notice.sentence, notice.advice)
    return folder


def _facts(options: argparse.Namespace, chosen: _Choices) -> SessionFacts:
    replayed = chosen.replayed
    return SessionFacts(
        microphone=chosen.microphone,
        speaker=chosen.speaker,
        replays=replayed.name if replayed is not None else "",
        settings={
            "base_url": options.base_url,
            "use_key": not options.no_key,
            "demo_script": options.script.name if options.script is not None else "",
            **(replayed.settings() if replayed is not None else {}),
        },
    )
