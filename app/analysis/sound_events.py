"""From what the tracks hold, by sample position, to events in session seconds. No state."""

from __future__ import annotations

from app.analysis.cut import OF_SOURCE
from app.timeline.events import (
    EchoHeard,
    Event,
    Interrupted,
    SoundBefore,
    SpeechEnded,
    SpeechStarted,
)
from audio.pcm import SAMPLE_RATE
from audio.user_sound import EchoStretch, SoundMeasured, Told


def sounds_matter(event: Interrupted) -> bool:
    """Whether what the user track held may be the cause of an interrupt."""
    return event.source not in OF_SOURCE


def event_of(told: Told, since: int = 0, noticed_at: float | None = None) -> Event:
    """Return what was found as an event.

    ``since`` is the sample at which listening began. ``noticed_at`` is None for a recording: what
    is found in it was noticed when there was enough of the tracks.
    """

    def at(position: int) -> float:
        return round((since + position) / SAMPLE_RATE, 6)

    if noticed_at is None:
        noticed_at = at(told.noticed)
    if isinstance(told, EchoStretch):
        figures = (round(told.delay_ms, 2), round(told.level_db, 2), round(told.correlation, 3))
        return EchoHeard(at(told.start), at(told.stop), *figures, noticed_at)
    if isinstance(told, SoundMeasured):
        return _sound_before(told, at(told.start), at(told.stop))
    if told.kind == "onset":
        return SpeechStarted(at(told.position), noticed_at)
    return SpeechEnded(at(told.position), noticed_at)


def _sound_before(told: SoundMeasured, start: float, stop: float) -> SoundBefore:
    return SoundBefore(
        start,
        told.moment,
        stop,
        told.kind,
        round(told.peak_dbfs, 1),
        round(told.noise_dbfs, 1),
        round(told.burst_ms, 1),
        round(told.correlation, 3),
        None if told.echo_delay_ms is None else round(told.echo_delay_ms, 2),
        None if told.echo_db is None else round(told.echo_db, 2),
    )
