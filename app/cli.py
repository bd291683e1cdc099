"""The commands. Everything a person reads on a terminal is written here or in ``run``."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from types import FrameType

from app.agents.base import Agent
from app.agents.demo.errors import DemoError, ScriptError
from app.agents.demo.gate import Address
from app.agents.demo.script import load_script
from app.agents.demo_agent import DemoAgent
from app.agents.elevenlabs import ElevenLabsAgent, check_base_url
from app.choices import build_audio, end_of_input, load_interface, replayed_bundle
from app.logs import set_up_logs
from app.notices import AppError, Notice, explain
from app.run import DEVICE_OR_FILE, FAILED, INTERRUPTED, OK, USAGE, RunPlan, run_session
from app.secrets import (
    ENVIRONMENT,
    ApiKey,
    KeyringUnavailable,
    find_api_key,
    forget_api_key,
    store_api_key,
)
from app.session import Session, SessionFacts
from app.tap import CarriesAudio
from audio.devices import list_devices
from audio.errors import AudioError

log = logging.getLogger(__name__)

WindowOpener = Callable[[], int]

ABOUT = """\
Talk to a voice agent through Turnscope, and see, hear and record what was said, what was really
played, and how fast the agent fell silent when you cut in.

Without a command, the window opens."""

EXAMPLES = """\
examples:
  turnscope
      open the window
  turnscope run --agent demo
      talk to the demo agent on the default devices, until Ctrl+C
  turnscope run --agent demo --mic caller.wav --speaker none --record recordings
      no sound card needed: caller.wav speaks, nobody listens, the recording tells
  turnscope run --agent elevenlabs:agent_0123 --mic caller.wav --speaker heard.wav --json
      an agent of yours, with the key of the keyring or of ELEVENLABS_API_KEY
  turnscope run --agent demo --mic recordings/2026-11-22_10-15-03_demo --speaker none
      let the caller of a recording speak again
  turnscope devices
      what can be given to --mic and --speaker"""

RUN_ABOUT = """\
Run one session without a screen. Progress goes to stderr, the summary to stdout.

Ctrl+C ends the session properly: the recording is whole, and the summary is written."""

RUN_EPILOG = f"""\
exit codes:
  {OK}    the session ended as it should: by --seconds, at the end of the file, or by the agent
  {FAILED}    the session failed: key refused, agent unknown, no network, server closed or silent
  {USAGE}    the command makes no sense
  {DEVICE_OR_FILE}    a device or a file cannot be used, or nothing can be recorded
  {INTERRUPTED}  Ctrl+C"""


def main(arguments: Sequence[str] | None, open_window: WindowOpener) -> int:
    """Run the command that ``arguments`` give, else open the window; return the exit code."""
    options = build_parser().parse_args(arguments)
    # The SDK logs every end of a conversation as an error: on a terminal that would be said twice.
    level = logging.INFO if options.verbose else logging.CRITICAL
    set_up_logs(stderr_level=level)
    command: Callable[[argparse.Namespace], int] | None = options.handler
    try:
        with _polite_kill():
            return open_window() if command is None else command(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except ScriptError as error:
        _say(Notice("error", str(error)))
        return USAGE
    except (AppError, AudioError, DemoError, KeyringUnavailable) as error:
        _say(explain(error) if not isinstance(error, DemoError) else Notice("error", str(error)))
        return DEVICE_OR_FILE if isinstance(error, AudioError | DemoError) else USAGE


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "turnscope", description=ABOUT, epilog=EXAMPLES, formatter_class=raw
    )
    parser.set_defaults(handler=None)
    parser.add_argument("--version", action="version", version=f"turnscope {_version()}")
    parser.add_argument("--verbose", action="store_true", help="write the log to stderr as well")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_run(
        commands.add_parser(
            "run",
            help="run a session without a screen",
            description=RUN_ABOUT,
            epilog=RUN_EPILOG,
            formatter_class=raw,
        )
    )
    _add_devices(commands.add_parser("devices", help="list microphones and speakers"))
    _add_demo_server(
        commands.add_parser("demo-server", help="serve the demo agent to a client of your own")
    )
    _add_key(commands.add_parser("key", help="store, forget or look for the API key"))
    return parser


# -- run ---------------------------------------------------------------------------------------


def _add_run(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--agent", default="demo", metavar="AGENT", help="demo, or elevenlabs:AGENT_ID")
    add("--base-url", default="", metavar="URL", help="another region, or your own deployment")
    add("--no-key", action="store_true", help="send no API key: for agents that are public")
    add("--script", type=Path, metavar="FILE", help="what the demo agent says and does")
    add(
        "--mic",
        default="default",
        metavar="MIC",
        help="default, a device, none, an audio file, or a recording to replay",
    )
    add(
        "--speaker",
        default="default",
        metavar="SPEAKER",
        help="default, a device, none, or a .wav file to write",
    )
    add("--audio", metavar="MODULE:CLASS", help="your own AudioInterface in place of both")
    add("--record", type=Path, metavar="DIR", help="keep a recording in a new folder in DIR")
    add("--seconds", type=_seconds, metavar="N", help="end after N seconds")
    add(
        "--interrupt-at",
        type=_seconds,
        action="append",
        default=[],
        metavar="S",
        help="interrupt the agent after S seconds; may be given more than once",
    )
    add(
        "--quiet-for",
        type=_seconds,
        default=4.0,
        metavar="N",
        help="end when the file has ended and both were quiet for N seconds (default 4)",
    )
    add("--json", action="store_true", help="write the summary as one JSON object")
    parser.set_defaults(handler=_run)


def _run(options: argparse.Namespace) -> int:
    audio = _audio(options)
    session = Session(_agent(options), audio, record_to=options.record, facts=_facts(options))
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
    if options.audio:
        return load_interface(options.audio)
    return build_audio(options.mic, options.speaker)


def _facts(options: argparse.Namespace) -> SessionFacts:
    replayed = replayed_bundle(options.mic)
    return SessionFacts(
        microphone=options.audio or options.mic,
        speaker=options.audio or options.speaker,
        replays=replayed.name if replayed is not None else "",
        settings={"base_url": options.base_url, "use_key": not options.no_key},
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e7:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of seconds")
    return seconds


# -- devices -----------------------------------------------------------------------------------


def _add_devices(parser: argparse.ArgumentParser) -> None:
    parser.description = "List microphones and speakers by the names that --mic and --speaker take."
    parser.add_argument("--json", action="store_true", help="write one JSON array")
    parser.set_defaults(handler=_devices)


def _devices(options: argparse.Namespace) -> int:
    devices = list_devices()
    if options.json:
        found = [
            {"id": one.id, "label": one.label, "role": one.role, "is_default": one.is_default}
            for one in devices
        ]
        print(json.dumps(found, ensure_ascii=False))
        return OK
    for role, heading in (("microphone", "Microphones"), ("speaker", "Speakers")):
        print(f"{heading}:")
        those = [one for one in devices if one.role == role]
        for one in those:
            print(f"  {'*' if one.is_default else ' '} {one.label}\n      {one.id}")
        if not those:
            print("    none: give --mic a file or “none”, and --speaker “none” or a .wav file")
    print("\n* is the default.")
    return OK


# -- demo-server -------------------------------------------------------------------------------


def _add_demo_server(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Serve the demo agent on this machine until Ctrl+C. It speaks the ElevenLabs Agents "
        "protocol, so that a client of your own can be tried against it."
    )
    parser.add_argument("--port", type=int, default=0, metavar="N", help="by default a free one")
    parser.add_argument("--script", type=Path, metavar="FILE", help="what it says and does")
    parser.set_defaults(handler=_demo_server)


def _demo_server(options: argparse.Namespace) -> int:
    from app.agents.demo.server import run_demo_server

    return run_demo_server(options.port, options.script, _announce)


def _announce(address: Address) -> None:
    print(
        f"""\
