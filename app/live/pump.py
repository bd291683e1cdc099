"""The analysis thread: from the audio interface's account to tracks and events.

Every 20 ms it takes what was captured, played and received, lays it on the session clock, listens
to both tracks, and turns the account's records into events in session seconds. It never
touches the disk, and nobody waits for it. Any thread reads its two ``…_speaking``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

import numpy as np

from app.analysis.replies import ReplyStarts
from app.analysis.sound_events import event_of, sounds_matter
from app.analysis.turn_messages import reply_text
from app.timeline.account_events import AccountReader, Translator
from app.timeline.clock import SessionClock
from app.timeline.events import (
    AgentChunkReceived,
    Interrupted,
    MessageReceived,
    SpeechEnded,
    SpeechStarted,
    Timeline,
    Trouble,
)
from app.timeline.tracks import Track, Tracks
from audio.account import Account, Side
from audio.clock import SampleClock
from audio.pcm import SAMPLE_RATE, Samples, silence
from audio.ring import SampleRing
from audio.user_sound import SpeechFinder, Told, UserSound
from audio.worker import Worker

log = logging.getLogger(__name__)


class Mutes(Protocol):
    """When the microphone was muted."""

    def apply(self, samples: Samples, captured_at: float) -> Samples:
        """Return ``samples`` as the agent was sent them, the first captured at ``captured_at``."""


class Received(Protocol):
    """Agent audio as it arrived."""

    def take(self) -> list[tuple[int, Samples]]:
        """Return what came since the last call, each with its received position."""


class AudioFeed(Translator, Protocol):
    """What the tap offers to the pump. All times are monotonic seconds."""

    @property
    def account(self) -> Account | None:
        """The account to read: the interface's own, or a modelled one; None before there is any."""

    @property
    def has_begun(self) -> bool:
        """Whether the interface has been told to start: nothing is captured before that."""

    @property
    def running(self) -> bool:
        """Whether the interface has been started and not stopped."""

    @property
    def mutes(self) -> Mutes:
        """What to silence on the user track."""

    @property
    def received(self) -> Received:
        """Where agent audio waits for the received track."""

    def pace(self) -> None:
        """Let a modelled account catch up with the clock."""

    def finish(self) -> None:
        """Close a modelled account; once, after the interface has stopped."""


