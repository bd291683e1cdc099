"""The tap: what stands between the agent and whatever carries the audio, and sees it all.

The SDK's conversation is given a ``Tap`` as its audio interface; the tap forwards the four methods
to the interface that a person chose, whichever that is. On the way it mutes, converts formats,
holds back what a manual interrupt cut off, and knows of every interrupt whose it was.

Threads that enter: agent receive (``start``, ``stop``, ``output``, ``interrupt`` and what the
conversation says), uplink (``stop``, the callback), the pump (what is read), the session's, and
whoever presses the button.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from app.tap.holdback import HoldBack
from app.tap.modelled import Modelled
from app.tap.mutes import MuteLog
from app.tap.positions import PositionMap
from app.tap.received import ReceivedAudio
from app.tap.uplink import Uplink
from app.timeline.clock import SessionClock
from app.timeline.events import (
    AgentChunkReceived,
    Alignment,
    InterruptSource,
    Muted,
    Timeline,
    Trouble,
)
from audio.account import Account
from audio.clock import now
from audio.duplex import DuplexInterface
from audio.errors import AudioError, FormatError
from audio.interface import AudioInterface, InputCallback
from audio.pcm import SAMPLE_RATE, Decoder, Samples, as_bytes, to_samples

log = logging.getLogger(__name__)


class CarriesAudio(Protocol):
    """The four methods, inherited from ``AudioInterface`` or not."""

    def start(self, input_callback: InputCallback) -> None:
        """See ``AudioInterface``."""

    def stop(self) -> None:
        """See ``AudioInterface``."""

    def output(self, audio: bytes) -> None:
        """See ``AudioInterface``."""

    def interrupt(self) -> None:
        """See ``AudioInterface``."""


class InterfaceFailed(AudioError):
    """Somebody's own audio interface raised something that is not an ``AudioError``."""


class SessionOver(AudioError):
    """The session was over before its audio began."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Whose an interrupt was. ``called_at`` is in monotonic seconds."""

    called_at: float
    source: InterruptSource
    event_id: int | None


class _Announced(NamedTuple):
    """What the conversation said of the chunk that it hands over next."""

    event_id: int | None = None
    alignment: Alignment | None = None


