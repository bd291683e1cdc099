"""Playing a recording on a speaker, through ``output()`` and ``interrupt()`` of an audio interface.

Commands may come from any thread, act at once or within some hundredths of a second, and return
at once. One thread, named player, reads the recording and feeds the speaker, a bounded stretch
ahead.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from app.playing.outlet import Outlet
from app.playing.passage import Manner, Passage
from app.recordings.sources import Sources
from audio.duplex import Sink
from audio.errors import AudioError
from audio.pcm import SAMPLE_RATE
from audio.stretch import FASTEST, SLOWEST
from audio.worker import Worker

log = logging.getLogger(__name__)

Range = tuple[float, float]
"""A start and an end, in seconds of the recording."""


class PlayerState(Enum):
    """What a player is doing."""

    PLAYING = "playing"
    PAUSED = "paused"
    OVER = "over"


class Player:
    """Plays a recording or a range of it, once or in a loop: ``start`` it, in the end ``close`` it.

    ``pause`` and ``stop`` empty the playout queue on the caller's thread. All else that changes
    what is heard is prepared first and then takes the place of what is queued, without a gap.
    """

    AHEAD_SAMPLES = SAMPLE_RATE // 4
    """How much is queued ahead: what a busy machine may keep the feeding thread waiting."""
    LOOK_S = 0.01
    REST_S = 0.1
    """How often it looks for faults while it is paused."""
    TAIL_S = 0.05
    """The speaker is kept for so long after the end, lest the last of it be cut off."""
    LEAST_LOOP_SAMPLES = SAMPLE_RATE // 100
    CLOSE_S = 2.0

    def __init__(
        self,
        sources: Sources,
        sink: Sink,
        *,
        from_s: float = 0.0,
        to_s: float | None = None,
        loop: bool = False,
        speed: float = 1.0,
        user: bool = True,
        agent: bool = True,
    ) -> None:
        """Prepare to play ``sources``, which it owns from now on, on ``sink``.

        Args:
            sources: the recording.
            sink: the speaker.
            from_s: where to begin, in seconds.
            to_s: where to end; None for the end of the recording.
            loop: whether to go back to ``from_s`` from there, again and again.
            speed: seconds of the recording to one of listening, 0.5 to 2; the pitch stays.
            user: whether the user is heard.
            agent: whether the agent is heard.

        """
        self._sources = sources
        start, stop = self._samples(from_s), self._samples(to_s)
        self._outlet = Outlet(sink, start)
        # Guards the outlet, so that what was fed and what is known of it never differ, and the
        # fields down to `_stopped_at`. Never held while reading.
        self._lock = threading.Lock()
        self._manner = self._checked(Manner(start, stop, loop, _speed(speed), user, agent))
        self._sent_to: int | None = start
        """Where a person sent it, until it is there."""
        self._wish = 1
        """Raised by each command that asks for something else to be heard."""
        self._paused = False
        self._stopped_at: float | None = None
        # The player thread's own.
        self._served = 0
        self._passage: Passage | None = None
        self._wake = threading.Event()
        self._over = threading.Event()
        self._error: Exception | None = None
        self._worker = Worker("player", self._run)

    # -- commands ------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the speaker, which may take its time, and begin to play.

        Raises:
            AudioError: the speaker cannot be opened; the recording is closed again.

        """
        try:
            self._outlet.open()
        except BaseException:
            self._sources.close()
            self._over.set()
            raise
        self._worker.start()

    def pause(self) -> None:
        """Fall silent at once, and keep the place."""
        with self._lock:
            if not self._paused and self._stopped_at is None:
                self._paused = True
                self._outlet.pause()
                self._ask()

    def resume(self) -> None:
        """Go on where it was paused, or where it was sent meanwhile."""
        with self._lock:
            self._paused = False
        self._wake.set()

    def seek(self, to_s: float) -> None:
        """Go on from second ``to_s``; from outside the range it plays on to the recording's end."""
        at = self._samples(to_s)
        with self._lock:
            if not self._manner.start <= at < self._manner.stop:
                end = self._sources.duration_samples
                self._manner = replace(self._manner, start=0, stop=end, loop=False)
            self._sent_to = at
            self._ask()

    def set_speed(self, speed: float) -> None:
        """Play ``speed`` seconds of the recording in one, 0.5 to 2, from now on."""
        self._change(lambda manner: replace(manner, speed=_speed(speed)))

    def set_tracks(self, user: bool, agent: bool) -> None:
        """Let the user, the agent, both or neither be heard from now on."""
        self._change(lambda manner: replace(manner, user=user, agent=agent))

    def set_loop(self, loop: Range | None) -> None:
        """Play a range again and again; None: play the present one to its end.

        What is heard goes on where it is within the range, and else with the range's beginning.
        """
        if loop is None:
            self._change(lambda manner: replace(manner, loop=False))
            return
        start, stop = self._samples(loop[0]), self._samples(loop[1])
        self._change(
            lambda manner: self._checked(replace(manner, start=start, stop=stop, loop=True))
        )

    def stop(self) -> None:
        """Fall silent at once, for good."""
        self._stop_at(self.position_s)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is over; say whether it is."""
        return self._over.wait(timeout_s)

    def close(self) -> None:
        """Stop, and give the speaker back; waits a bounded time."""
        self.stop()
        if self._worker.join(self.CLOSE_S) and not self._over.is_set():
            # it was never started
            self._sources.close()
            self._over.set()

    # -- what it does --------------------------------------------------------------------------

    @property
    def state(self) -> PlayerState:
        """Whether it plays, is paused, or is over."""
        if self._over.is_set():
            return PlayerState.OVER
        return PlayerState.PAUSED if self._paused else PlayerState.PLAYING

    @property
    def over(self) -> bool:
        """Whether it has come to its end, was stopped, or failed."""
        return self._over.is_set()

    @property
    def error(self) -> Exception | None:
        """Why it failed; None where it did not."""
        return self._error

    @property
    def loop(self) -> Range | None:
        """The range that is played again and again; None where none is."""
        manner = self._manner
        if not manner.loop:
            return None
        return manner.start / SAMPLE_RATE, manner.stop / SAMPLE_RATE

    @property
    def duration_s(self) -> float:
        """How long the recording is."""
        return self._sources.duration_samples / SAMPLE_RATE

    @property
    def position_s(self) -> float:
        """The second of the recording that leaves the speaker now, by the device's own clock."""
        with self._lock:
            if self._stopped_at is not None:
                return self._stopped_at
            if self._paused and self._sent_to is not None:
                return self._sent_to / SAMPLE_RATE
            return self._outlet.place_now() / SAMPLE_RATE

    # -- within the commands -------------------------------------------------------------------

    def _samples(self, at_s: float | None) -> int:
        end = self._sources.duration_samples
        return end if at_s is None else min(max(round(at_s * SAMPLE_RATE), 0), end)

    def _checked(self, manner: Manner) -> Manner:
        """Return ``manner`` with an end after its start, and with a loop that takes some time."""
        least = self.LEAST_LOOP_SAMPLES if manner.loop else 0
        return replace(manner, stop=max(manner.stop, manner.start + least))

    def _change(self, change: Callable[[Manner], Manner]) -> None:
        with self._lock:
            manner = change(self._manner)
            if manner != self._manner:
                self._manner = manner
                self._ask()

    def _ask(self) -> None:
        self._wish += 1
        self._wake.set()

    def _stop_at(self, at_s: float) -> None:
        with self._lock:
            if self._stopped_at is None:
                self._stopped_at = at_s
            self._worker.stopping.set()
            self._outlet.silence()
        self._wake.set()

    # -- the player thread ---------------------------------------------------------------------

    def _run(self, stopping: threading.Event) -> None:
        try:
            while not stopping.is_set():
                if not self._go_on():
                    self._stop_at(self._manner.stop / SAMPLE_RATE)
                self._wake.wait(self._rest_s())
                self._wake.clear()
        except AudioError as error:
            # known before it is over: whoever waited for that asks for it next
            self._error = error
            log.warning("Playing has ended: %s", error)
        except Exception as error:
            self._error = error
            raise
        finally:
            self._stop_at(self.position_s)
            self._outlet.close()
            self._sources.close()
            self._over.set()

    def _rest_s(self) -> float:
        return self.REST_S if self._paused and not self._outlet.is_pausing else self.LOOK_S

    def _go_on(self) -> bool:
        """Do what is due; False once all has been played."""
        with self._lock:
            self._outlet.look()
            if self._paused or self._outlet.is_pausing:
                return True
        if self._wish != self._served:
            self._begin_run()
        return self._feed()

    def _begin_run(self) -> None:
        """Play another passage in place of what is queued."""
        with self._lock:
            wish, manner, at = self._wish, self._manner, self._where_to_begin()
        passage = Passage(self._sources, manner, at)
        first = passage.next()
        with self._lock:
            if not self._is_void(wish):
                self._outlet.begin(at, first)
                self._served, self._passage, self._sent_to = wish, passage, None

    def _where_to_begin(self) -> int:
        if self._sent_to is not None:
            return self._sent_to
        paused_at, manner = self._outlet.paused_at, self._manner
        at = self._outlet.next_place() if paused_at is None else paused_at
        outside = manner.loop and not manner.start <= at < manner.stop
        return manner.start if outside else at

    def _is_void(self, wish: int) -> bool:
        """Whether something else is wished for than what was prepared for ``wish``."""
        return self._paused or wish != self._wish or self._stopped_at is not None

    def _feed(self) -> bool:
        """Feed what there is room for; False once all has been played."""
        passage, wish = self._passage, self._served
        while passage is not None and self._outlet.queued_samples < self.AHEAD_SAMPLES:
            piece = passage.next()
            with self._lock:
                if self._is_void(wish):
                    return True
                if piece is None:
                    return self._outlet.silent_s() < self.TAIL_S
                self._outlet.put(piece)
            time.sleep(0)  # between two pieces the device's thread may have the interpreter
        return True


def _speed(speed: float) -> float:
    return min(max(speed, SLOWEST), FASTEST)