class Pump:
    """Owns the tracks' growth: one thread, or a test that calls ``cycle`` itself."""

    PERIOD_S = 0.02
    SPEAKING_S = 0.15
    LONG_SAMPLES = 4 * SAMPLE_RATE
    """More than this at a time comes only after the analysis, or the machine, was halted."""

    def __init__(
        self,
        feed: AudioFeed,
        tracks: Tracks,
        timeline: Timeline,
        clock: SessionClock,
        vad: SpeechFinder | None = None,
    ) -> None:
        """Prepare; ``start`` starts the thread, once ``clock`` has begun."""
        self.user_speaking = False
        self._feed = feed
        self._tracks = tracks
        self._timeline = timeline
        self._clock = clock
        self._vad = vad
        self._sound = UserSound(vad)
        self._heard_user = self._heard_agent = 0
        self._sound_from = 0
        self._seen = 0
        self._replies = ReplyStarts()
        self._account: Account | None = None
        self._reader: AccountReader | None = None
        self._no_sides = (
            _Side("input", tracks.user, timeline, clock, feed),
            _Side("output", tracks.agent, timeline, clock, feed),
        )
        self._sides: tuple[_Side, ...] = ()
        self._has_failed = False
        self._worker = Worker("analysis", self._run)

    @property
    def agent_speaking(self) -> bool:
        """Whether agent audio is leaving the speaker."""
        heard_until = self._reader.heard_until if self._reader is not None else None
        return heard_until is not None and self._clock.now() < heard_until + self.SPEAKING_S

    def start(self) -> None:
        """Start the analysis thread; once only."""
        self._worker.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """End the thread, take what is left, and give both tracks the same length.

        To be called once the audio interface has stopped, and before the recorder finishes. False,
        and nothing taken, where the thread does not end in time.
        """
        if not self._worker.stop(timeout_s):
            return False
        now = self._clock.now()
        for step in (
            self._feed.finish,
            lambda: self._take(now, settle=False),
            lambda: self._finish_reader(now),
            lambda: self._level(round(now * SAMPLE_RATE)),
            lambda: self._listen(now),
            lambda: self._tell(self._sound.finish(), now),
        ):
            self._attempt(step)
        return True

    def cycle(self) -> None:
        """Take what has come: what the thread does every 20 ms."""
        now = self._clock.now()
        self._take(now)
        for side in self._sides or self._no_sides:
            side.keep_up(now)
        self._listen(now)
        self._timeline.compact()

    def _level(self, end: int) -> None:
        user, agent = self._tracks.user, self._tracks.agent
        end = max(user.duration_samples, agent.duration_samples, end)
        user.fill_to(end)
        agent.fill_to(end)

    def _run(self, stopping: threading.Event) -> None:
        while not stopping.wait(self.PERIOD_S):
            self._attempt(self.cycle)

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - one fault must not end the recording
            self._on_error(error)

    def _finish_reader(self, now: float) -> None:
        if self._reader is not None:
            self._reader.finish(now)

    def _on_error(self, error: Exception) -> None:
        if self._has_failed:
            return
        self._has_failed = True
        log.exception("A cycle of the analysis failed", exc_info=error)
        sentence = "A fault in the analysis: tracks and events may have holes from here on."
        data = {"error": type(error).__name__}
        self._timeline.append(Trouble(self._clock.now(), "gap", sentence, "", "error", data))

    def _take(self, now: float, *, settle: bool = True) -> None:
        self._look()
        self._feed.pace()
        for start, samples in self._feed.received.take():
            self._tracks.receive(start, samples)
        if self._feed.account is not self._account:
            self._change_account(self._feed.account, now)
        for side in self._sides:
            side.take(settle=settle)
        if self._reader is not None:
            self._reader.read(now)

    def _change_account(self, account: Account | None, now: float) -> None:
        """Read another run's account from its beginning, once the last one is read to its end."""
        self._finish_reader(now)
        self._account = account
        if account is None:
            self._sides, self._reader = (), None
            return
        self._reader = AccountReader(
            account, self._feed, self._timeline, self._clock, self._replies.begins_at
        )
        user, agent = self._tracks.user, self._tracks.agent
        mic = _Side("input", user, self._timeline, self._clock, self._feed)
        speaker = _Side("output", agent, self._timeline, self._clock, self._feed)
        mic.read(account.input_ring, account.input_clock)
        speaker.read(account.output_ring, account.output_clock)
        self._sides = (mic, speaker)

    def _listen(self, now: float) -> None:
        """Have what was added to the tracks listened to.

        A machine that was asleep leaves minutes of silence on the user track. They are not gone
        through, for that takes seconds; listening begins anew behind them, and behind what the
        ring has lost.
        """
        self._look()
        ring = self._tracks.user.ring
        start, samples = ring.read(self._heard_user, ring.written)
        if start > self._heard_user:
            self._restart(start, now)
        self._heard_user = start + len(samples)
        if len(samples) > self.LONG_SAMPLES:
            first, stop = _longest_silence(samples)
            if stop - first > self.LONG_SAMPLES:
                # enough of it to hear that speech has ended
                ended = first + 3 * SAMPLE_RATE // 2
                self._hear(samples[:ended], start + ended, now)
                self._restart(start + stop, now)
                samples = samples[stop:]
        self._hear(samples, self._tracks.agent.ring.written, now)

    def _hear(self, samples: Samples, agent_until: int, now: float) -> None:
        """Listen to the next samples of the user, and to the agent's up to ``agent_until``."""
        ring = self._tracks.agent.ring
        start, said = ring.read(self._heard_agent, min(agent_until, ring.written))
        lost = start - self._heard_agent
        if lost > 0:
            said = np.concatenate((silence(lost), said))
        self._heard_agent += len(said)
        self._tell(self._sound.feed(samples, said), now)

    def _restart(self, position: int, now: float) -> None:
        self._tell(self._sound.finish(), now)
        self._sound = UserSound(self._vad)
        self._sound_from = self._heard_agent = position

    def _look(self) -> None:
        """Take the new events: where replies begin, and the interrupts.

        The sound before each of those is asked for, for there the cause may lie.
        """
        events, self._seen, _lost = self._timeline.read(self._seen)
        for event in events:
            if isinstance(event, Interrupted) and sounds_matter(event):
                self._sound.ask(event.t, self._sound_from)
            elif isinstance(event, AgentChunkReceived):
                self._replies.add_chunk(event)
            elif isinstance(event, MessageReceived) and event.kind == "agent_response":
                self._replies.add_text(event.t, reply_text(event), event.event_id)

    def _tell(self, told: list[Told], now: float) -> None:
        for each in told:
            event = event_of(each, self._sound_from, now)
            if isinstance(event, SpeechStarted | SpeechEnded):
                self.user_speaking = isinstance(event, SpeechStarted)
            self._timeline.append(event)


