"""``DuplexInterface``: the whole contract, over any source of mic audio and any sink for the agent.

The life of one run is a ``_Run``: made by ``start``, ended by ``stop``, never used again, so that
a thread left over from one run (a callback that hangs on the network, a device that will not
close) cannot touch the next. ``start`` and ``stop`` may be called from any thread; ``output`` and
``interrupt`` take the run that is there, and no lock but the queue's own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from audio.account import Account, DeviceFault, Side, Xrun
from audio.capture import Capture
from audio.clock import now
from audio.errors import AlreadyRunning
from audio.interface import AudioInterface, InputCallback
from audio.pcm import Samples
from audio.playout import PlayoutQueue
from audio.worker import Worker

log = logging.getLogger(__name__)

Feed = Callable[[Samples, float], None]
"""``feed(block, captured_at)``: the monotonic time of the block's first sample."""
Pull = Callable[[int, float], Samples]
"""``pull(frames, plays_at)``: ``plays_at`` is when the first of them leaves the speaker."""
OnFault = Callable[[str], None]
"""``on_fault(sentence)``: it stopped working while it ran, and a person should know."""
OnXrun = Callable[[], None]
"""``on_xrun()``: the device reported an overflow or an underflow."""


class Opened(Protocol):
    """One opening of a source or a sink. It belongs to the run that opened it."""

    def close(self) -> None:
        """End it: once this returns, nothing is fed or pulled any more."""


class Source(Protocol):
    """Where mic audio comes from: a microphone, a file, silence."""

    label: str

    def open(self, feed: Feed, on_fault: OnFault, on_xrun: OnXrun) -> Opened:
        """Begin to feed blocks from a thread of its own; raise ``AudioError`` if it cannot."""


class Sink(Protocol):
    """Where agent audio goes: a speaker, a file, nowhere."""

    label: str

    def open(self, pull: Pull, on_fault: OnFault, on_xrun: OnXrun) -> Opened:
        """Begin to pull blocks from a thread of its own; raise ``AudioError`` if it cannot."""


class _StoppedMeanwhile(Exception):
    """``stop()`` came while ``start()`` was still opening."""


class _Run:
    """One run: from one ``start`` to its ``stop``. What it opens, it closes, and nothing else."""

    STALL_S = 1.5
    """A side that has moved no sample for this long has stalled."""
    FIRST_S = 5.0
    """A side may take this long to move its first: an idle sound server wakes slowly."""
    WATCH_S = 0.25
    CLOSE_S = 0.3
    JOIN_S = 0.1

    def __init__(self, account: Account, capture: Capture, playout: PlayoutQueue) -> None:
        self.playout = playout
        self._account = account
        self._capture = capture
        self._watches: list[_StallWatch] = []
        self._watcher = Worker("audio-watch", self._watch)
        # Guards the two below: the opener adds, whoever closes takes all and lets none in after.
        self._opening = threading.Lock()
        self._opened: list[Opened] = []
        self._closed = False

    def open(self, source: Source, sink: Sink) -> None:
        """Open both sides, the source first, for a sink may replace a file.

        Raises:
            AudioError: one of them cannot be opened; nothing is left open.
            _StoppedMeanwhile: ``close`` was called; nothing is left open.

        """
        feed, pull = self._capture.feed, self.playout.pull
        try:
            self._keep(source.open(feed, self._fault("input"), self._xrun("input")))
            self._keep(sink.open(pull, self._fault("output"), self._xrun("output")))
        except BaseException:
            self.close()
            raise
        self._watches = [
            _StallWatch("input", source.label, self._account),
            _StallWatch("output", sink.label, self._account),
        ]
        self._capture.start()
        self._watcher.start()

    def refuse_callbacks(self) -> None:
        """From now on no callback begins."""
        self._capture.stop()

    def close(self) -> None:
        """Close both sides within a bounded time; what hangs is left behind, and logged."""
        self.refuse_callbacks()
        self._watcher.stop(0)
        with self._opening:
            self._closed = True
            opened, self._opened = self._opened, []
        closers = [_closer(side) for side in opened]
        deadline = now() + self.CLOSE_S
        for closer in closers:
            if not closer.join(deadline - now()):
                log.warning("A device takes long to close; it is left to itself")
        self.playout.close(now())
        self._capture.join(self.JOIN_S)

    def _keep(self, opened: Opened) -> None:
        with self._opening:
            if not self._closed:
                self._opened.append(opened)
                return
        opened.close()
        raise _StoppedMeanwhile

    def _fault(self, side: Side) -> OnFault:
        def on_fault(sentence: str) -> None:
            self._account.journal.append(DeviceFault(now(), side, sentence))

        return on_fault

    def _xrun(self, side: Side) -> OnXrun:
        account, counters = self._account, self._account.counters

        def on_input_xrun() -> None:
            counters.input_xruns += 1
            account.input_clock.unsettle()
            account.journal.append(Xrun(now(), "input"))

        def on_output_xrun() -> None:
            counters.output_xruns += 1
            account.output_clock.unsettle()
            account.journal.append(Xrun(now(), "output"))

        return on_input_xrun if side == "input" else on_output_xrun

    def _watch(self, stopping: threading.Event) -> None:
        while not stopping.wait(self.WATCH_S):
            for watch in self._watches:
                watch.look(now())


