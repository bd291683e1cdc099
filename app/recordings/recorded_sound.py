"""Events made from the tracks of a recording that lacks them. No state; waits for the disk.

A bundle of an older version lacks what only the samples tell: the agent's own voice on the user
track, and what the microphone held before an interrupt. An audio file of somebody else's has no
events at all: there the speech of both parties is found, and what looks like a barge-in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from app.analysis.sound_events import event_of, sounds_matter
from app.recordings.sources import SampleSource
from app.timeline.events import (
    AgentHeard,
    EchoHeard,
    Event,
    Interrupted,
    Silenced,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
)
from audio.pcm import SAMPLE_RATE, silence
from audio.user_sound import EchoStretch, SoundMeasured, Told, UserSound
from audio.vad import SpeechEdge, Vad, VadSettings

BLOCK_SAMPLES = 10 * SAMPLE_RATE
SECONDS_A_SECOND = 100.0
"""How much of a track is listened to in a second, more or less: for telling progress alone."""

_PIECE_S = 0.25
_AGENT = VadSettings(hang_ms=300.0)


@dataclass(frozen=True, slots=True)
class Noticed:
    """An event, and when it would have been noticed, in session seconds."""

    at: float
    event: Event


@dataclass(slots=True)
class SoundFound:
    """What the tracks hold, as events in the order in which they would have been noticed."""

    events: list[Noticed] = field(default_factory=list)

    @property
    def has_echo(self) -> bool:
        """Whether the agent's own voice is on the user track."""
        return any(isinstance(each.event, EchoHeard) for each in self.events)

    def among(self, events: Iterable[Event]) -> Iterator[Event]:
        """Go through a recording's events with these where they belong.

        Where the agent's voice is on the user track, the speech that was told of may be that: what
        was found takes its place.
        """
        made = [
            each
            for each in self.events
            if self.has_echo or not isinstance(each.event, SpeechStarted | SpeechEnded)
        ]
        index, now = 0, 0.0
        for event in events:
            now = max(now, event.t)
            while index < len(made) and made[index].at <= now:
                yield made[index].event
                index += 1
            if not (self.has_echo and isinstance(event, SpeechStarted | SpeechEnded)):
                yield event
        yield from (each.event for each in made[index:])


def listen(
    user: SampleSource,
    agent: SampleSource | None,
    interrupts: Iterable[Interrupted],
    stopping: threading.Event,
    note: Callable[[float], None],
) -> SoundFound | None:
    """Find what the user track holds; None where ``stopping`` is set before the end.

    ``note`` is told how many seconds of it are done. Raises ``FileError``.
    """
    told = _user_told(user, agent, interrupts, stopping, note)
    if told is None:
        return None
    made = [Noticed(each.noticed / SAMPLE_RATE, event_of(each)) for each in told]
    made.sort(key=lambda each: each.at)
    return SoundFound(made)


def listen_to_file(
    user: SampleSource,
    agent: SampleSource | None,
    stopping: threading.Event,
    note: Callable[[float], None],
) -> list[Event] | None:
    """Return the events of a recording that has none, made from sound alone.

    They are the user's speech, the agent's audio as if it had been played as it stands, and an
    interrupt of an unknown source where the agent fell silent as if the user had cut in. All of
    the agent's are estimated.
    """
    told = _user_told(user, agent, (), stopping, note)
    if told is None:
        return None
    agent_speech: list[tuple[int, int]] = []
    if agent is not None:
        found = _speech(agent, stopping, lambda seconds: note(_seconds(user) + seconds))
        if found is None:
            return None
        agent_speech = found
    made = [Noticed(each.noticed / SAMPLE_RATE, event_of(each)) for each in told]
    made += _agent_events(agent_speech, barge_ins(_spans(told), agent_speech))
    made.sort(key=lambda each: each.at)
    end = max(_seconds(user), _seconds(agent) if agent is not None else 0.0)
    return [*(each.event for each in made), StateChanged(end, "ended")]


