"""The demo agent's script: what it says and how it behaves, from a TOML file.

A script is read once, before the server listens, on the thread that starts it. A fault is refused
with the line it stands on; nothing is guessed and nothing unknown is passed over.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from app.agents.demo.errors import ScriptError
from app.agents.demo.toml_lines import TomlLines

RESOURCES = Path(__file__).resolve().parents[3] / "resources" / "demo"
DEFAULT_SCRIPT = RESOURCES / "default.toml"
SPEECH_FOLDER = RESOURCES / "speech"
DEFAULT_NAME = DEFAULT_SCRIPT.stem
MISBEHAVING = ("hears-itself", "stops-late", "never-stops", "reuses-id")
"""The scripts beside it, each with a fault on purpose, by name."""

MAX_SCRIPT_BYTES = 256 * 1024
MAX_TEXT_CHARS = 2000
MAX_LINES_OF_A_KIND = 100

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SYNTAX_LINE = re.compile(r"\s*\(at line (\d+), column \d+\)")
_TOML_TYPES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    dict: "a table",
    list: "an array",
}

Section = TypeVar("Section")


def _number(default: float, low: float, high: float) -> Any:
    return field(default=default, metadata={"range": (low, high)})


@dataclass(frozen=True, slots=True)
class AgentPart:
    """Who speaks; ``voice`` and ``rate_wpm`` serve lines that come without an audio file."""

    id: str = "demo"
    name: str = "Demo agent"
    voice: str = "en-us+f3"
    rate_wpm: int = _number(172, 80, 400)


@dataclass(frozen=True, slots=True)
class Timing:
    """When things happen. ``pace`` is how many times faster than heard the audio is sent."""

    greeting_delay_ms: int = _number(300, 0, 60_000)
    endpoint_silence_ms: int = _number(600, 100, 10_000)
    reply_delay_ms: int = _number(250, 0, 60_000)
    chunk_ms: int = _number(250, 20, 5_000)
    pace: float = _number(4.0, 1.0, 1000.0)
    vad_score_every_ms: int = _number(250, 32, 10_000)
    ping_every_s: float = _number(5.0, 0.05, 600.0)
    idle_prompt_after_s: float = _number(15.0, 0.1, 3600.0)
    idle_prompts_max: int = _number(2, 0, 1000)
    acknowledge_below_ms: int = _number(1500, 0, 60_000)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the agent takes being spoken over.

    ``yield_after_ms`` is how much user speech over its own it hears before it gives way, and
    ``yield_delay_ms`` how long it then goes on. ``yield_to_sound_dbfs`` is for an agent that takes
    any sound for a barge-in, its own echo too: RMS of so much over ``yield_after_ms`` is enough,
    speech or not; at 0 speech alone counts.
    ``reuse_interruption_id`` is a fault on purpose: the reply after an interruption carries the
    interruption's own event id, which some clients drop as audio that was already on its way.
    """

    yield_after_ms: int = _number(250, 0, 10_000)
    yield_delay_ms: int = _number(0, 0, 10_000)
    yield_to_sound_dbfs: float = _number(0.0, -90.0, 0.0)
    never_yields: bool = False
    reuse_interruption_id: bool = False
    send_correction: bool = True
    send_alignment: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to say. ``audio`` is a file that exists, or None: then it is synthesised."""

    id: str
    text: str
    audio: Path | None
    line_number: int


@dataclass(frozen=True, slots=True)
class Script:
    """A whole script, checked. ``replies`` and ``greetings`` hold at least one line each."""

    path: Path
    agent: AgentPart
    timing: Timing
    behaviour: Behaviour
    greetings: tuple[Line, ...]
    replies: tuple[Line, ...]
    acknowledgements: tuple[Line, ...]
    idle_prompts: tuple[Line, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        """Everything that can be said, in the order of the kinds above."""
        return self.greetings + self.replies + self.acknowledgements + self.idle_prompts


_SECTIONS = {"agent": AgentPart, "timing": Timing, "behaviour": Behaviour}
_KINDS = ("greeting", "reply", "acknowledgement", "idle_prompt")


def shipped_scripts() -> tuple[str, ...]:
    """Return the names of the scripts that ship with the program, the default one first."""
    return (DEFAULT_NAME, *MISBEHAVING)


def find_script(choice: str | Path) -> Path:
    """Return the file of a script: the name of one that ships with the program, or a path.

    Nothing is opened, and a path need not exist. An empty choice is the default script.

    Raises:
        ScriptError: it is a mere name, there is no such file, and no such script is shipped.
    """
    text = str(choice)
    if text in ("", DEFAULT_NAME):
        return DEFAULT_SCRIPT
    if text in shipped_scripts():
        return RESOURCES / f"{text}.toml"
    path = Path(text)
    if _ID.fullmatch(text) and not path.exists():
        known = ", ".join(shipped_scripts())
        raise ScriptError(path, 0, f"no script of this name is shipped; there are {known}")
    return path


def load_script(path: Path = DEFAULT_SCRIPT) -> Script:
    """Read and check a script.

    Raises:
        ScriptError: it cannot be read, is not TOML, or says something that has no meaning.
    """
    source = _read_text(path)
    try:
        table = tomllib.loads(source)
    except ValueError as error:  # TOMLDecodeError is one; a number of 5000 digits another
        raise _syntax_error(path, source, str(error)) from error
    except RecursionError as error:
        raise ScriptError(path, 0, "it is nested too deeply") from error
    return _Reader(path, TomlLines(source)).script(table)


def _read_text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for a writer
            raise ScriptError(path, 0, "it is not a file")
        with path.open("rb") as file:
            content = file.read(MAX_SCRIPT_BYTES + 1)
    except OSError as error:
        raise ScriptError(path, 0, f"it cannot be read ({error.strerror})") from error
    if len(content) > MAX_SCRIPT_BYTES:
        raise ScriptError(path, 0, f"it is larger than {MAX_SCRIPT_BYTES // 1024} KiB")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ScriptError(path, line, "it is not UTF-8 text") from error


def _syntax_error(path: Path, source: str, message: str) -> ScriptError:
    """Turn tomllib's message, which ends in its place, into ours."""
    found = _SYNTAX_LINE.search(message)
    line = int(found.group(1)) if found else max(1, len(source.splitlines()))
    said = _SYNTAX_LINE.sub("", message).replace("(at end of document)", "at the end of the file")
    return ScriptError(path, line, f"it is not valid TOML: {said.strip()}")