def _closer(opened: Opened) -> Worker:
    closer = Worker("audio-close", lambda _stopping: opened.close())
    closer.start()
    return closer


class _StallWatch:
    """Notices that a side moves no samples any more, and says so once for each stall."""

    def __init__(self, side: Side, label: str, account: Account) -> None:
        self._side: Side = side
        self._label = label
        self._account = account
        self._ring = account.input_ring if side == "input" else account.output_ring
        self._seen = -1
        self._moved_at = now()
        self._stalled = False

    def look(self, at: float) -> None:
        limit_s = _Run.STALL_S if self._seen > 0 else _Run.FIRST_S
        if self._ring.written != self._seen:
            self._seen = self._ring.written
            self._moved_at = at
            self._stalled = False
        elif at - self._moved_at > limit_s and not self._stalled:
            self._stalled = True
            role = "microphone" if self._side == "input" else "speaker"
            sentence = f"The {role} “{self._label}” has stopped answering."
            log.error(sentence)
            self._account.journal.append(DeviceFault(at, self._side, sentence))


class DuplexInterface(AudioInterface):
    """An ``AudioInterface`` over a ``Source`` and a ``Sink``; keeps the account of every sample.

    What always holds: at most one run is open; after ``stop`` returns no callback begins; ``stop``
    returns within half a second even when the network holds the callback and a device hangs;
    ``account`` is that of the present run, or of the last one.
    """

    INPUT_FRAMES_PER_BUFFER = 4000
    """Samples in each mic chunk (250 ms)."""
    OUTPUT_FRAMES_PER_BUFFER = 1000
    """The most samples that are handed to the speaker's side at a time (62.5 ms)."""

    def __init__(
        self,
        source: Source,
        sink: Sink,
        *,
        input_frames: int | None = None,
        output_frames: int | None = None,
    ) -> None:
        """Take audio from ``source`` and give it to ``sink``; nothing is opened before ``start``.

        ``input_frames`` and ``output_frames`` override the class's two figures for this instance.
        """
        self.INPUT_FRAMES_PER_BUFFER = _frames(input_frames, self.INPUT_FRAMES_PER_BUFFER)
        self.OUTPUT_FRAMES_PER_BUFFER = _frames(output_frames, self.OUTPUT_FRAMES_PER_BUFFER)
        self._source = source
        self._sink = sink
        # Guards which run is the present one; never held while a device opens or closes.
        self._lock = threading.Lock()
        self._run: _Run | None = None
        self._playout: PlayoutQueue | None = None
        self.account = Account()

    @property
    def source(self) -> Source:
        """Where mic audio comes from."""
        return self._source

    @property
    def sink(self) -> Sink:
        """Where agent audio goes."""
        return self._sink

    def start(self, input_callback: InputCallback) -> None:
        """Open both sides and begin to deliver mic chunks.

        A ``stop`` that comes meanwhile wins: then nothing is left open, and nothing is raised.

        Raises:
            AlreadyRunning: it runs already.
            AudioError: a side could not be opened; nothing is left open.

        """
        account = Account()
        capture = Capture(account, input_callback, self.INPUT_FRAMES_PER_BUFFER)
        playout = PlayoutQueue(account, output_frames=self.OUTPUT_FRAMES_PER_BUFFER)
        run = _Run(account, capture, playout)
        with self._lock:
            if self._run is not None:
                raise AlreadyRunning("This audio interface runs already; stop it first.")
            self._run, self.account = run, account
        try:
            run.open(self._source, self._sink)
        except _StoppedMeanwhile:
            return
        except BaseException:
            with self._lock:
                if self._run is run:
                    self._run = None
            raise
        with self._lock:
            if self._run is run:
                self._playout = playout

    def stop(self) -> None:
        """Close both sides; at once when not running. Returns within half a second."""
        with self._lock:
            run, self._run, self._playout = self._run, None, None
            if run is not None:
                run.refuse_callbacks()
        if run is not None:
            run.close()

    def output(self, audio: bytes) -> None:
        """Queue an agent chunk for playout and return at once; nothing happens when not running."""
        playout = self._playout
        if playout is not None:
            playout.put(audio, now())

    def interrupt(self) -> None:
        """Empty the playout queue at once; nothing happens when not running."""
        playout = self._playout
        if playout is not None:
            playout.flush(now())


def _frames(given: int | None, otherwise: int) -> int:
    frames = otherwise if given is None else given
    if frames < 1:
        raise ValueError(f"A buffer of {frames} frames cannot carry audio; it takes one or more.")
    return frames