LONGEST_S = 3.0
"""An agent that goes on for longer was not cut short by it."""
SHORTEST_S = 0.1
SOON_S = 0.5
"""So long after the user's speech the agent may fall silent because of it."""
PAUSE_S = 0.7
"""An agent that goes on sooner had paused."""


def barge_ins(user: list[tuple[int, int]], agent: list[tuple[int, int]]) -> list[int]:
    """Return where the agent fell silent as if the user had cut in, as sample positions.

    Both lists are of speech, ``(start, stop)``, in order. It looks like that where the user began
    while the agent spoke, and the agent fell silent within ``LONGEST_S`` of it and not more than
    ``SOON_S`` after the user's speech, for ``PAUSE_S`` at least.
    """
    found: list[int] = []
    first = 0
    for number, (began, stopped) in enumerate(agent):
        following = agent[number + 1][0] if number + 1 < len(agent) else None
        if following is not None and following - stopped < PAUSE_S * SAMPLE_RATE:
            continue
        while first < len(user) and user[first][0] < stopped - LONGEST_S * SAMPLE_RATE:
            first += 1
        for onset, end in user[first:]:
            if onset > stopped - SHORTEST_S * SAMPLE_RATE:
                break
            if onset > began and stopped <= end + SOON_S * SAMPLE_RATE:
                found.append(stopped)
                break
    return found


def _user_told(
    user: SampleSource,
    agent: SampleSource | None,
    interrupts: Iterable[Interrupted],
    stopping: threading.Event,
    note: Callable[[float], None],
) -> list[Told] | None:
    sound = UserSound()
    for event in sorted(interrupts, key=lambda event: event.t):
        if sounds_matter(event):
            sound.ask(event.t)
    told: list[Told] = []
    for start in range(0, user.duration_samples, BLOCK_SAMPLES):
        if stopping.is_set():
            return None
        stop = min(start + BLOCK_SAMPLES, user.duration_samples)
        said = silence(stop - start) if agent is None else agent.read(start, stop)
        told += sound.feed(user.read(start, stop), said)
        note(stop / SAMPLE_RATE)
    return told + sound.finish()


def _speech(
    track: SampleSource, stopping: threading.Event, note: Callable[[float], None]
) -> list[tuple[int, int]] | None:
    """Return where there is speech on a track; None where ``stopping`` is set before the end."""
    vad = Vad(_AGENT)
    edges: list[SpeechEdge] = []
    for start in range(0, track.duration_samples, BLOCK_SAMPLES):
        if stopping.is_set():
            return None
        stop = min(start + BLOCK_SAMPLES, track.duration_samples)
        edges += vad.feed(track.read(start, stop))
        note(stop / SAMPLE_RATE)
    return _spans([*edges, *vad.finish()])


def _spans(told: Iterable[Told]) -> list[tuple[int, int]]:
    """Return speech from its edges, which come in pairs."""
    edges = [each for each in told if not isinstance(each, EchoStretch | SoundMeasured)]
    return [
        (onset.position, end.position)
        for onset, end in zip(edges[::2], edges[1::2], strict=False)
        if end.position > onset.position
    ]


def _agent_events(speech: list[tuple[int, int]], cuts: list[int]) -> Iterator[Noticed]:
    """Go through what the agent's speech would have told of, had it been played by a session."""
    piece = round(_PIECE_S * SAMPLE_RATE)
    for start, stop in speech:
        for at in range(start, stop, piece):
            end = min(at + piece, stop)
            t = at / SAMPLE_RATE
            yield Noticed(end / SAMPLE_RATE, AgentHeard(t, at, end, t, estimated=True))
    for number, position in enumerate(cuts, 1):
        t = position / SAMPLE_RATE
        yield Noticed(t, Interrupted(t, number, "unknown", 0))
        yield Noticed(t, Silenced(t, number, t, t, estimated=True))


def _seconds(track: SampleSource) -> float:
    return track.duration_samples / SAMPLE_RATE
