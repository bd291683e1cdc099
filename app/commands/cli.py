"""The commands. Everything a person reads on a terminal is written here or in ``run``.

What a command needs is imported by it: the window, which is the most wanted, waits for none of it.
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from app.commands import (
    cli_check,
    cli_compare,
    cli_export,
    cli_open,
    cli_recover,
    cli_replay,
    cli_report,
    cli_run,
    cli_sessions,
)
from app.commands.exit_codes import DEVICE_OR_FILE, FAILED, INTERRUPTED, OK, USAGE
from app.commands.streams import give_up_stdout, mend_streams, say
from app.logs import set_up_logs
from app.plain import printable
from app.secrets import ENVIRONMENT, ApiKey, find_api_key, forget_api_key, store_api_key

if TYPE_CHECKING:
    from app.agents.demo.gate import Address
    from app.export.motif import Draw

log = logging.getLogger(__name__)

WindowOpener = Callable[..., int]
"""Opens the window, with the recording at the path it is given, or without one."""

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
  turnscope open recordings/2026-11-22_10-15-03_demo
      look at a recording, or at any audio file
  turnscope replay recordings/2026-11-22_10-15-03_demo --agent elevenlabs:agent_0123
      let the caller of a recording speak to another agent
  turnscope compare recordings/2026-11-22_10-15-03_demo recordings/2026-11-22_10-20-41_demo
      what that agent did otherwise
  turnscope report recordings/2026-11-22_10-15-03_demo
      what is wrong with it, in plain words
  turnscope check recordings --max-mouth-to-silence 600ms
      whether its sessions keep a limit, for a build machine
  turnscope devices
      what can be given to --mic and --speaker"""


def main(
    arguments: Sequence[str] | None,
    open_window: WindowOpener,
    get_draw: Callable[[], Draw] | None = None,
) -> int:
    """Run the command that ``arguments`` give, else open the window; return the exit code.

    ``get_draw`` returns what draws the timeline, or raises ``AppError`` where nothing can.
    """
    mend_streams()
    try:
        options = _parse(arguments)
        options.get_draw = get_draw
        # The SDK logs every end of a conversation as an error: a terminal would be told twice.
        level = logging.INFO if options.verbose else logging.CRITICAL
        set_up_logs(stderr_level=level)
        command: Callable[[argparse.Namespace], int] | None = options.handler
        with _polite_kill():
            code = cli_open.open_in(options, open_window) if command is None else command(options)
            sys.stdout.flush()
            return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        failed = _say_why(error)
        if failed is None:
            raise
        return failed


def _say_why(error: Exception) -> int | None:
    """Say why a command failed, and return its exit code; None where the program is at fault."""
    from app.agents.demo.errors import DemoError, ScriptError
    from app.notices import AppError, explain
    from app.secrets import KeyringUnavailable
    from audio.errors import AudioError

    if isinstance(error, OSError):
        log.info("A command failed", exc_info=error)
        give_up_stdout()
        if isinstance(error, BrokenPipeError):  # whoever read it has had enough
            return FAILED
    if isinstance(error, DemoError):
        say(str(error))
        return USAGE if isinstance(error, ScriptError) else DEVICE_OR_FILE
    if not isinstance(error, OSError | AppError | AudioError | KeyringUnavailable):
        return None
    notice = explain(error)
    say(notice.sentence, notice.advice)
    return DEVICE_OR_FILE if isinstance(error, OSError | AudioError) else USAGE


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    try:
        return build_parser().parse_args(arguments)
    finally:
        sys.stdout.flush()  # the version is written by now, or raises where it can be told


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "turnscope", description=ABOUT, epilog=EXAMPLES, formatter_class=raw
    )
    parser.set_defaults(handler=None)
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    parser.add_argument("--verbose", action="store_true", help="write the log to stderr as well")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    cli_run.add(commands)
    cli_replay.add(commands)
    cli_compare.add(commands)
    cli_report.add(commands)
    cli_check.add(commands)
    cli_export.add(commands)
    cli_open.add(commands)
    _add_devices(commands.add_parser("devices", help="list microphones and speakers"))
    _add_demo_server(
        commands.add_parser("demo-server", help="serve the demo agent to a client of your own")
    )
    cli_sessions.add(commands)
    cli_recover.add(commands)
    _add_key(commands.add_parser("key", help="store, forget or look for the API key"))
    return parser


# -- devices -----------------------------------------------------------------------------------


def _add_devices(parser: argparse.ArgumentParser) -> None:
    parser.description = "List microphones and speakers by the names that --mic and --speaker take."
    parser.add_argument("--json", action="store_true", help="write one JSON array")
    parser.set_defaults(handler=_devices)


def _devices(options: argparse.Namespace) -> int:
    from audio.devices import list_devices

    devices = list_devices()
    if options.json:
        found = [
            {"id": one.id, "label": one.label, "role": one.role, "is_default": one.is_default}
            for one in devices
        ]
        print(json.dumps(found))
        return OK
    for role, heading in (("microphone", "Microphones"), ("speaker", "Speakers")):
        print(f"{heading}:")
        those = [one for one in devices if one.role == role]
        for one in those:
            mark = "*" if one.is_default else " "
            print(f"  {mark} {printable(one.label)}\n      {printable(one.id)}")
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
    parser.add_argument(
        "--script", type=Path, metavar="SCRIPT", help="what it says and does: as for “run”"
    )
    parser.set_defaults(handler=_demo_server)


def _demo_server(options: argparse.Namespace) -> int:
    from app.agents.demo.script import find_script
    from app.agents.demo.server import run_demo_server

    script = None if options.script is None else find_script(options.script)
    return run_demo_server(options.port, script, _announce)


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
        say("No key was given, and nothing was changed.")
        return USAGE
    store_api_key(ApiKey(text))
    print("The API key is in the keyring now.")
    return OK


# -- all of them -------------------------------------------------------------------------------


class _ShowVersion(argparse.Action):
    """Looks the version up where it is asked for: that takes a moment."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata

        try:
            version = metadata.version("turnscope")
        except metadata.PackageNotFoundError:
            version = "(not installed)"
        print(f"turnscope {version}")
        parser.exit()


@contextlib.contextmanager
def _polite_kill() -> Iterator[None]:
    """Have SIGTERM, and a terminal that is closed, end a command as Ctrl+C does."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before: dict[int, Any] = {}
    try:
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, interrupt)
    except ValueError:  # not the main thread, as in a test
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