class _Reader:
    """Turns the parsed tables of one file into a Script, naming the line of any fault."""

    def __init__(self, path: Path, lines: TomlLines) -> None:
        self._path = path
        self._lines = lines

    def script(self, table: dict[str, Any]) -> Script:
        for key in table:
            if key not in _SECTIONS and key not in _KINDS:
                known = ", ".join(f"[{name}]" for name in _SECTIONS)
                known += ", " + ", ".join(f"[[{name}]]" for name in _KINDS)
                raise self._fault(key, None, None, f"{key!r} is not known; known are {known}")
        agent = self._section(AgentPart, "agent", table)
        if not _ID.fullmatch(agent.id):
            raise self._fault("agent", None, "id", "id must be letters, digits, - and _ alone")
        timing = self._section(Timing, "timing", table)
        behaviour = self._section(Behaviour, "behaviour", table)
        spoken = {kind: self._spoken(kind, table.get(kind, [])) for kind in _KINDS}
        self._refuse_repeated_ids(spoken)
        return Script(self._path, agent, timing, behaviour, *(spoken[kind] for kind in _KINDS))

    def _section(self, kind: type[Section], name: str, table: dict[str, Any]) -> Section:
        content = table.get(name, {})
        if not isinstance(content, dict):
            raise self._fault(name, None, None, f"{name} must be a table, [{name}]")
        known = {part.name: part for part in dataclasses.fields(kind)}  # type: ignore[arg-type]
        for key, value in content.items():
            if key not in known:
                said = f"{key!r} is not known in [{name}]; known are {', '.join(known)}"
                raise self._fault(name, None, key, said)
            self._check(name, key, value, known[key])
        return kind(**content)

    def _check(self, section: str, key: str, value: Any, part: dataclasses.Field[Any]) -> None:
        """Hold one value to its type and range; a whole number may stand where one may not be."""
        wanted = type(part.default)
        fits = type(value) is wanted or (wanted is float and type(value) is int)
        if not fits:
            raise self._fault(section, None, key, f"{key} must be {_TOML_TYPES[wanted]}")
        low, high = part.metadata.get("range", (value, value))
        if wanted in (int, float) and not low <= value <= high:
            said = f"{key} is {value}, but must lie between {low:g} and {high:g}"
            raise self._fault(section, None, key, said)

    def _spoken(self, kind: str, entries: Any) -> tuple[Line, ...]:
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise self._fault(kind, None, None, f"{kind} must be written as [[{kind}]]")
        if len(entries) > MAX_LINES_OF_A_KIND:
            said = f"there are more than {MAX_LINES_OF_A_KIND} of [[{kind}]]"
            raise self._fault(kind, MAX_LINES_OF_A_KIND, None, said)
        if not entries and kind in ("greeting", "reply"):
            raise self._fault(kind, None, None, f"at least one [[{kind}]] is needed")
        return tuple(self._line(kind, index, entry) for index, entry in enumerate(entries))

    def _line(self, kind: str, index: int, entry: dict[str, Any]) -> Line:
        for key, value in entry.items():
            if key not in ("id", "text", "audio"):
                said = f"{key!r} is not known in [[{kind}]]; known are id, text, audio"
                raise self._fault(kind, index, key, said)
            if not isinstance(value, str):
                raise self._fault(kind, index, key, f"{key} must be a text")
        for key in ("id", "text"):
            if not entry.get(key, "").strip():
                raise self._fault(kind, index, key, f"{key} is missing or empty in [[{kind}]]")
        if not _ID.fullmatch(entry["id"]):
            raise self._fault(kind, index, "id", "id must be letters, digits, - and _ alone")
        if len(entry["text"]) > MAX_TEXT_CHARS:
            said = f"text is longer than {MAX_TEXT_CHARS} characters"
            raise self._fault(kind, index, "text", said)
        audio = self._audio(kind, index, entry["audio"]) if "audio" in entry else None
        number = self._lines.find(kind, index, "audio" if audio else "text")
        return Line(entry["id"], " ".join(entry["text"].split()), audio, number)

    def _audio(self, kind: str, index: int, name: str) -> Path:
        """Find an audio file, in the script's own folder or among the shipped speech alone."""
        for folder in (self._path.resolve().parent, SPEECH_FOLDER.resolve()):
            found = self._inside(folder, name)
            if found is not None and found.is_file():
                return found
        said = f"there is no file {name!r} beside the script or in the shipped speech"
        raise self._fault(kind, index, "audio", said)

    @staticmethod
    def _inside(folder: Path, name: str) -> Path | None:
        """Return the path, with links followed, or None where it would lead out of the folder."""
        try:
            path = (folder / name).resolve()
        except (OSError, ValueError):  # a name that no file can have, such as one with a NUL
            return None
        return path if path.is_relative_to(folder) else None

    def _refuse_repeated_ids(self, spoken: dict[str, tuple[Line, ...]]) -> None:
        seen: set[str] = set()
        for kind, lines in spoken.items():
            for index, line in enumerate(lines):
                if line.id in seen:
                    raise self._fault(kind, index, "id", f"the id {line.id!r} is used twice")
                seen.add(line.id)

    def _fault(self, table: str, index: int | None, key: str | None, said: str) -> ScriptError:
        return ScriptError(self._path, self._lines.find(table, index or 0, key), said)
