"""``turnscope run``: from the options of the command to a session. The main thread enters."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.agents.base import Agent
from app.agents.demo.script import load_script
from app.agents.demo_agent import DemoAgent
from app.agents.elevenlabs import ElevenLabsAgent, check_base_url
from app.choices import DEFAULT, build_audio, end_of_input, load_interface, replayed_bundle
from app.notices import AppError, NoticeBoard
from app.run import RunPlan, run_session
from app.session import Session, SessionFacts
from app.settings import SettingsFile
from app.streams import say
from app.tap import CarriesAudio


def run(options: argparse.Namespace) -> int:
    """Run the session that ``options`` ask for, and return the exit code.

    Raises:
        AppError: the options make no sense.
        AudioError: a device or a file cannot be used.
        ScriptError: the demo agent's script is faulty.

    """
    agent, audio = _agent(options), _audio(options)
    session = Session(agent, audio, record_to=_folder(options), facts=_facts(options))
    plan = RunPlan(
        seconds=options.seconds,
        interrupt_at=tuple(options.interrupt_at),
        input_ended=end_of_input(audio),
        quiet_s=options.quiet_for,
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
        if options.script is not None:
            load_script(options.script)
        return DemoAgent(options.script)
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


def _audio(options: argparse.Namespace) -> CarriesAudio:
    if not options.audio:
        return build_audio(options.mic or DEFAULT, options.speaker or DEFAULT)
    for option, given in (("--mic", options.mic), ("--speaker", options.speaker)):
        if given is not None:
            raise AppError(
                f"{option} cannot be given beside --audio.",
                "The class of --audio takes the place of both.",
            )
    return load_interface(options.audio)


def _folder(options: argparse.Namespace) -> Path | None:
    """Return where the recording goes: where it is told to, else where the window keeps its own."""
    if options.no_record:
        return None
    if options.record is not None:
        return Path(options.record)
    notices = NoticeBoard()
    folder = SettingsFile(notices=notices).load().recordings_folder
    for notice in notices.read()[0]:
        say(notice.sentence, notice.advice)
    return folder


def _facts(options: argparse.Namespace) -> SessionFacts:
    replayed = None if options.audio else replayed_bundle(options.mic or DEFAULT)
    return SessionFacts(
        microphone=options.audio or options.mic or DEFAULT,
        speaker=options.audio or options.speaker or DEFAULT,
        replays=replayed.name if replayed is not None else "",
        settings={
            "base_url": options.base_url,
            "use_key": not options.no_key,
            "demo_script": options.script.name if options.script is not None else "",
        },
    )
