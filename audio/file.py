"""``FileAudioInterface``: a caller from a file, the listener's side to a file, in real time.

Threads, each a ``Worker`` that ends with ``close``:

=================  ===============================================  ===================
thread             does                                             may block on
=================  ===============================================  ===================
``file-capture``   feeds 10 ms blocks when they are due             nothing
``file-playout``   pulls 10 ms blocks when they are due             nothing
``file-reader``    reads and converts some seconds ahead            the disk
``file-writer``    writes what was pulled, ten times a second       the disk
=================  ===============================================  ===================

Between the two of a side stands a bounded ring, so the disk never holds up the clock. Everything
public may be called from any thread, ``open`` of one object by one at a time.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from audio import readahead
from audio.clock import now
from audio.duplex import DuplexInterface, Feed, OnFault, OnXrun, Opened, Pull
from audio.errors import FileUnwritable
from audio.interface import InputCallback
from audio.pcm import SAMPLE_RATE, Samples, silence
from audio.readahead import AudioFrames, ReadAhead
from audio.ring import SampleRing
from audio.wavfile import StreamingWav, unwritable
from audio.worker import Worker

log = logging.getLogger(__name__)

BLOCK_SAMPLES = SAMPLE_RATE // 100
BLOCK_S = BLOCK_SAMPLES / SAMPLE_RATE
CATCH_UP_S = 1.0
"""A thread that wakes up this late (a suspended machine) lets the time go instead of rushing."""

_JOIN_S = 5.0


def _keep_time(
    stopping: threading.Event, on_block: Callable[[float], None], on_gap: Callable[[int], None]
) -> None:
    """Call ``on_block(due)`` for block after block until ``stopping``, then for those due by then.

    Due times are counted from one beginning, so they do not drift, and a late call is followed by
    the next at once. ``on_gap(blocks)`` tells how many were let go after ``CATCH_UP_S``.
    """
    began, blocks = now(), 0
    until = math.inf
    while True:
        due = began + blocks * BLOCK_S
        early_s = due - now()
        if early_s > 0:
            stopping.wait(early_s)
        if stopping.is_set():
            until = min(until, now())
        if due > until:
            return
        if early_s < -CATCH_UP_S:
            missed = int(-early_s / BLOCK_S)
            on_gap(missed)
            blocks += missed
            continue
        on_block(due)
        blocks += 1


class _Opened:
    """One opening of a file: its pacing thread, and what reads or writes for it."""

    def __init__(self, pacer: Worker, file: ReadAhead | _Writer | None) -> None:
        self._pacer = pacer
        self._file = file

    def close(self) -> None:
        """Stop keeping time; then read no more, or write all that was due and close the file."""
        self._pacer.stop(_JOIN_S)
        if self._file is not None:
            self._file.close()


class FileSource:
    """A ``Source`` that speaks a file once, in real time, and then is silent; None is silent.

    Any format, rate and channel count that soundfile reads. A block's time is exact: block ``n``
    was captured 10 ms times ``n`` after the beginning, and is fed when its last sample is due.
    """

    def __init__(self, path: Path | str | None) -> None:
        """Remember the file; it is opened by ``open``."""
        self.path = None if path is None else Path(path)
        self.label = "silence" if self.path is None else self.path.name
        self.input_ended = threading.Event()
        """Set once the last sample of the file was fed, and cleared by ``open``."""
        self.late_samples = 0
        """Samples of silence fed because the disk was late; the file went on after them."""
        self.skipped_samples = 0
        """Samples of time let go because the machine was suspended."""
        self._pacer: Worker | None = None

    def check(self) -> None:
        """Raise what ``open`` would raise, and open nothing.

        Raises:
            FileMissing: there is no such file.
            FileUnreadable: it is not audio, or may not be read.

        """
        if self.path is not None:
            self.read_file(self.path).close()

    def read_file(self, path: Path) -> AudioFrames:
        """Open the file. A caller who is a part of something larger overrides this."""
        return readahead.open_audio(path)

    def open(self, feed: Feed, on_fault: OnFault, on_xrun: OnXrun) -> Opened:
        """Begin to feed; raises as ``check`` does, with nothing left open."""
        self.input_ended.clear()
        self.late_samples = self.skipped_samples = 0
        ahead = None if self.path is None else ReadAhead(self.path, on_fault, self.read_file)

        def feed_block(due: float) -> None:
            feed(self._next_block(ahead, on_xrun), due - BLOCK_S)
            if ahead is not None and ahead.ended:
                self.input_ended.set()

        def skip(blocks: int) -> None:
            self.skipped_samples += blocks * BLOCK_SAMPLES
            on_xrun()

        def run(stopping: threading.Event) -> None:
            # a block is there when its last sample is: one block after it began
            if not stopping.wait(BLOCK_S):
                _keep_time(stopping, feed_block, skip)

        pacer = self._pacer = Worker("file-capture", run, _stopped(self.label, on_fault))
        pacer.start()
        return _Opened(pacer, ahead)

    def wait_for_end(self, timeout_s: float | None = None) -> bool:
        """Wait until the file has ended, or this is closed; return whether the file has ended."""
        deadline = math.inf if timeout_s is None else now() + timeout_s
        while self._pacer is not None and self._pacer.alive and now() < deadline:
            if self.input_ended.wait(min(deadline - now(), 0.1)):
                break
        return self.input_ended.is_set()

    def _next_block(self, ahead: ReadAhead | None, on_xrun: OnXrun) -> Samples:
        samples = silence(0) if ahead is None else ahead.take(BLOCK_SAMPLES)
        missing = BLOCK_SAMPLES - len(samples)
        if missing and ahead is not None and not ahead.ended:
            if not self.late_samples:
                log.warning("Reading %s is late", self.path)
            self.late_samples += missing
            on_xrun()
        return np.concatenate((samples, silence(missing))) if missing else samples


class _Writer:
    """Writes to a WAV what is put into a ring, on a thread of its own, and never gives up.

    While the disk refuses, the ring keeps the last minute; what is lost beyond it becomes silence
    in the file, so that everything after it still stands where it belongs.
    """

    RING_SAMPLES = 60 * SAMPLE_RATE
    FLUSH_S = 0.1
    LOOK_S = 1.0
    """How often to look whether the file is still where it belongs."""

    def __init__(self, path: Path, on_fault: OnFault) -> None:
        """Create the file; raises ``FileUnwritable``."""
        self.ring = SampleRing(self.RING_SAMPLES)
        self.lost_samples = 0
        self._wav = StreamingWav(path)
        self._on_fault = on_fault
        self._refused = False
        self._look_at = 0.0
        self._is_in_place = True
        self._worker = Worker("file-writer", self._write, _stopped(path.name, on_fault))
        self._worker.start()

    def close(self) -> None:
        """Write the rest and close the file; waits for the disk for a few seconds at the most."""
        self._worker.stop(_JOIN_S)

    def _write(self, stopping: threading.Event) -> None:
        while not stopping.wait(self.FLUSH_S):
            self._try(self._drain)
            self._look()
        self._try(self._drain)
        self.lost_samples += self.ring.written - self._wav.samples_written
        self._try(self._wav.close)

    def _drain(self) -> None:
        position = self._wav.samples_written
        first, samples = self.ring.read(position, self.ring.written)
        if first > position:
            self._wav.write_silence(first - position)
            self.lost_samples += first - position
        self._wav.write(samples)
        self._wav.flush()

    def _look(self) -> None:
        """Say once when somebody has deleted the file, or put another in its place."""
        if not self._is_in_place or now() < self._look_at:
            return
        self._look_at = now() + self.LOOK_S
        self._is_in_place = self._wav.is_in_place()
        if not self._is_in_place:
            path = self._wav.path
            sentence = f"“{path}” was deleted or replaced: what is heard is written no more."
            log.warning("%s", sentence)
            self._on_fault(sentence)

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except FileUnwritable as error:
            if not self._refused:
                log.warning("%s", error)
                self._on_fault(str(error))
            self._refused = True
        else:
            self._refused = False


class FileSink:
    """A ``Sink`` that writes what a listener would have heard, in real time; None listens to all.

    The file holds every sample that was due between ``open`` and ``close``, silence included, and
    is a valid WAV at any moment. It is replaced if it was there.
    """

    def __init__(self, path: Path | str | None) -> None:
        """Remember the file; it is created by ``open``."""
        self.path = None if path is None else Path(path)
        self.label = "nobody" if self.path is None else self.path.name
        self.skipped_samples = 0
        """Samples of time let go because the machine was suspended; silence in the file."""
        self._writer: _Writer | None = None

    @property
    def lost_samples(self) -> int:
        """Samples that the disk did not take in time; silence in the file."""
        return 0 if self._writer is None else self._writer.lost_samples

    def open(self, pull: Pull, on_fault: OnFault, on_xrun: OnXrun) -> Opened:
        """Create the file and begin to pull.

        Raises:
            FileUnwritable: the file cannot be created; nothing is left open.

        """
        if self.path is not None:
            _refuse_no_file(self.path)
        self.skipped_samples = 0
        writer = self._writer = None if self.path is None else _Writer(self.path, on_fault)

        def put(block: Samples) -> None:
            if writer is not None:
                writer.ring.write(block)

        def skip(blocks: int) -> None:
            self.skipped_samples += blocks * BLOCK_SAMPLES
            on_xrun()
            for _ in range(blocks):
                put(silence(BLOCK_SAMPLES))

        def run(stopping: threading.Event) -> None:
            _keep_time(stopping, lambda due: put(pull(BLOCK_SAMPLES, due)), skip)

        pacer = Worker("file-playout", run, _stopped(self.label, on_fault))
        pacer.start()
        return _Opened(pacer, writer)


def _stopped(label: str, on_fault: OnFault) -> Callable[[Exception], None]:
    return lambda _error: on_fault(f"The file “{label}” has stopped because of an internal error.")


class FileAudioInterface(DuplexInterface):
    """The contract on files: a caller from ``input_file``, the listener's side to ``output_file``.

    Both run in real time. Without an input file the caller is silent; without an output file nobody
    listens, and everything else is the same.
    """

    def __init__(
        self,
        input_file: Path | str | FileSource | None = None,
        output_file: Path | str | None = None,
        *,
        input_frames: int | None = None,
        output_frames: int | None = None,
    ) -> None:
        """Use these files; they are opened by ``start``.

        Args:
            input_file: what the caller says, in any format that soundfile reads, or a source of it.
            output_file: what the listener hears, as WAV; replaced if it is there.
            input_frames: samples in each mic chunk, by default ``INPUT_FRAMES_PER_BUFFER``.
            output_frames: the most that is handed on at a time, by default
                ``OUTPUT_FRAMES_PER_BUFFER``.

        """
        self._file_source = (
            input_file if isinstance(input_file, FileSource) else FileSource(input_file)
        )
        self._file_sink = FileSink(output_file)
        super().__init__(
            self._file_source,
            self._file_sink,
            input_frames=input_frames,
            output_frames=output_frames,
        )

    def start(self, input_callback: InputCallback) -> None:
        """Open both files and begin to deliver mic chunks.

        Raises:
            AlreadyRunning: it runs already.
            FileMissing: there is no such input file.
            FileUnreadable: the input file is not audio, or may not be read.
            FileUnwritable: the output file cannot be created, or is the input file.

        """
        # before the output file is replaced
        self._file_source.check()
        _refuse_same(self._file_source.path, self._file_sink.path)
        super().start(input_callback)

    @property
    def input_ended(self) -> threading.Event:
        """Set once the last sample of the input file was captured; never without a file."""
        return self._file_source.input_ended

    def wait_for_end_of_input(self, timeout: float | None = None) -> bool:
        """Wait until the input file has ended; return whether it has.

        Returns False after ``timeout`` seconds, after ``stop``, and when not running.
        """
        return self._file_source.wait_for_end(timeout)


def _refuse_no_file(path: Path) -> None:
    """Raise ``FileUnwritable`` where ``path`` names what is no file, or is too long to name one."""
    try:
        # opening a pipe would wait for somebody to read from it
        is_other = path.exists() and not path.is_file()
    except OSError as error:
        raise unwritable(path, error) from error
    if is_other:
        raise FileUnwritable(path, f"“{path}” cannot be written: it is a folder or a device.")


def _refuse_same(source: Path | None, sink: Path | None) -> None:
    if source is None or sink is None:
        return
    _refuse_no_file(sink)
    if sink.exists() and sink.samefile(source):
        raise FileUnwritable(
            sink, f"“{sink}” cannot be written: it is the file that the caller is read from."
        )
