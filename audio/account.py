"""The account that an interface keeps: what became of every sample that crossed it.

Positions count samples from the start of a run. Agent audio has two: its *received* position (all
agent chunks back to back) and its *output* position (what the device was given, silence included).
Times are monotonic seconds at the device: when a sample was captured or left the speaker.

Written by the device's thread, the uplink thread and whoever calls ``output`` and ``interrupt``;
read by any thread at any time, without a lock that any of those waits for longer than an append
takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from audio.clock import SampleClock
from audio.journal import Journal
from audio.pcm import SAMPLE_RATE
from audio.ring import SampleRing

Side = Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class AgentChunk:
    """An agent chunk arrived; it holds received samples ``[start, stop)``."""

    start: int
    stop: int
    arrived_at: float
    epoch: int


@dataclass(frozen=True, slots=True)
class Heard:
    """Received samples ``[start, stop)`` were played, the first leaving the speaker at ``at``.

    ``position`` is the output position of the first.
    """

    start: int
    stop: int
    position: int
    at: float


@dataclass(frozen=True, slots=True)
class Discarded:
    """Received samples ``[start, stop)`` will never be played."""

    start: int
    stop: int
    at: float
    reason: Literal["interrupt", "overflow", "stop"]


@dataclass(frozen=True, slots=True)
class Interrupted:
    """``interrupt()`` was called: epoch ``epoch`` began, ``queued`` samples were waiting."""

    at: float
    epoch: int
    queued: int


@dataclass(frozen=True, slots=True)
class Silenced:
    """The last agent sample of the epochs before ``epoch`` left the speaker at ``silent_at``.

    None where the speaker was silent already when the interrupt came.
    """

    epoch: int
    interrupted_at: float
    silent_at: float | None


@dataclass(frozen=True, slots=True)
class MicChunk:
    """Captured samples ``[start, stop)`` went to the callback, which was called at ``called_at``.

    ``captured_at`` is the device time of the first; the last was captured at ``completed_at``.
    The callback returned, or raised, at ``returned_at``.
    """

    start: int
    stop: int
    captured_at: float
    completed_at: float
    called_at: float
    returned_at: float


class Delivery(NamedTuple):
    """The mic chunk that is being handed to the callback: captured samples ``[start, stop)``."""

    start: int
    stop: int
    captured_at: float


@dataclass(frozen=True, slots=True)
class Xrun:
    """The device reported an overflow of its input or an underflow of its output."""

    at: float
    side: Side


@dataclass(frozen=True, slots=True)
class Underrun:
    """The playout queue ran dry at ``at`` and went on at ``resumed_at``, in one epoch.

    It may have been the pause between two replies: the contract does not tell where a reply ends,
    and so no account does. Whoever knows the replies is to tell the two apart.
    """

    at: float
    resumed_at: float


@dataclass(frozen=True, slots=True)
class Dropped:
    """``samples`` samples were dropped because a bounded buffer was full."""

    at: float
    side: Side
    samples: int


@dataclass(frozen=True, slots=True)
class CallbackFailed:
    """``input_callback`` raised; ``error`` is the type and text of what it raised."""

    at: float
    error: str


@dataclass(frozen=True, slots=True)
class DeviceFault:
    """A device or file stopped working while it ran; ``sentence`` says so to a person."""

    at: float
    side: Side
    sentence: str


Record = (
    AgentChunk
    | Heard
    | Discarded
    | Interrupted
    | Silenced
    | MicChunk
    | Xrun
    | Underrun
    | Dropped
    | CallbackFailed
    | DeviceFault
)


@dataclass(slots=True)
class Counters:
    """Running totals of one run, for a person to read: a rare lost update does no harm."""

    captured_samples: int = 0
    mic_chunks: int = 0
    dropped_input_samples: int = 0
    callback_errors: int = 0
    input_xruns: int = 0
    agent_chunks: int = 0
    received_samples: int = 0
    heard_samples: int = 0
    discarded_samples: int = 0
    dropped_output_samples: int = 0
    interrupts: int = 0
    underruns: int = 0
    """Times the playout queue ran dry and went on within `PlayoutQueue.UNDERRUN_S`, in one epoch:
    inside a reply, or between two that follow each other closely."""
    output_xruns: int = 0


class Account:
    """All that is known of one run of an interface.

    ``input_ring`` holds what was captured and ``output_ring`` what the device was given, the last
    ``RING_S`` seconds of each; the clocks tell when each of their samples was at the device.
    ``queued_samples`` waits for playout now; ``delivering`` is the mic chunk that the callback has
    now.
    """

    RING_S = 60
    JOURNAL = 4_000

    def __init__(self) -> None:
        """Begin an empty account."""
        self.input_ring = SampleRing(self.RING_S * SAMPLE_RATE)
        self.output_ring = SampleRing(self.RING_S * SAMPLE_RATE)
        self.input_clock = SampleClock()
        self.output_clock = SampleClock()
        self.journal: Journal[Record] = Journal(self.JOURNAL)
        self.counters = Counters()
        self.queued_samples = 0
        self.delivering: Delivery | None = None