base URL   {address.base_url}
agent id   {address.agent_id}
key        {address.key}

from elevenlabs.client import ElevenLabs
from elevenlabs.conversational_ai.conversation import Conversation
from audio import DefaultAudioInterface

client = ElevenLabs(api_key="{address.key}", base_url="{address.base_url}")
conversation = Conversation(
    client, "{address.agent_id}", requires_auth=True, audio_interface=DefaultAudioInterface()
)
conversation.start_session()

Ctrl+C ends the demo agent.""",
        flush=True,
    )


# -- key ---------------------------------------------------------------------------------------


def _add_key(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        f"The API key is kept in the keyring of the desktop; {ENVIRONMENT} is the second choice."
    )
    parser.add_argument("action", choices=("set", "forget", "status"))
    parser.set_defaults(handler=_key)


def _key(options: argparse.Namespace) -> int:
    if options.action == "set":
        return _key_set()
    if options.action == "forget":
        forget_api_key()
        print("The keyring holds no API key any more.")
        return OK
    key = find_api_key()
    where = {"keyring": "in the keyring", "environment": f"in {ENVIRONMENT}"}
    print("There is no API key." if key is None else f"There is an API key {where[key.source]}.")
    return OK if key is not None else FAILED


def _key_set() -> int:
    # From a pipe as from a terminal, but never from the command line, which others can read.
    prompt = "API key (it is not shown): "
    text = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline()
    if not text.strip():
        _say(Notice("error", "No key was given, and nothing was changed."))
        return USAGE
    store_api_key(ApiKey(text))
    print("The API key is in the keyring now.")
    return OK


# -- all of them -------------------------------------------------------------------------------


def _say(notice: Notice) -> None:
    print(f"turnscope: {notice.sentence} {notice.advice}".rstrip(), file=sys.stderr)


def _version() -> str:
    try:
        return metadata.version("turnscope")
    except metadata.PackageNotFoundError:
        return "(not installed)"


@contextlib.contextmanager
def _polite_kill() -> Iterator[None]:
    """Have SIGTERM end a command as Ctrl+C does: with the recording whole."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread, as in a test
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
