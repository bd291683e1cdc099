"""Audacity labels: turns, interruptions and markers as lines of ``start<TAB>end<TAB>title``. Pure.

The format has neither comments nor escapes: in titles every run of white space is one blank.
"""

from __future__ import annotations

from app.analysis.turn_records import Interruption
from app.export.content import Content, TurnPart
from app.plain import one_line
from app.secrets import scrub_text

_LONGEST = 200
_NAMES = {"user": "User", "agent": "Agent"}


def labels_text(content: Content) -> str:
    """Return the label file's text, in order of time."""
    rows = [(turn.start, turn.stop, _turn_title(turn)) for turn in content.turns]
    for cut in content.interruptions:
        start, stop = _inside(cut.at, content), _inside(cut.silent_at, content)
        rows.append((start or 0.0, stop, _cut_title(cut)))
    rows += [(mark.t, mark.stop, f"Marker: {mark.text}") for mark in content.markers]
    rows.sort(key=lambda row: row[0])
    return "".join(
        f"{start:.6f}\t{start if stop is None else stop:.6f}\t{_title(title)}\n"
        for start, stop, title in rows
    )


def _turn_title(turn: TurnPart) -> str:
    title = f"{_NAMES[turn.who]} {turn.number}"
    return f"{title}: {turn.text}" if turn.text else title


def _cut_title(cut: Interruption) -> str:
    title = f"Interruption {cut.number} ({cut.kind or cut.source})"
    if cut.time_to_silence_ms is None:
        return title
    about = "about " if cut.estimated else ""
    return f"{title}, silent in {about}{cut.time_to_silence_ms:.0f} ms"


def _inside(t: float | None, content: Content) -> float | None:
    return None if t is None else min(max(t, 0.0), content.stretch.length)


def _title(text: str) -> str:
    line = one_line(scrub_text(text))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
