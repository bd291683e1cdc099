"""The caller's time: what the demo agent's decisions hang on. Pure; the server's thread alone.

The same caller, however late the network and the processor are, is to meet the same agent. So the
conversation's clock is the caller's own audio: a mic chunk happens when its last sample was spoken,
and what the agent does on its own happens in order with that, after the chunks that end by then.
The wall clock only says when that moment has come. Where no audio comes, it alone tells the time.
"""

from __future__ import annotations

from audio.pcm import samples_to_seconds


class CallerClock:
    """Seconds since the caller's audio began, as told by its samples. It never goes back.

    ``now`` is always the wall clock's: seconds on any monotonic clock.
    """

    FIRST_PATIENCE_S = 1.0
    """How long the first mic chunk is waited for: a device takes a while to open."""
    PATIENCE_S = 1.0
    """How late a mic chunk may be before time goes on without it."""
    FOLLOW = 0.002
    """How fast, in seconds a second, a caller's slower clock is followed."""

    def __init__(self, now: float, *, expects_audio: bool = True) -> None:
        """Begin at 0; without audio to expect, the wall clock tells the time from the start."""
        self.t = 0.0
        """The latest moment that was reached."""
        self._offset = now
        """What to add to the caller's time for the wall clock's."""
        self._heard_samples = 0
        self._missing_s = 0.0
        """How much time has passed in which no audio came."""
        self._is_anchored = False
        self._awaited: float | None = 0.0 if expects_audio else None
        """When the next chunk ends; None where none is expected."""

    def at(self, now: float) -> float:
        """Return the caller's time at ``now``, for what comes with no audio.

        It does not pass the end of a chunk that is still waited for.
        """
        t = now - self._offset
        return max(t if self._awaited is None else min(t, self._awaited), self.t)

    def due(self, t: float) -> float:
        """Return when, on the wall clock, it is certain that the caller's time ``t`` has come.

        By then all chunks that end by ``t`` have been heard, or are too late to be waited for.
        """
        if self._awaited is None or t < self._awaited:
            return t + self._offset
        patience = self.PATIENCE_S if self._is_anchored else self.FIRST_PATIENCE_S
        return max(t, self._awaited + patience) + self._offset

    def reach(self, t: float) -> None:
        """Note that ``t`` has come; a chunk that should have come before it is given up."""
        if self._awaited is not None and t > self._awaited:
            self._awaited = None
            self._is_anchored = True
        self.t = max(self.t, t)

    def hear(self, now: float, samples: int) -> float:
        """Take in that a chunk of so many samples came; return when it ends."""
        was_awaited = self._awaited is not None
        self._heard_samples += samples
        heard_s, chunk_s = samples_to_seconds(self._heard_samples), samples_to_seconds(samples)
        late = now - self._offset - heard_s - self._missing_s
        if not self._is_anchored:
            self._is_anchored = True
            self._offset += late
        elif late < 0:
            self._catch_up(-late)
        elif was_awaited and late <= self.PATIENCE_S:
            self._offset += min(self.FOLLOW * chunk_s, late)
        else:
            self._missing_s += late
        end = max(heard_s + self._missing_s, self.t)
        self._awaited = end + chunk_s
        return end

    def _catch_up(self, early: float) -> None:
        """Have audio that was given up take its own place again; else let time run ahead."""
        found = min(early, self._missing_s)
        self._missing_s -= found
        self._offset -= early - found
