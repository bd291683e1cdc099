"""What is told of a recording that the disk refuses, and of one that goes on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.bundles.bundle_writer import Missing
from audio.errors import AudioError, FileError
from audio.pcm import SAMPLE_RATE
from audio.wavfile import reason_of

DISK_ADVICE = (
    "The session goes on, and the last two minutes are kept: the recording goes on by itself when "
    "there is room for it again."
)
FAULT_ADVICE = "The session goes on, and so does the recording if it can. The log has the details."


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, what to do, and the same for machines."""

    sentence: str
    advice: str
    data: dict[str, Any]


def stopped(since_s: float, error: Exception) -> Told:
    """Tell that nothing is written from session second ``since_s`` on."""
    is_disk = isinstance(error, OSError | FileError)
    advice = DISK_ADVICE if is_disk else FAULT_ADVICE
    sentence = f"The recording has stopped at {clock(since_s)}: {why(error)}."
    return Told(sentence, advice, {"stopped_at": round(since_s, 3)})


def stalled(since_s: float) -> Told:
    """Tell that the disk has not answered for a while, and nobody knows whether it will."""
    sentence = f"The disk does not answer: nothing has been recorded since {clock(since_s)}."
    return Told(sentence, DISK_ADVICE, {"stopped_at": round(since_s, 3)})


def resumed(since_s: float | None, now_s: float, missing: Sequence[Missing]) -> Told:
    """Tell that the disk takes it again, and what it cost."""
    data = {"resumed_at": round(now_s, 3), **_gap(missing)}
    if since_s is not None:
        data["stopped_at"] = round(since_s, 3)
    return Told(f"The recording goes on; {_cost(missing)}.", "", data)


def put_back(at_s: float, missing: Sequence[Missing]) -> Told:
    """Tell that the files were taken away and are there again."""
    sentence = f"The recording's files were gone at {clock(at_s)} and are there again; "
    return Told(f"{sentence}{_cost(missing)}.", "", {"stopped_at": round(at_s, 3), **_gap(missing)})


def too_slow(missing: Sequence[Missing]) -> Told:
    """Tell that the disk fell behind by more than is kept."""
    return Told(f"The disk is too slow: {_cost(missing)}.", "", _gap(missing))


def _gap(missing: Sequence[Missing]) -> dict[str, Any]:
    """Return where silence stands on the tracks, in session seconds, for machines."""
    data: dict[str, Any] = {"lost_samples": sum(item.stop - item.start for item in missing)}
    if (span := _span(missing)) is not None:
        data |= {"start": round(span[0], 4), "stop": round(span[1], 4)}
    return data


def _span(missing: Sequence[Missing]) -> tuple[float, float] | None:
    heard = [item for item in missing if item.track != "received"]
    if not heard:
        return None
    start, stop = min(item.start for item in heard), max(item.stop for item in heard)
    return start / SAMPLE_RATE, stop / SAMPLE_RATE


def _cost(missing: Sequence[Missing]) -> str:
    """Return what was lost, in words."""
    span = _span(missing)
    received = sum(item.stop - item.start for item in missing if item.track == "received")
    lost = []
    if span is not None:
        seconds = span[1] - span[0]
        lost.append(f"{seconds:.1f} s were lost, from {clock(span[0])} to {clock(span[1])}")
    if received:
        verb = "" if lost else " were lost"
        lost.append(f"{received / SAMPLE_RATE:.1f} s of what the agent sent{verb}")
    return ", and ".join(lost) or "nothing was lost"


def facts_refused(error: Exception) -> Told:
    """Tell that the audio is written, and what the bundle says of itself is not."""
    sentence = f"The recording goes on, but without its latest facts: {why(error)}."
    return Told(sentence, "Check the folder's permissions: it is tried again.", {})


def why(error: Exception) -> str:
    """Return what stopped a write, in words that fit after a colon."""
    if isinstance(error, OSError):
        return reason_of(error)
    if isinstance(error, AudioError):
        return str(error).rstrip(".")
    return f"a fault in the program ({type(error).__name__})"


def clock(seconds: float) -> str:
    """Return session seconds as hours, minutes and seconds, like the clock of the window."""
    minutes, rest = divmod(max(seconds, 0.0), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
