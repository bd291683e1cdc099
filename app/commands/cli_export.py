"""``turnscope export``: a session, or a stretch of it, to files. The main thread enters."""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.commands.exit_codes import DEVICE_OR_FILE, FAILED, INTERRUPTED, OK, USAGE
from app.commands.streams import say
from app.plain import printable

if TYPE_CHECKING:
    from app.export.formats import Order

LEAST_SIZE, MOST_SIZE = (320, 240), (16_384, 8192)
"""Of a picture, in pixels each way: what there is room for in it, and what memory holds."""

Commands = Any
"""What ``add_subparsers`` returns; its type has no public name."""

ABOUT = """\
Write a session, or a stretch of it, in formats that other tools read.

SESSION is a recording's folder, a zip of one, or an audio file (of which audio and pictures can be
had). The files that were written are listed on stdout, progress goes to stderr. All of them appear
in the end, or none; nothing that is there is replaced without --force."""

EPILOG = f"""\
formats:
{{formats}}

  png and svg show the timeline with all its interruptions, --size pixels large; no display is
  needed. What the window shows at the moment is exported from there.

times:
  With --from or --to, every format holds that stretch alone, and its times count from the
  beginning of the stretch; a picture's ruler goes on telling the session's time. --agent received
  has no place on that clock: it writes what the agent sent for that time, heard or not, back to
  back into a file of its own.

privacy:
  --no-user leaves the user's voice out of audio and zip (where it is silence of the same length).
  The user's words stay in texts, tables, JSON and zip, unless --no-user-text is given as well.
  A picture shows when and how loud the user spoke in any case, and no words.
  What the agent said stays in any case, even where it repeats the user.

examples:
  turnscope export recordings/2026-11-22_10-15-03_demo --format wav,srt
      a stereo file and subtitles, in the folder where you are
  turnscope export talk.zip --format csv,json --out figures/
  turnscope export talk.zip --format mp3 --from 1:20 --to 1:35.5 --out cut-in.mp3
  turnscope export talk.zip --format png,svg --size 2400x600 --theme dark
  turnscope export talk.zip --format zip --no-user --no-user-text --out shared.zip

exit codes:
  {OK}    everything was written
  {FAILED}    whoever read the list of files went away
  {USAGE}    the command makes no sense, the session has no such thing, or a file is there already
  {DEVICE_OR_FILE}    a file cannot be read or written
  {INTERRUPTED}  Ctrl+C; nothing was written"""


