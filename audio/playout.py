"""The playout queue: agent chunks in, device blocks out, every sample accounted for.

Three kinds of thread enter: whoever calls ``put`` and ``flush`` (they share a lock that guards
the tail and the epoch), and the device's thread, which alone calls ``pull`` and never takes that
lock: of locks it meets only the journal's, which is held for one append. The hand-over between
them is a ``deque`` that is swapped whole by a flush: appending to it and popping from it are
atomic, so ``pull`` sees each piece once, and what it has popped is its own.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from audio.account import (
    Account,
    AgentChunk,
    Discarded,
    Dropped,
    Heard,
    Interrupted,
    Silenced,
    Underrun,
)
from audio.clock import SampleClock, now
from audio.pcm import SAMPLE_RATE, Samples, as_bytes, to_samples


class _Piece(NamedTuple):
    start: int
    samples: Samples


@dataclass(slots=True)
class _Span:
    """What is being played right now: received ``[start, stop)``, from output ``position``."""

    start: int
    stop: int
    position: int


class _Flush(NamedTuple):
    epoch: int
    at: float
    accepted: int
    received: int
    pieces: deque[_Piece]


class PlayoutQueue:
    """Plays agent audio in order, and empties at once.

    Received positions grow by one for each sample ever ``put``. An interrupt raises the epoch:
    from then on ``pull`` gives nothing of what was put before it, except a fade of at most
    ``FADE_SAMPLES`` where the speaker was in the middle of a sound.
    """

    FADE_SAMPLES = 4 * SAMPLE_RATE // 1000
    UNDERRUN_S = 1.0
    """A queue that runs dry and goes on within this time, in one epoch, is taken for an underrun.

    After a longer silence another reply has most likely begun; but one may begin sooner.
    """
    CLOSE_S = 0.05
    HEARD_SAMPLES = SAMPLE_RATE // 10
    """A heard span is written down at least this often, so that a live view can follow it."""

    def __init__(
        self,
        account: Account,
        *,
        capacity_samples: int = 600 * SAMPLE_RATE,
        output_frames: int = 1000,
    ) -> None:
        """Queue at most ``capacity_samples``; hand on at most ``output_frames`` at a time."""
        self._account = account
        self._capacity = capacity_samples
        self._output_frames = output_frames
        # Guards the tail (received, accepted, half), the epoch and the swap of the pieces.
        self._tail = threading.Lock()
        self._half = b""
        self._received = 0
        self._accepted = 0
        self._pieces: deque[_Piece] = deque()
        self._flushes: deque[_Flush] = deque()
        self._epoch = 0
        self._floor = 0
        self._closed = False
        # The rest belongs to the device's thread.
        self._taken = 0
        self._current: _Piece | None = None
        self._span: _Span | None = None
        self._last_heard_position: int | None = None
        self._dry_position: int | None = None
        self._block_position = 0
        self._block_plays_at = 0.0
        self._pulling = False

    @property
    def epoch(self) -> int:
        """How many interrupts there have been."""
        return self._epoch

    @property
    def queued_samples(self) -> int:
        """How many samples wait to be played."""
        return max(self._accepted - max(self._taken, self._floor), 0)

    # -- the agent's side ----------------------------------------------------------------------

    def put(self, audio: bytes, at: float) -> None:
        """Queue ``audio`` (16-bit PCM, any length) that arrived at ``at``; joins half samples.

        What does not fit is dropped, counted and written down as discarded. Nothing happens once
        it is closed.
        """
        with self._tail:
            if self._closed:
                return
            samples = self._whole_samples(as_bytes(audio))
            start, stop = self._received, self._received + len(samples)
            self._received = stop
            room = max(self._capacity - self.queued_samples, 0)
            # a copy of a part, for a view would keep the whole chunk alive
            kept = samples if room >= len(samples) else samples[:room].copy()
            self._accepted += len(kept)
            if len(kept):
                self._pieces.append(_Piece(start, kept))
            self._note_arrival(AgentChunk(start, stop, at, self._epoch), len(samples) - len(kept))

    def flush(self, at: float) -> None:
        """Interrupt: nothing that was put before this is played after it."""
        with self._tail:
            if self._closed:
                return
            queued = self.queued_samples
            pieces, self._pieces = self._pieces, deque()
            self._half = b""
            self._floor = self._accepted
            self._epoch += 1
            self._flushes.append(_Flush(self._epoch, at, self._accepted, self._received, pieces))
            self._account.counters.interrupts += 1
            self._account.journal.append(Interrupted(at, self._epoch, queued))
            self._account.queued_samples = 0

    def _whole_samples(self, audio: bytes) -> Samples:
        if self._half or len(audio) % 2:
            audio = self._half + audio
            whole = len(audio) & ~1
            audio, self._half = audio[:whole], audio[whole:]
        return to_samples(audio)

    def _note_arrival(self, chunk: AgentChunk, dropped: int) -> None:
        account = self._account
        account.counters.agent_chunks += 1
        account.counters.received_samples += chunk.stop - chunk.start
        account.queued_samples = self.queued_samples
        account.journal.append(chunk)
        if dropped:
            account.counters.dropped_output_samples += dropped
            account.journal.append(Dropped(chunk.arrived_at, "output", dropped))
            self._discard(chunk.stop - dropped, chunk.stop, chunk.arrived_at, "overflow")

    def _discard(
        self, start: int, stop: int, at: float, reason: Literal["interrupt", "overflow", "stop"]
    ) -> None:
        if stop > start:
            self._account.counters.discarded_samples += stop - start
            self._account.journal.append(Discarded(start, stop, at, reason))

    # -- the device's side ---------------------------------------------------------------------

    def pull(self, frames: int, plays_at: float) -> Samples:
        """Return exactly ``frames`` samples, of which the first leaves the speaker at ``plays_at``.

        Silence where nothing is queued, and once it is closed. Called by the device's thread alone;
        never waits. More than ``output_frames`` are handed on in pieces, each of which an interrupt
        may cut short.
        """
        self._pulling = True
        try:
            if self._closed:
                return np.zeros(frames, np.int16)
            if frames <= self._output_frames:
                return self._pull_piece(frames, plays_at)
            steps = range(0, frames, self._output_frames)
            return np.concatenate(
                [
                    self._pull_piece(
                        min(self._output_frames, frames - step), plays_at + step / SAMPLE_RATE
                    )
                    for step in steps
                ]
            )
        finally:
            self._pulling = False

    def _pull_piece(self, frames: int, plays_at: float) -> Samples:
        block = np.zeros(frames, np.int16)
        position = self._account.output_ring.written
        self._block_position, self._block_plays_at = position, plays_at
        self._account.output_clock.observe(position, plays_at)
        filled = 0
        while self._flushes:
            filled = self._fall_silent(self._flushes.popleft(), block, filled, position)
        filled = self._fill(block, filled, position)
        if filled < frames and self._span is not None:
            self._dry_position = self._span.position + self._span.stop - self._span.start
            self._close_span()
        self._account.output_ring.write(block)
        self._account.queued_samples = self.queued_samples
        return block

    def close(self, at: float) -> None:
        """From now on play nothing; write down what will never be played. Twice is harmless.

        May be called while a device that hangs may still come back and pull: it gets silence.
        """
        with self._tail:
            if self._closed:
                return
            self._closed = True
        deadline = now() + self.CLOSE_S
        while self._pulling and now() < deadline:  # a pull in progress takes microseconds
            time.sleep(0.0005)
        while self._flushes:
            self._fall_silent(self._flushes.popleft(), np.zeros(0, np.int16), 0, 0)
        self._close_span()
        with self._tail:
            if self._current is not None:
                self._pieces.appendleft(self._current)
                self._current = None
            self._discard_pieces(self._pieces, at, "stop")
            self._pieces.clear()
            self._floor = self._accepted
        self._account.queued_samples = 0

    def _fill(self, block: Samples, filled: int, position: int) -> int:
        while filled < len(block):
            piece = self._next_piece()
            if piece is None:
                break
            count = min(len(block) - filled, len(piece.samples))
            block[filled : filled + count] = piece.samples[:count]
            self._take(piece, count)
            self._note_heard(piece.start, count, position + filled)
            filled += count
        return filled

    def _next_piece(self) -> _Piece | None:
        if self._current is None:
            pieces = self._pieces
            try:
                piece = pieces.popleft()
            except IndexError:
                return None
            if self._flushes and piece.start >= self._flushes[0].received:
                # A flush came since this block began: what was put after it waits for the next
                # block, so that `_current` is always older than the first flush to be handled.
                pieces.appendleft(piece)
                return None
            self._current = piece
        return self._current

    def _take(self, piece: _Piece, count: int) -> None:
        self._taken += count
        rest = piece.samples[count:]
        self._current = _Piece(piece.start + count, rest) if len(rest) else None

    def _fall_silent(self, flush: _Flush, block: Samples, filled: int, position: int) -> int:
        """Fade out what was playing, discard the rest of ``flush``, say when it was silent."""
        piece = self._current or (flush.pieces.popleft() if flush.pieces else None)
        played_to = self._received_stop(piece, flush)
        was_playing = piece is not None and self._span is not None
        if piece is not None and was_playing and filled == 0:
            filled = self._fade(piece, block, position)
            played_to = piece.start + filled
        self._close_span()
        self._current = None
        self._dry_position = None
        self._taken = max(self._taken, flush.accepted)
        self._discard_queued(played_to, piece, flush)
        silent_at = self._silent_at(flush.at, was_playing=was_playing)
        self._account.journal.append(Silenced(flush.epoch, flush.at, silent_at))
        return filled

    @staticmethod
    def _received_stop(piece: _Piece | None, flush: _Flush) -> int:
        return piece.start if piece is not None else flush.received

    def _fade(self, piece: _Piece, block: Samples, position: int) -> int:
        count = min(self.FADE_SAMPLES, len(piece.samples), len(block))
        ramp = np.linspace(1.0, 0.0, count, dtype=np.float32)
        block[:count] = (piece.samples[:count] * ramp).astype(np.int16)
        self._note_heard(piece.start, count, position)
        return count

    def _discard_queued(self, start: int, piece: _Piece | None, flush: _Flush) -> None:
        if piece is not None:
            flush.pieces.appendleft(_Piece(start, piece.samples[start - piece.start :]))
        self._discard_pieces(flush.pieces, flush.at, "interrupt")

    def _discard_pieces(
        self, pieces: Iterable[_Piece], at: float, reason: Literal["interrupt", "stop"]
    ) -> None:
        """Write down runs of pieces as one each; an overflow may have left holes between them."""
        start = stop = -1
        for piece in pieces:
            if piece.start != stop:
                self._discard(start, stop, at, reason)
                start = piece.start
            stop = piece.start + len(piece.samples)
        self._discard(start, stop, at, reason)

    def _silent_at(self, interrupted_at: float, *, was_playing: bool) -> float | None:
        """Return when the last agent sample left the speaker, if that was after the interrupt.

        A file that keeps its time late pulls what was due before the interrupt only after it: what
        was playing then fell silent with the interrupt, and was not silent before.
        """
        if self._last_heard_position is None:
            return None
        at = self._time_at(self._last_heard_position)
        if at > interrupted_at:
            return at
        return interrupted_at if was_playing else None

    # -- the account ---------------------------------------------------------------------------

    def _note_heard(self, start: int, count: int, position: int) -> None:
        span = self._span
        if span is not None and (
            span.stop != start or span.stop - span.start >= self.HEARD_SAMPLES
        ):
            self._close_span()
            span = None
        if span is None:
            self._note_resumed(position)
            span = self._span = _Span(start, start, position)
        span.stop = start + count
        self._last_heard_position = position + count

    def _note_resumed(self, position: int) -> None:
        dry, self._dry_position = self._dry_position, None
        if dry is None or position - dry > self.UNDERRUN_S * SAMPLE_RATE:
            return
        if position > dry:
            self._account.counters.underruns += 1
            self._account.journal.append(Underrun(self._time_at(dry), self._time_at(position)))

    def _close_span(self) -> None:
        span, self._span = self._span, None
        if span is None:
            return
        self._account.counters.heard_samples += span.stop - span.start
        at = self._time_at(span.position)
        self._account.journal.append(Heard(span.start, span.stop, span.position, at))

    def _time_at(self, position: int) -> float:
        """Return when output ``position`` is at the speaker, by the clock's line.

        By this block's own report where the line is far from it: after a device paused the line
        takes some blocks to follow.
        """
        reported = self._block_plays_at + (position - self._block_position) / SAMPLE_RATE
        at = self._account.output_clock.time_at(position)
        return reported if at is None or abs(at - reported) > SampleClock.STEP_S else at
