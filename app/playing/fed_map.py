"""From a position in a speaker's output to the place in the recording that stands there. No thread.

What was fed between two interrupts is a run: its samples leave the speaker one after the other.
Three positions meet here: *fed* counts samples given to ``output()``, *output* counts those that
the device was given, silence included, and the place is in the recording. All are in samples.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.playing.passage import Span


@dataclass(slots=True)
class _Run:
    start: int
    """Its first fed sample."""
    at: float
    """The place that it begins with."""
    spans: deque[tuple[int, Span]] = field(default_factory=lambda: deque(maxlen=512))
    """Each with the fed position that it begins at; far more than are ever ahead of the ear."""
    offset: int | None = None
    """Fed less output; None until it is known."""
    stop: int | None = None
    """The fed sample that was the first not to be heard; None while it is not cut."""

    def place(self, fed: float) -> float:
        for start, span in reversed(self.spans):
            if fed >= start:
                return span.begins + min(fed - start, span.length) * span.pace
        return self.spans[0][1].begins if self.spans else self.at


class FedMap:
    """Where in the recording each output sample is from, for the last few runs."""

    RUNS = 4

    def __init__(self, at: float) -> None:
        """Begin with nothing fed; the first run will begin at ``at``."""
        self.fed = 0
        self._runs: deque[_Run] = deque([_Run(0, at)], maxlen=self.RUNS)

    @property
    def started(self) -> int:
        """The first fed sample of the present run."""
        return self._runs[-1].start

    @property
    def offset(self) -> int | None:
        """Fed less output in the present run; None until it is known."""
        return self._runs[-1].offset

    @offset.setter
    def offset(self, offset: int) -> None:
        self._runs[-1].offset = offset

    def begin(self, at: float) -> None:
        """Begin another run, at place ``at``."""
        self._runs.append(_Run(self.fed, at))

    def cut(self, fed: int) -> None:
        """Note that nothing of the present run will be heard from ``fed`` on."""
        run = self._runs[-1]
        run.stop = min(max(fed, run.start), self.fed)

    def add(self, spans: Iterable[Span]) -> None:
        """Note what was fed next."""
        run = self._runs[-1]
        for span in spans:
            self._add(run, span)
            self.fed += span.length

    def _add(self, run: _Run, span: Span) -> None:
        if run.spans:
            start, last = run.spans[-1]
            if last.pace == span.pace and last.begins + last.length * last.pace == span.begins:
                # an hour at one speed is one span
                run.spans[-1] = (
                    start,
                    last._replace(length=last.length + span.length),
                )
                return
        run.spans.append((self.fed, span))

    def place_fed(self, fed: float) -> float:
        """Return the place of a fed sample of the present run."""
        return self._runs[-1].place(fed)

    def place_heard(self, output: float) -> float:
        """Return the place of the output sample ``output``, which is being heard."""
        for run in reversed(self._runs):
            if run.offset is None:
                continue
            fed = output + run.offset
            if fed >= run.start:
                return run.place(min(fed, self.fed if run.stop is None else run.stop))
        return self._runs[0].at
