"""SubRip and WebVTT: the words that were heard, when they were heard. Pure.

Words that nobody heard are left out: subtitles tell what could be heard; tables and JSON have the
rest. WebVTT escapes markup. SubRip has no escapes, so what its players take for markup is written
with look-alikes: ‹ › for angle brackets, ( ) for braces. A cue's end is never before its beginning.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass

from app.export.content import Content, LinePart
from app.export.spoken import SpokenWord
from app.plain import one_line
from app.secrets import scrub_text

LONGEST_S = 7.0
LONGEST_LETTERS = 84
_PAUSE_S = 1.0
_ENOUGH_LETTERS = 40
_SENTENCE_ENDS = (".", "!", "?", "…", "。")
_NAMES = {"user": "User", "agent": "Agent"}
_NO_MARKUP = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")", "\\": "/"})


@dataclass(frozen=True, slots=True)
class Cue:
    """Some words of one party, in seconds from the beginning of the stretch."""

    who: str
    start: float
    stop: float
    text: str


def cues_of(content: Content) -> list[Cue]:
    """Return the cues, in order of their beginnings."""
    cues = [cue for line in content.lines for cue in _split(line)]
    return sorted(cues, key=lambda cue: (cue.start, cue.stop))


def srt_text(content: Content) -> str:
    """Return a SubRip file's text."""
    blocks = [
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(_end(cue), ',')}\n"
        f"{_NAMES[cue.who]}: {cue.text.translate(_NO_MARKUP)}\n"
        for number, cue in enumerate(cues_of(content), 1)
    ]
    return "\n".join(blocks)


def vtt_text(content: Content, note: str = "") -> str:
    """Return a WebVTT file's text; ``note`` is said in a comment."""
    blocks = ["WEBVTT\n"]
    if note:
        blocks.append(f"NOTE {one_line(scrub_text(note)).replace('-->', '→')}\n")
    blocks += [
        f"{_clock(cue.start, '.')} --> {_clock(_end(cue), '.')}\n"
        f"<v {_NAMES[cue.who]}>{html.escape(cue.text, quote=False)}\n"
        for cue in cues_of(content)
    ]
    return "\n".join(blocks)


def _split(line: LinePart) -> Iterator[Cue]:
    """Cut a line into cues that can be read: at its sentences and pauses, and where it is long."""
    taken: list[SpokenWord] = []
    for word in line.words:
        if taken and _is_full(taken, word):
            yield _cue(line, taken)
            taken = []
        taken.append(word)
    if taken:
        yield _cue(line, taken)


def _is_full(taken: list[SpokenWord], following: SpokenWord) -> bool:
    letters = sum(len(word.text) + 1 for word in taken)
    return (
        letters + len(following.text) > LONGEST_LETTERS
        or following.stop - taken[0].start > LONGEST_S
        or following.start - taken[-1].stop > _PAUSE_S
        or (letters >= _ENOUGH_LETTERS and taken[-1].text.endswith(_SENTENCE_ENDS))
    )


def _cue(line: LinePart, words: list[SpokenWord]) -> Cue:
    text = one_line(scrub_text(" ".join(word.text for word in words))) or "…"
    if line.spoken.line.typed:
        text = f"(typed) {text}"
    return Cue(line.who, words[0].start, words[-1].stop, text)


def _end(cue: Cue) -> float:
    """Return the end: a cue of no length is not shown by players."""
    return max(cue.stop, cue.start + 0.001)


def _clock(seconds: float, point: str) -> str:
    whole = round(seconds * 1000)
    minutes, rest = divmod(whole, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