class _Side:
    """One stream of an account on its way to its track."""

    GRACE_SAMPLES = SAMPLE_RATE * 7 // 20
    """A side that has brought nothing for this long gets silence, so that its track keeps up."""
    MODELLED_GRACE_SAMPLES = 2 * SAMPLE_RATE
    """A class of somebody's own may hand over mic chunks of a second or more."""
    SETTLE_SAMPLES = SAMPLE_RATE // 4
    """The first samples wait until their clock has seen this many: its first reports jitter."""
    SUSPECT_S = 0.05
    AGE_GAIN = 0.05

    def __init__(
        self, side: Side, track: Track, timeline: Timeline, clock: SessionClock, feed: AudioFeed
    ) -> None:
        self._side = side
        self._track = track
        self._timeline = timeline
        self._clock = clock
        self._feed = feed
        self._ring = SampleRing(1)
        self._sample_clock = SampleClock()
        self._cursor = 0
        self._largest = 0
        self._usual_age_s: float | None = None
        self._is_stalled = False

    def read(self, ring: SampleRing, clock: SampleClock) -> None:
        """Take from ``ring``, whose samples were at the device when ``clock`` says."""
        self._ring, self._sample_clock, self._cursor = ring, clock, 0

    def take(self, *, settle: bool = True) -> None:
        """Lay what has come since the last call."""
        written = self._ring.written
        if written == self._cursor or (settle and written < self.SETTLE_SAMPLES):
            return
        newest_at = self._sample_clock.time_at(written)
        if newest_at is None or (settle and self._may_step(written, newest_at)):
            return
        start, samples = self._ring.read(self._cursor, written)
        at = self._sample_clock.time_at(start)
        if at is None:
            return
        if self._cursor:
            self._largest = max(self._largest, min(len(samples), self.MODELLED_GRACE_SAMPLES))
        self._cursor = start + len(samples)
        self._is_stalled = False
        if self._side == "input":
            samples = self._feed.mutes.apply(samples, at)
        self._lay(samples, self._clock.of(at))

    def _may_step(self, written: int, newest_at: float) -> bool:
        """Whether the clock has yet to notice that the device paused.

        The newest sample has just come, but by the clock it is older than such samples are. What
        follows a pause waits until the clock has stepped, lest it be laid before the pause.
        """
        age_s = self._clock.now() - self._clock.of(newest_at)
        if self._usual_age_s is None:
            self._usual_age_s = age_s
        older_s = age_s - self._usual_age_s
        if older_s > self.SUSPECT_S and written - self._cursor < self.SETTLE_SAMPLES:
            return True
        self._usual_age_s += older_s * self.AGE_GAIN
        return False

    def _lay(self, samples: Samples, at: float) -> None:
        gaps, gap_samples = self._track.gaps, self._track.gap_samples
        self._track.lay(samples, at)
        gap_ms = (self._track.gap_samples - gap_samples) * 1000 / SAMPLE_RATE
        if self._track.gaps > gaps:
            sentence = f"{gap_ms:.0f} ms are missing {_WHERE[self._side]}: its device paused."
            self._trouble(at, sentence, {"ms": round(gap_ms, 1)})

    def keep_up(self, now: float) -> None:
        """Lay silence where nothing has come for too long, and say so once for each stall.

        What comes in large pieces comes late: the grace is twice the largest piece seen.
        """
        due = round(now * SAMPLE_RATE) - self._grace_samples()
        at = self._track.duration_samples / SAMPLE_RATE
        if due <= self._track.duration_samples:
            return
        is_gap = self._track.is_begun and self._feed.running
        self._track.fill_to(due, is_gap=is_gap)
        if is_gap and not self._is_stalled:
            self._is_stalled = True
            sentence = (
                f"Nothing has come since {at:.1f} s {_FROM[self._side]}: its track is silent."
            )
            self._trouble(at, sentence, {})

    def _grace_samples(self) -> int:
        if not self._feed.has_begun:  # silence for sure: what is recorded of it cannot be lost
            return 0
        least = self.MODELLED_GRACE_SAMPLES if self._feed.estimated else self.GRACE_SAMPLES
        return max(least, 2 * self._largest)

    def _trouble(self, at: float, sentence: str, data: dict[str, float]) -> None:
        self._timeline.append(Trouble(at, "gap", sentence, self._side, "warning", dict(data)))


def _longest_silence(samples: Samples) -> tuple[int, int]:
    """Return the longest stretch of zeros as ``(first, stop)``, empty where there is none."""
    sounding = np.flatnonzero(samples)
    ends = np.concatenate(([-1], sounding, [len(samples)]))
    widest = int(np.argmax(np.diff(ends)))
    return int(ends[widest]) + 1, int(ends[widest + 1])


_WHERE = {"input": "on the user track", "output": "on the agent track"}
_FROM = {"input": "from the microphone", "output": "from the speaker's side"}
