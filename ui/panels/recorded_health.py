"""What the health panel says of a recording that was opened: what its files tell. No Qt.

Its texts may be a stranger's: whoever shows them shows plain text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from app.plain import one_line
from ui.panels.health_facts import UNDERRUNS, underruns_text

if TYPE_CHECKING:
    from app.recordings.gaps import Gap
    from app.recordings.recording import Recording
    from app.timeline.events import Trouble

RATE = 16_000
LONGEST = 64
"""Characters of a name that are shown."""
UNTOLD = "–"
MOST = 10**10
"""No number in an event that makes sense is so large."""
OF_A_FILE = (
    "An audio file holds sound alone. Which devices it was made with, and what they reported, "
    "only the recording of a session can tell."
)
READING = "Reading what the recording tells…"
COUNTED = (
    ("Input xruns", "xrun", "input"),
    ("Output xruns", "xrun", "output"),
    ("Dropped input", "dropped", "input"),
    ("Dropped output", "dropped", "output"),
    ("Gaps", "gap", ""),
    ("Chunks not handed over", "callback", ""),
    ("Device faults", "device", ""),
    ("Recorder troubles", "recorder", ""),
    ("Protocol troubles", "protocol", ""),
)
"""What a counter is called, and the troubles it counts: their kind, and their side if it counts."""


def recorded_facts(
    recording: Recording, troubles: Sequence[Trouble], gaps: Sequence[Gap]
) -> dict[str, str]:
    """Return label and value of what a recording tells of devices and audio; nothing of a file.

    ``troubles`` are its events of that type, and ``gaps`` what they say was not recorded.
    """
    if recording.kind == "file":
        return {}
    info, events = recording.info, recording.timeline.appended
    facts = {
        "Microphone": _name(info.microphone),
        "Speaker": _name(info.speaker),
        "Playout times": "estimated" if info.is_estimated else "from the device",
        **recorded_underruns(recording),
        "User audio": _name(info.formats.get("user_input")),
        "Agent audio": _name(info.formats.get("agent_output")),
    }
    for label, kind, side in COUNTED:
        found = [each for each in troubles if each.kind == kind and side in ("", each.side)]
        # where there are no events, nobody knows
        facts[label] = count_text(kind, found) if events else UNTOLD
    missing_s = sum(stop - start for start, stop in gaps)
    facts["Not recorded"] = f"{missing_s:.2f} s" if events else UNTOLD
    facts["Events"] = f"{events}"
    return facts


def recorded_underruns(recording: Recording) -> dict[str, str]:
    """Return the line about underruns: it is known with the turns, which may come later."""
    turns = recording.turns
    # where there are no events, nobody knows what the queue held
    is_known = turns is not None and recording.timeline.appended > 0
    return {UNDERRUNS: underruns_text(turns.responses) if is_known else UNTOLD}


def count_text(kind: str, troubles: Sequence[Trouble]) -> str:
    """Return how many there were and, where they tell it, how much audio they are about."""
    count = f"{sum(_count(each) for each in troubles)}"
    if kind == "dropped":
        seconds = _sum(each.data.get("samples") for each in troubles) / RATE
    elif kind == "gap":
        seconds = _sum(each.data.get("ms") for each in troubles) / 1000
    else:
        return count
    return f"{count} ({seconds:.2f} s)" if seconds else count


def _count(trouble: Trouble) -> int:
    """Return how many troubles an event stands for: of many in a second there is one event."""
    count = trouble.data.get("count")
    return count if type(count) is int and 0 < count < MOST else 1


def _sum(values: Iterable[object]) -> float:
    """Return the sum of those that are sane numbers."""
    numbers = (each for each in values if isinstance(each, int | float))
    return float(sum(each for each in numbers if 0 <= each < MOST))


def _name(value: object) -> str:
    text = one_line(value) if isinstance(value, str) else ""
    return (text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…") or UNTOLD
