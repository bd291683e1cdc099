"""One interruption while it becomes known, and the record that it is so far. Pure logic."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from app.analysis.turn_records import Interruption, InterruptionClass, Sound, SoundClass
from app.timeline.events import EchoHeard, Interrupted, MicChunkSent, Silenced, SoundBefore
from audio.pcm import samples_to_ms

OF_SOURCE: dict[str, InterruptionClass] = {"button": "button", "message": "message"}
"""The class that a source alone decides: a person did it, whatever the user track held."""
OVER_S = 0.1
"""Speech that begins so shortly before playout begins over it: edges are known no better."""


@dataclass(slots=True)
class Speech:
    """The user's speech from ``start`` on; ``chunk`` is the mic chunk that carried its onset.

    Where there is ``echo``, it was none of the user's.
    """

    start: float
    stop: float | None = None
    chunk: MicChunkSent | None = None
    echo: EchoHeard | None = None


@dataclass(frozen=True, slots=True)
class CutWords:
    """What the audio speaks of that an interrupt met."""

    heard: str
    unheard: str
    cut_word: str
    corrected: str | None
    estimated: bool


@dataclass(slots=True)
class Cut:
    """One interruption while it becomes known."""

    number: int
    event: Interrupted
    discarded_samples: int = 0
    held_back_samples: int = 0
    spans: list[int] = field(default_factory=list)
    """The numbers of its discarded spans, in playing order."""
    replies: set[int] = field(default_factory=set)
    silenced: Silenced | None = None
    stopped_in: tuple[int, int] | None = None
    """The reply in which the agent fell silent, and the received position."""
    turn_start: float | None = None
    """When the agent's turn began that it met, if any."""
    playout_since: float | None = None
    """When the playout began that it met, over short silences."""
    could_hear: bool = False
    """Whether the user would have been heard before it."""
    speech: Speech | None = None
    told_at: float | None = None
    next_at: float | None = None
    kind: InterruptionClass | None = None
    sound: SoundBefore | None = None
    echo: EchoHeard | None = None
    """The agent's own voice, where the microphone held that right before it."""
    is_echo: bool = False
    """Whether VAD took that voice for the onset: then it was nothing else."""

    @property
    def onset(self) -> float | None:
        """When the user's speech began that it followed."""
        return self.speech.start if self.speech is not None else None

    @property
    def silent_at(self) -> float | None:
        """When the last agent sample left the speaker, if one left after the interrupt."""
        told = self.silenced
        if told is None or told.silent_at is None or told.silent_at < told.interrupted_at:
            return None
        return told.silent_at

    @property
    def was_playing(self) -> bool:
        """Whether it cut anything off."""
        return self.event.queued_samples > 0 or self.silent_at is not None

    def add_span(self, number: int) -> None:
        """Note that discarded span ``number`` is its doing; one that has grown is noted once."""
        if not self.spans or self.spans[-1] != number:
            self.spans.append(number)

    def record(self, words: CutWords) -> Interruption:
        """Return it as a record, with the words that its replies' audio speaks of."""
        event, silent_at, onset = self.event, self.silent_at, self.onset
        chunk = self.speech.chunk if self.speech is not None else None
        since = self.silenced.interrupted_at if self.silenced is not None else event.t
        return Interruption(
            number=self.number,
            at=event.t,
            source=event.source,
            event_id=event.event_id,
            kind=self.kind,
            queued_ms=samples_to_ms(event.queued_samples),
            discarded_ms=samples_to_ms(self.discarded_samples),
            held_back_ms=samples_to_ms(self.held_back_samples),
            silent_at=silent_at,
            # where nothing tells when the interrupt came, there is only the silence
            time_to_silence_ms=None if event.source == "unknown" else _ms(since, silent_at),
            was_silent=self.silenced is not None and silent_at is None,
            user_onset=onset,
            chunk_ended_at=None if chunk is None else chunk.completed_at,
            chunk_sent_at=None if chunk is None else chunk.t + chunk.sent_s,
            told_at=self.told_at,
            mouth_to_silence_ms=self._mouth_to_silence_ms(),
            heard_text=words.heard,
            unheard_text=words.unheard,
            cut_word=words.cut_word,
            corrected_text=words.corrected,
            agent_next_at=self.next_at,
            estimated=self.silenced is not None and self.silenced.estimated,
            words_estimated=words.estimated,
            sound=self._sound(),
        )

    def _mouth_to_silence_ms(self) -> float | None:
        onset, since = self.onset, self.playout_since
        if onset is None or since is None or 0 <= onset < since - OVER_S:
            # an agent that began while the user spoke was not to be silent before; of speech from
            # before the first moment, as in a part of a session, nobody knows
            return None
        return _ms(onset, self.silent_at)

    def _sound(self) -> Sound | None:
        if self.onset is not None or self.event.source in OF_SOURCE:
            return None  # its cause is known, and was none of what the user track held
        return _sound_of(self.sound, self.echo if self.is_echo or self.sound is None else None)


def _ms(start: float, stop: float | None) -> float | None:
    return None if stop is None else (stop - start) * 1000


def _sound_of(sound: SoundBefore | None, echo: EchoHeard | None) -> Sound | None:
    """Return what the user track held, where that was no speech of the user's.

    ``echo`` is known to be the agent's own voice, whatever the measured ``sound`` was taken for.
    """
    if sound is not None and (echo is None or sound.kind == "echo"):
        return None if sound.kind == "speech" else _as_measured(sound, sound.kind)
    if echo is None:
        return None
    found = Sound("echo", echo.t, echo.stop, None, None)
    if sound is not None:
        found = _as_measured(sound, "echo")
    return replace(
        found,
        correlation=echo.correlation,
        echo_delay_ms=echo.delay_ms,
        echo_db=echo.level_db,
    )


def _as_measured(sound: SoundBefore, kind: SoundClass) -> Sound:
    return Sound(
        kind,
        sound.t,
        sound.stop,
        sound.peak_dbfs,
        sound.noise_dbfs,
        sound.burst_ms,
        sound.correlation,
        sound.echo_delay_ms,
        sound.echo_db,
    )