class Tap(AudioInterface):
    """Forwards the contract to ``inner``, once: a tap serves one session.

    Received positions count all agent audio that crossed it, held back or not, in contract
    samples. ``inner`` counts only what it was given; ``received_spans`` translates.
    """

    LOCK_TIMEOUT_S = 0.02
    """How long an interrupt waits for an ``output`` in progress before it goes ahead without."""
    CAUSE_S = 0.5
    """An interrupt that comes later than this after the last call was nobody's."""
    STREAMING_S = 2.0
    """A reply whose last chunk came within this time may not be complete yet."""

    def __init__(self, inner: CarriesAudio, timeline: Timeline, clock: SessionClock) -> None:
        """Stand before ``inner``; times on ``timeline`` are those of ``clock``."""
        self.mutes = MuteLog()
        self.received = ReceivedAudio()
        self.received_samples = 0
        self.held_back_samples = 0
        self._inner = inner
        self._timeline = timeline
        self._clock = clock
        self._uplink = Uplink(self.mutes, self._protocol_trouble)
        self._modelled: Modelled | None = None
        self._started = False
        self.has_begun = False
        self.is_starting = False
        """Whether ``inner`` is opening at this moment: what it waits for, the agent waits for."""
        # Guards the order of output and interrupt: what a hold-back lets pass is queued before the
        # interrupt that empties the queue, or not at all.
        self._order = threading.Lock()
        self._hold = HoldBack()
        self._decoder = Decoder("pcm_16000")
        self._announced = _Announced()
        self._agent_interruption: int | None = None
        self._causes: deque[Cause] = deque(maxlen=10_000)
        self._positions = PositionMap()
        self._given_samples = 0
        self._last_chunk_at: float | None = None
        # Guards the three below: starting and closing come from different threads.
        self._lifecycle = threading.Lock()
        self._running = False
        self._stop_asked = False
        self._closed = False

    # -- the contract --------------------------------------------------------------------------

    def start(self, input_callback: InputCallback) -> None:
        """Start ``inner``. Raises ``AudioError``, and nothing else, where it does not start."""
        if self._closed:
            raise SessionOver("The session was over before its audio began.")
        self._modelled = None if _keeps_account(self._inner) else Modelled()
        self._uplink.open(input_callback)
        self.has_begun = True
        with self._lifecycle:
            self._stop_asked = False
        self.is_starting = True
        try:
            self._inner.start(self._deliver)
        except AudioError:
            raise
        except BaseException as error:  # sys.exit() in somebody's class ends no thread of ours
            raise InterfaceFailed(self._accuse("could not start", error)) from error
        finally:
            self.is_starting = False
        self._started = True
        if not self._begin_running():
            self._stop_inner()

    def _begin_running(self) -> bool:
        with self._lifecycle:
            self._running = not (self._closed or self._stop_asked)
            return self._running

    def stop(self) -> None:
        """Stop ``inner``; harmless when it does not run.

        A start that is under way on another thread is undone as soon as it returns.
        """
        with self._lifecycle:
            was_running, self._running = self._running, False
            self._stop_asked = True
        self._uplink.close()
        if was_running:
            self._stop_inner()

    def output(self, audio: bytes) -> None:
        """Take an agent chunk in the agent's format and pass it on, unless it is held back."""
        announced, self._announced = self._announced, _Announced()
        if not self._running:
            return
        with self._order:
            at = self._last_chunk_at = now()
            contract = self._decoder.decode(audio)
            held = self._hold.chunk(announced.event_id)
            start = self._note_received(to_samples(contract), at, announced, held)
            if not held:
                self._pass_on(contract, start, at)

    def interrupt(self) -> None:
        """Interrupt, as the agent's server asked."""
        self._interrupt("agent", self._agent_interruption)

    # -- what the conversation says ------------------------------------------------------------

    def announce(self, event_id: int | None, alignment: Alignment | None) -> None:
        """Say of the chunk that ``output`` is given next which event it belongs to."""
        self._announced = _Announced(event_id, alignment)

    def forget_announced(self) -> None:
        """Say that the announced chunk does not come."""
        self._announced = _Announced()

    def agent_responded(self, event_id: int | None) -> None:
        """Say that the text of a reply has come; the next reply ends a hold."""
        with self._order:
            self._hold.response(event_id)

    def agent_interrupts(self, event_id: int | None) -> None:
        """Say which event the agent's next interrupt belongs to."""
        self._agent_interruption = event_id
        with self._order:
            self._hold.interruption()

    def set_formats(self, output: str, input_: str) -> None:
        """Convert from and to the formats that the metadata names, from now on."""
        try:
            with self._order:
                self._decoder = Decoder(output or "pcm_16000")
        except FormatError as error:
            self._protocol_trouble(f"{error} Agent audio is taken for pcm_16000.")
        self._uplink.set_format(input_ or "pcm_16000")

    # -- what the session does -----------------------------------------------------------------

    def interrupt_by(self, source: InterruptSource) -> bool:
        """Silence the agent and hold back the rest of its reply.

        False, and nothing done, where it is silent and no reply is on its way. Never blocks for
        longer than ``LOCK_TIMEOUT_S``.
        """
        if not self._running or (not self.queued_samples and not self._may_be_streaming()):
            return False
        self._interrupt(source, self._hold.last_id)
        return True

    def set_muted(self, muted: bool) -> None:
        """Silence the microphone from now on, or open it again."""
        at = self.mutes.set(muted)
        if at is not None:
            self._timeline.append(Muted(self._clock.of(at), muted))

    def close(self) -> None:
        """Stop for good: a start that is under way is undone as soon as it returns."""
        with self._lifecycle:
            self._closed = True
        self.stop()

    # -- what is read of it --------------------------------------------------------------------

    @property
    def account(self) -> Account | None:
        """The account of this run, ``inner``'s own or the modelled one. None before it started."""
        return self._present_account() if self._started else None

    @property
    def estimated(self) -> bool:
        """Whether ``account`` is modelled, for ``inner`` keeps none."""
        return not _keeps_account(self._inner)

    @property
    def running(self) -> bool:
        """Whether ``inner`` has been started and not stopped."""
        return self._running

    @property
    def carrier(self) -> str:
        """What ``inner`` is, for the subject of a sentence."""
        if isinstance(self._inner, DuplexInterface):
            return "the microphone or the speaker"
        return f"the audio interface {type(self._inner).__name__}"

    @property
    def holding_back(self) -> bool:
        """Whether the rest of a reply is being held back."""
        return self._hold.active

    @property
    def queued_samples(self) -> int:
        """Agent audio that has arrived and is not yet played."""
        account = self.account
        return account.queued_samples if account is not None and self._running else 0

    def pace(self) -> None:
        """Let the modelled account, if there is one, catch up with the clock. The pump's call."""
        if self._modelled is not None and self._running:
            self._modelled.advance(now())

    def finish(self) -> None:
        """Close the modelled account, if there is one. Once, after ``close``; the pump's call."""
        if self._modelled is not None:
            self._modelled.close()

    def cause_at(self, at: float) -> Cause | None:
        """Return whose the interrupt was that ``inner`` dates ``at`` (monotonic seconds)."""
        for cause in reversed(tuple(self._causes)):
            if cause.called_at <= at:
                return cause if at - cause.called_at <= self.CAUSE_S else None
        return None

    @property
    def mic_sent_since(self) -> float | None:
        """When mic chunks began to be sent (monotonic seconds); None while all of them wait."""
        return self._uplink.sends_since

    @property
    def mic_dropped_until(self) -> int:
        """The input position before which mic chunks were never sent: they waited too long."""
        return self._uplink.dropped_until

    def counters(self) -> dict[str, int]:
        """Return what the tap held back, and what its buffers dropped, by name."""
        return {
            "held_back_samples": self.held_back_samples,
            "unsent_mic_samples": self._uplink.dropped_samples,
            "unanalysed_agent_samples": self.received.dropped_samples,
        }

    def received_spans(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Return the received positions of what ``inner`` calls ``[start, stop)``, in pieces."""
        return self._positions.spans(start, stop)

    # -- inside --------------------------------------------------------------------------------

    def _note_received(self, samples: Samples, at: float, said: _Announced, held: bool) -> int:
        start, stop = self.received_samples, self.received_samples + len(samples)
        self.received_samples = stop
        self.received.append(start, samples)
        self.held_back_samples += len(samples) if held else 0
        self._timeline.append(
            AgentChunkReceived(self._clock.of(at), start, stop, said.event_id, said.alignment, held)
        )
        return start

    def _pass_on(self, contract: bytes, received: int, at: float) -> None:
        # known before the account can speak of these samples
        self._positions.add(self._given_samples, received)
        self._given_samples += len(contract) // 2
        if self._modelled is not None:
            self._modelled.put(contract, at)
        self._guard("output", lambda: self._inner.output(contract))

    def _interrupt(self, source: InterruptSource, event_id: int | None) -> None:
        # A class whose output() blocks breaks the contract, and an interrupt does not wait for it.
        ordered = self._order.acquire(timeout=self.LOCK_TIMEOUT_S)
        try:
            if source != "agent":
                self._hold.begin()
            # written down first: the pump may read the account's record at once
            called_at = now()
            self._causes.append(Cause(called_at, source, event_id))
            self._guard("interrupt", self._inner.interrupt)
            if self._modelled is not None:
                self._modelled.flush(called_at)
        finally:
            if ordered:
                self._decoder.reset()
                self._order.release()

    def _may_be_streaming(self) -> bool:
        last = self._last_chunk_at
        return not self._hold.active and last is not None and now() - last < self.STREAMING_S

    def _deliver(self, audio: bytes) -> None:
        """Take a mic chunk from ``inner``, on its thread."""
        called_at = now()
        whole = as_bytes(audio)
        samples = to_samples(whole[: len(whole) & ~1])
        position, captured_at = self._captured(samples, called_at)
        self._uplink.send(samples, captured_at, position)
        if self._modelled is not None:
            self._modelled.delivered(position, len(samples), called_at)

    def _captured(self, samples: Samples, called_at: float) -> tuple[int, float]:
        if self._modelled is not None:
            return self._modelled.captured(samples, called_at)
        account = self._present_account()
        delivering = account.delivering if account is not None else None
        if delivering is None:
            return 0, called_at - len(samples) / SAMPLE_RATE
        return delivering.start, delivering.captured_at

    def _present_account(self) -> Account | None:
        if self._modelled is not None:
            return self._modelled.account
        account: Account | None = getattr(self._inner, "account", None)
        return account

    def _stop_inner(self) -> None:
        self._guard("stop", self._inner.stop)

    def _guard(self, method: str, call: Callable[[], None]) -> None:
        """Call a method of somebody's class: what it raises must not end the session."""
        try:
            call()
        except BaseException as error:  # a foreign class may raise anything at all
            log.exception("The audio interface's %s() failed", method)
            sentence = self._accuse(f"failed in {method}()", error)
            self._timeline.append(Trouble(self._clock.now(), "device", sentence, level="error"))

    def _accuse(self, what: str, error: BaseException) -> str:
        why = f"{type(error).__name__}: {error}".rstrip(".")
        return f"The audio interface {type(self._inner).__name__} {what}: {why}."

    def _protocol_trouble(self, sentence: str) -> None:
        self._timeline.append(Trouble(self._clock.now(), "protocol", sentence))


def _keeps_account(interface: CarriesAudio) -> bool:
    return isinstance(getattr(interface, "account", None), Account)
