"""What a session can be exported as, and what a person wants of it. Pure; any thread.

It imports nothing but what a picture is of, which imports nothing: the command line and the window
ask it before anything else is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from app.export.motif import Draw, Look

Group = Literal["audio", "text", "data", "picture"]
AgentAudio = Literal["heard", "received"]

AUDIO_IDS = ("wav", "flac", "opus", "mp3")
"""Formats of one file that holds all the tracks that are wanted."""


@dataclass(frozen=True, slots=True)
class Format:
    """One way to export. ``endings`` are put behind the name that the export is given."""

    id: str
    group: Group
    name: str
    sentence: str
    endings: tuple[str, ...]


FORMATS: tuple[Format, ...] = (
    Format(
        "wav",
        "audio",
        "Stereo WAV",
        "User left, agent right, 16-bit at 16 kHz: the very samples of the session.",
        (".wav",),
    ),
    Format(
        "tracks",
        "audio",
        "Tracks apart",
        "One mono WAV for the user and one for the agent.",
        ("-user.wav", "-agent.wav"),
    ),
    Format("flac", "audio", "FLAC", "The same samples as the WAV, in less room.", (".flac",)),
    Format(
        "opus",
        "audio",
        "Ogg Opus",
        "Small, and good for speech; every sample keeps its place.",
        (".opus",),
    ),
    Format(
        "mp3",
        "audio",
        "MP3",
        "Plays everywhere; players that ignore its gapless note begin 0.07 s late.",
        (".mp3",),
    ),
    Format(
        "labels",
        "text",
        "Audacity labels",
        "Turns, interruptions and markers, to import beside the audio.",
        ("-labels.txt",),
    ),
    Format(
        "srt",
        "text",
        "SubRip subtitles",
        "The words that were heard, when they were heard.",
        (".srt",),
    ),
    Format(
        "vtt",
        "text",
        "WebVTT subtitles",
        "The same, with the speakers as voices.",
        (".vtt",),
    ),
    Format(
        "csv",
        "text",
        "CSV tables",
        "Turns and interruptions with all their figures, for a spreadsheet.",
        ("-turns.csv", "-interruptions.csv"),
    ),
    Format(
        "json",
        "data",
        "JSON of everything",
        "Session, notes, turns, interruptions, lines, figures and events; no audio.",
        (".json",),
    ),
    Format(
        "zip",
        "data",
        "Recording as a zip",
        "The recording itself, which Turnscope opens again.",
        (".zip",),
    ),
    Format("png", "picture", "PNG of the view", "The timeline as the window shows it.", (".png",)),
    Format(
        "svg",
        "picture",
        "SVG of the view",
        "The same, with lines and text that stay sharp at any size.",
        (".svg",),
    ),
)
FORMAT_OF = {each.id: each for each in FORMATS}
NEEDS_TURNS = frozenset({"labels", "srt", "vtt", "csv", "json"})
"""Formats that tell what the events say; an audio file has none."""
PICTURE_IDS = frozenset({"png", "svg"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be exported of a session.

    ``start_s`` and ``stop_s`` bound a selection in session seconds; None means the session's own
    beginning and end. ``agent`` is ``heard`` (on the session clock) or ``received`` (all that the
    agent sent for that time, back to back, in a file of its own length without the user).
    """

    formats: tuple[str, ...]
    start_s: float | None = None
    stop_s: float | None = None
    agent: AgentAudio = "heard"
    user: bool = True
    """Whether the user's voice is in the audio and in the zip."""
    user_text: bool = True
    """Whether what the user said and typed is in texts, tables, JSON and zip."""
    swap: bool = False
    """Of a stereo file that is no recording: whether the user is on the right."""


@dataclass(frozen=True, slots=True)
class Order:
    """A wish, and where its files go.

    The files are named ``name`` with each format's ending, in ``folder``; ``single`` is the name
    of the only file, where a person gave it whole. Files in ``replace`` may be replaced, those in
    ``skip`` are not written.
    """

    session: Path
    wish: Wish
    folder: Path
    name: str = ""
    single: Path | None = None
    replace: frozenset[Path] = frozenset()
    replace_all: bool = False
    skip: frozenset[Path] = frozenset()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    """The view, drawn by the window, by ``png`` and ``svg``."""
    draw: Draw | None = None
    """Draws the pictures that are not there yet, on the thread that carries the order out."""
    look: Look = field(default_factory=Look)


@dataclass(frozen=True, slots=True)
class Has:
    """What there is of a session to be exported."""

    name: str
    """The file's or folder's."""
    is_session: bool
    """False for an audio file that is no recording of a session."""
    events: bool
    user: bool
    agent: bool
    received: bool


def refusal(kind: str, wish: Wish, has: Has) -> str:
    """Return why format ``kind`` cannot be had, as a sentence; empty where it can."""
    if not has.is_session and kind in NEEDS_TURNS | {"zip"}:
        return f"“{has.name}” is an audio file: it has no turns, words or events."
    if kind in NEEDS_TURNS and not has.events:
        return "The recording has no events.jsonl: its turns and words are not known."
    if kind in NEEDS_TURNS | PICTURE_IDS | {"zip"}:
        return ""
    return _audio_refusal(wish, has)


def _audio_refusal(wish: Wish, has: Has) -> str:
    if wish.agent == "received":
        return "" if has.received else "There is no received track."
    if has.agent or (has.user and wish.user):
        return ""
    if not has.user:
        return "There are no tracks."
    return "There is no agent track, and the user’s voice is left out."