def add(commands: Commands) -> None:
    """Add the command to the parser's ``commands``."""
    from app.export.formats import FORMATS

    listed = [f"  {each.id:<8}{each.name}: {_lower(each.sentence)}" for each in FORMATS]
    parser = commands.add_parser(
        "export",
        help="write a session as audio, subtitles, tables, labels, JSON, zip or picture",
        description=ABOUT,
        epilog=EPILOG.format(formats="\n".join(listed)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_options(parser)
    parser.set_defaults(handler=_export)


def _lower(sentence: str) -> str:
    first = sentence.split(" ", 1)[0]
    return sentence if first.isupper() else sentence[0].lower() + sentence[1:]


def _add_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("session", type=Path, metavar="SESSION", help="a recording, a zip of one, or an audio file")
    add(
        "--format",
        dest="formats",
        action="append",
        type=_formats,
        required=True,
        metavar="F[,F…]",
        help="which formats; see below",
    )
    add("--from", dest="start_s", type=_moment, metavar="S", help="begin at S seconds, or m:ss")
    add("--to", dest="stop_s", type=_moment, metavar="S", help="end at S seconds, or m:ss")
    add(
        "--out",
        type=Path,
        metavar="PATH",
        help="a folder that is there; else the name of the only file, or what the names of several "
        "begin with (default: the session's name, in the folder where you are)",
    )
    add(
        "--agent",
        choices=("heard", "received"),
        default="heard",
        help="the agent's audio as it was heard (default), or all that was received",
    )
    add("--no-user", action="store_true", help="leave the user's voice out")
    add("--no-user-text", action="store_true", help="leave the user's words out")
    add("--swap", action="store_true", help="of a stereo file: the user is on the right")
    add(
        "--size",
        type=_size,
        default=(1600, 500),
        metavar="WxH",
        help="of a picture, in pixels (default: 1600x500)",
    )
    add(
        "--theme",
        choices=("light", "dark"),
        default="light",
        help="of a picture: light (default) or dark",
    )
    add("--force", action="store_true", help="replace files that are there")
    add("--json", action="store_true", help="write the list of files as one JSON object")


def _formats(text: str) -> list[str]:
    """Return the formats in a list with commas.

    Raises:
        ArgumentTypeError: one is not known.

    """
    from app.export.formats import FORMATS

    known = [each.id for each in FORMATS]
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(
                f"there is no format “{printable(name)}”: there are {', '.join(known)}"
            )
    return names


def _moment(text: str) -> float:
    """Return the seconds that ``12.5``, ``1:02.5`` or ``1:00:02`` stand for."""
    seconds = 0.0
    try:
        parts = [float(part) for part in text.split(":")]
        if len(parts) > 3 or any(not 0 <= part < 1e7 for part in parts):
            raise ValueError(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{printable(text)}” is no time in a session") from None
    for part in parts:
        seconds = seconds * 60 + part
    return seconds


def _size(text: str) -> tuple[int, int]:
    """Return the width and height in pixels that ``1600x500`` stands for."""
    found = re.fullmatch(r"(\d{1,6})[xX×](\d{1,6})", text.strip())
    size = (int(found[1]), int(found[2])) if found else (0, 0)
    (least_width, least_height), (most_width, most_height) = LEAST_SIZE, MOST_SIZE
    if not (least_width <= size[0] <= most_width and least_height <= size[1] <= most_height):
        raise argparse.ArgumentTypeError(
            f"“{printable(text)}” is no size from {least_width}x{least_height} "
            f"to {most_width}x{most_height} pixels"
        )
    return size


def _export(options: argparse.Namespace) -> int:
    from app.export.errors import Cancelled, TargetsExist
    from app.export.exporting import export

    order = _order(options)
    progress = _Progress(sys.stderr.isatty())
    try:
        with _calling_off() as called_off:
            written = export(order, progress.tell, called_off.is_set)
    except TargetsExist as error:
        progress.clear()
        say(str(error), "Choose another name with --out, or replace them with --force.")
        return USAGE
    except Cancelled:
        return INTERRUPTED
    finally:
        progress.clear()
    _report(written, as_json=options.json)
    return OK


@contextlib.contextmanager
def _calling_off() -> Iterator[threading.Event]:
    """Give an event that the first Ctrl+C sets; the second one acts as it always does.

    An encoder calls back into Python, and an exception that is raised there is lost.
    """
    called_off = threading.Event()
    before: dict[int, Any] = {}

    def call_off(_signal: int, _frame: object) -> None:
        called_off.set()
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    try:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, call_off)
    except ValueError:  # not the main thread, as in a test
        yield called_off
        return
    try:
        yield called_off
    finally:
        restore()


def _order(options: argparse.Namespace) -> Order:
    from app.export.formats import PICTURE_IDS, Order, Wish
    from app.export.motif import Look

    formats = tuple(dict.fromkeys(name for names in options.formats for name in names))
    wish = Wish(
        formats,
        options.start_s,
        options.stop_s,
        options.agent,
        user=not options.no_user,
        user_text=not options.no_user_text,
        swap=options.swap,
    )
    draw = options.get_draw() if PICTURE_IDS.intersection(formats) and options.get_draw else None
    folder, name, single = _place(options.out, formats)
    return Order(
        options.session,
        wish,
        folder,
        name,
        single=single,
        replace_all=options.force,
        draw=draw,
        look=Look(options.size[0], options.size[1], options.theme),
    )


def _place(out: Path | None, formats: Sequence[str]) -> tuple[Path, str, Path | None]:
    """Return the folder, what names begin with, and the only file's whole name if it was given."""
    from app.export.formats import FORMAT_OF

    if out is None:
        return Path(), "", None
    if out.is_dir():
        return out, "", None
    if len(formats) == 1 and len(FORMAT_OF[formats[0]].endings) == 1:
        return out.parent, "", out
    endings = {Path(f"x{ending}").suffix for each in FORMAT_OF.values() for ending in each.endings}
    name = out.stem if out.suffix.lower() in endings else out.name
    return out.parent, name, None


def _report(written: Sequence[Path], *, as_json: bool) -> None:
    if as_json:
        files = [{"path": str(path), "bytes": path.stat().st_size} for path in written]
        print(json.dumps({"written": files}))
        return
    for path in written:
        print(printable(str(path)))


class _Progress:
    """A line on the terminal that tells how far it is; nothing where stderr is no terminal."""

    def __init__(self, is_terminal: bool) -> None:
        self._is_terminal = is_terminal
        self._told = -1

    def tell(self, share: float) -> None:
        """Show the share that is done."""
        percent = int(share * 100)
        if self._is_terminal and percent != self._told:
            self._told = percent
            print(f"\rexporting: {percent:3} %", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line away."""
        if self._is_terminal and self._told >= 0:
            print("\r" + " " * 20 + "\r", end="", file=sys.stderr, flush=True)
            self._told = -1
