"""The agent as it would have gone on: discarded audio in the place where it would have been heard.

Any thread that may wait for the disk reads it, as any source.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.analysis.turn_records import AudioSpan, Interruption
from app.bundles.bundle import BundleError
from app.recordings.sources import SampleSource, Sources
from audio.pcm import SAMPLE_RATE, Samples, silence
from audio.playout import PlayoutQueue

SAME_MOMENT_S = 0.002
"""So near to each other two places are one: times are kept to the microsecond, samples are not."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """Received samples ``[start, stop)``; the first would have been heard at ``at_s``.

    An interrupt fades out what it cuts off. The ``fade`` samples before ``start`` undo that: they
    are faded in over what was heard, which together is what was received.
    """

    at_s: float
    start: int
    stop: int
    fade: int = 0

    @property
    def first(self) -> int:
        """The sample of the session at which ``start`` stands."""
        return round(self.at_s * SAMPLE_RATE)

    @property
    def last(self) -> int:
        """The sample of the session behind its end."""
        return self.first + self.stop - self.start

    @property
    def ends_s(self) -> float:
        """The session second of its end."""
        return self.last / SAMPLE_RATE


def continuation_of(cut: Interruption, spans: Iterable[AudioSpan]) -> tuple[Continuation, ...]:
    """Return what ``cut`` has thrown away, in order; nothing where it threw away nothing."""
    at = cut.at if cut.silent_at is None else cut.silent_at
    is_faded = cut.silent_at is not None and not cut.estimated
    found: list[Continuation] = []
    for span in spans:
        if span.kind != "discarded" or abs(span.at - at) > SAME_MOMENT_S:
            continue
        fade = PlayoutQueue.FADE_SAMPLES if is_faded and not found else 0
        found.append(Continuation(span.at, span.start, span.stop, min(fade, span.start)))
        at = span.at + (span.stop - span.start) / SAMPLE_RATE
    return tuple(found)


def gone_on(sources: Sources, continuations: Sequence[Continuation]) -> Sources:
    """Return ``sources`` in which the agent goes on with ``continuations`` from each one's place.

    Raises:
        BundleError: the recording does not hold what was received.

    """
    if not continuations:
        return sources
    if sources.received is None:
        raise BundleError("The recording does not hold the audio that was discarded.")
    agent = GoneOn(sources.agent, sources.received, continuations)
    until = max(sources.duration_samples, agent.duration_samples)
    return replace(sources, agent=agent, duration_samples=until)


class GoneOn:
    """The agent's track with ``continuations`` in it, as a `SampleSource`."""

    def __init__(
        self,
        agent: SampleSource | None,
        received: SampleSource,
        continuations: Sequence[Continuation],
    ) -> None:
        """Read from both; where there is no agent's track, the rest is silence."""
        self._agent, self._received = agent, received
        self._continuations = continuations
        ends = [each.last for each in continuations]
        self.duration_samples = max(ends + ([agent.duration_samples] if agent is not None else []))

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``[start, stop)``; raises ``FileError``."""
        samples = silence(stop - start)
        if self._agent is not None:
            samples = self._agent.read(start, stop).copy()
        for each in self._continuations:
            self._undo_fade(samples, start, each)
            first, last = max(start, each.first), min(stop, each.last)
            if first < last:
                offset = each.start - each.first
                part = self._received.read(first + offset, last + offset)
                samples[first - start : last - start] = part
        return samples

    def _undo_fade(self, samples: Samples, start: int, each: Continuation) -> None:
        begins = each.first - each.fade
        first, last = max(start, begins), min(start + len(samples), each.first)
        if first >= last:
            return
        ramp = np.linspace(0.0, 1.0, each.fade, dtype=np.float32)[first - begins : last - begins]
        offset = each.start - each.first
        rising = self._received.read(first + offset, last + offset) * ramp
        place = slice(first - start, last - start)
        samples[place] = np.clip(np.round(samples[place] + rising), -32768, 32767)

    def close(self) -> None:
        """Let go of the files; reading opens them again."""
        if self._agent is not None:
            self._agent.close()
        self._received.close()
