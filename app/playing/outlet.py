"""The speaker's side of a player: what was fed to it, and which of it leaves it now.

Used under its owner's lock, for some microseconds at a time; the device's thread never takes that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.playing.fed_map import FedMap
from app.playing.passage import Piece
from audio.account import DeviceFault, Discarded, Heard, Record, Silenced
from audio.clock import now
from audio.duplex import DuplexInterface, Sink
from audio.errors import AudioError
from audio.file import FileSource
from audio.pcm import SAMPLE_RATE, Samples, to_bytes
from audio.playout import PlayoutQueue

FADE_SAMPLES = PlayoutQueue.FADE_SAMPLES


@dataclass(frozen=True, slots=True)
class _Pause:
    """A pause of which the account has not told yet where it fell."""

    epoch: int
    at: float
    estimate: float


class Outlet:
    """Runs of samples to a speaker; each run takes the place of the one before it.

    Places are positions in the recording, in samples.
    """

    PAUSE_S = 0.1
    """How long to wait until the account tells where a pause fell; then it is estimated."""

    def __init__(self, sink: Sink, at: int) -> None:
        """Prepare to play on ``sink``, from place ``at`` on; nothing is opened."""
        self._audio = DuplexInterface(FileSource(None), sink)
        self._map = FedMap(at)
        self._playing = False
        self._epoch = 0
        self._pause: _Pause | None = None
        self._paused_at: int | None = None
        self._cursor = 0
        self._discarded: int | None = None
        self._guess: tuple[int, int] | None = None

    def open(self) -> None:
        """Open the speaker. Blocks, and raises ``AudioError``; not under the lock."""
        self._audio.start(lambda _audio: None)

    def close(self) -> None:
        """Give the speaker back. Blocks for half a second at the most; not under the lock."""
        self._audio.stop()

    # -- to the speaker ------------------------------------------------------------------------

    def begin(self, place: int, piece: Piece | None) -> None:
        """Begin another run with ``piece``, in place of all that is queued."""
        first = self._epoch == 0 and not self._playing
        if self._playing:
            self._interrupt()
        self._map.begin(place)
        self._playing, self._guess = True, None
        self._pause = self._paused_at = None
        if piece is not None:
            # the very first begins as it is; others mirror the fade of what they take the place of
            self.put(piece if first else piece._replace(samples=_faded_in(piece.samples)))
            self._place_run()

    def put(self, piece: Piece) -> None:
        """Queue the next piece of the run."""
        ran_dry = not self.queued_samples and self._map.fed > self._map.started
        if ran_dry:
            # there was a silence that nothing is known of yet: it goes on as another run
            self._map.cut(self._map.fed)
            self._map.begin(piece.spans[0].begins)
            self._guess = None
        self._map.add(piece.spans)
        self._audio.output(to_bytes(piece.samples))
        if ran_dry:
            self._place_run()

    def pause(self) -> None:
        """Fall silent at once, and learn where; nothing happens where it is silent."""
        if self._playing:
            estimate = self.next_place()
            self._interrupt()
            self._playing = False
            self._pause = _Pause(self._epoch, now(), estimate)

    def silence(self) -> None:
        """Fall silent at once, for good."""
        self._audio.interrupt()

    def _interrupt(self) -> None:
        self._map.cut(self._next_fed() + FADE_SAMPLES)
        self._epoch += 1
        self._audio.interrupt()

    def _next_fed(self) -> int:
        """Return the fed sample that the device is given next, as far as is known now."""
        return self._map.fed - self._audio.account.queued_samples

    # -- where it is ---------------------------------------------------------------------------

    @property
    def queued_samples(self) -> int:
        """How much waits to be played."""
        return self._audio.account.queued_samples

    @property
    def is_pausing(self) -> bool:
        """Whether there was a pause of which it is not known yet where it fell."""
        return self._pause is not None

    @property
    def paused_at(self) -> int | None:
        """The place to go on from after a pause; None where there was none."""
        return self._paused_at

    def next_place(self) -> int:
        """Return the place to go on from if what is queued is replaced now."""
        return round(self._map.place_fed(min(self._next_fed() + FADE_SAMPLES, self._map.fed)))

    def place_now(self) -> float:
        """Return the place that leaves the speaker now, by the device's own clock."""
        account = self._audio.account
        written = account.output_ring.written
        leaves_at = account.output_clock.time_at(written)
        ahead = 0.0 if leaves_at is None else (leaves_at - now()) * SAMPLE_RATE
        # what the device was not given does not leave it, however late it is
        return self._map.place_heard(min(written - ahead, written))

    def silent_s(self) -> float:
        """Return how long ago the last of the run left the speaker; negative while it has not."""
        if self._map.fed == self._map.started:
            return float("inf")
        offset = self._map.offset
        if offset is None or self.queued_samples:
            return -1.0
        leaves_at = self._audio.account.output_clock.time_at(self._map.fed - offset)
        return -1.0 if leaves_at is None else now() - leaves_at

    # -- what the account tells ----------------------------------------------------------------

    def look(self) -> None:
        """Learn what became of what was fed.

        Raises:
            AudioError: the speaker has stopped working.

        """
        records, self._cursor, _ = self._audio.account.journal.read(self._cursor)
        for record in records:
            self._note(record)
        self._place_run()
        if self._pause is not None and now() - self._pause.at > self.PAUSE_S:
            self._paused_at, self._pause = round(self._pause.estimate), None

    def _note(self, record: Record) -> None:
        if isinstance(record, DeviceFault) and record.side == "output":
            raise AudioError(record.sentence)
        if isinstance(record, Discarded) and record.reason == "interrupt":
            self._discarded = record.start
        elif isinstance(record, Silenced):
            self._note_silenced(record)
        elif isinstance(record, Heard) and record.start >= self._map.started:
            self._map.offset = record.start - record.position

    def _note_silenced(self, record: Silenced) -> None:
        """Learn where a pause fell: at the first sample of the fade, to go on from there."""
        discarded, self._discarded = self._discarded, None
        if self._pause is None or record.epoch != self._pause.epoch:
            return
        fed = self._map.fed if discarded is None else discarded
        fed = max(fed - FADE_SAMPLES, self._map.started)
        self._map.cut(fed)
        self._paused_at, self._pause = round(self._map.place_fed(fed)), None

    def _place_run(self) -> None:
        """Learn where the present run stands in the output, before the account tells.

        The account's two figures change one after the other, so what they say together is believed
        once they have said it twice.
        """
        account = self._audio.account
        written, queued = account.output_ring.written, account.queued_samples
        if not queued:
            return
        guess = (self._map.fed - queued - written, written)
        before, self._guess = self._guess, guess
        if self._map.offset is None or (
            before is not None and before[0] == guess[0] and before[1] != guess[1]
        ):
            self._map.offset = guess[0]


def _faded_in(samples: Samples) -> Samples:
    count = min(FADE_SAMPLES, len(samples))
    faded = samples.copy()
    ramp = np.linspace(0.0, 1.0, count, dtype=np.float32)
    faded[:count] = (samples[:count] * ramp).astype(np.int16)
    return faded
