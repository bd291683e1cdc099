"""From what is viewed to what the window draws: read once a frame, never waited for.

Main thread only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.analysis.limits import Limits, class_of
from app.analysis.turns import TurnTracker
from app.timeline.events import (
    Event,
    MessageReceived,
    MessageSent,
    MicChunkSent,
    Muted,
    SpeechEnded,
    SpeechStarted,
)
from ui.lanes.scene import RATE, Both, Lane, Mark, Scene, Turn
from ui.lanes.unheard import Unheard
from ui.parts.tables import felt_text

if TYPE_CHECKING:
    from app.analysis import turn_records
    from app.analysis.turn_records import AudioSpan, Interruption, Overlap
    from app.analysis.viewed import TracksView, TurnView, Viewed

UNSEEN = (MicChunkSent, MessageReceived, MessageSent)
"""Events that change nothing in the lanes; they are the most frequent."""


class SessionFeed:
    """Keeps a `Scene` of one session or recording up to date, and knows its turns.

    A session's events are tracked here, as they come. A recording tells its turns by itself once
    they are known: of its events none is read here.
    """

    MOST_EVENTS = 4000
    """A frame; more than that come only after the window was halted."""

    def __init__(self, viewed: Viewed, limits: Limits | None = None) -> None:
        """Begin at the first event; ``limits`` say what is late and what is missed."""
        self.viewed = viewed
        self._limits = limits or Limits()
        self.session: Any = viewed
        """The same, for what only a session has."""
        self.tracker = TurnTracker(self._limits.pause_s)
        self.scene = Scene()
        self.lost = 0
        self.changes = 0
        """Raised whenever there is something new for the panels."""
        self._is_recording = hasattr(viewed, "turns")
        self._cursor = 0
        self._unheard = Unheard(self.scene)
        self._tracks: TracksView | None = None
        self._last_turns: tuple[turn_records.Turn, ...] = ()
        self._shown: TurnView | None = None
        self._heard: list[int] = []
        """The numbers of the spans that the agent's speech is made of."""
        if self._is_recording:
            self.scene.muted += getattr(viewed, "muted", ())

    @property
    def turns(self) -> TurnView | None:
        """What is known of turns; None while a recording works it out."""
        return self.viewed.turns if self._is_recording else self.tracker

    def set_limits(self, limits: Limits) -> None:
        """Let what is late, and what is missed, go by other limits from now on."""
        self._limits = limits
        turns = self.turns
        if turns is not None:
            self.scene.marks = [mark_of(each, limits) for each in turns.interruptions]
            self._show_overlaps(turns.overlaps, 0)
        self.scene.version += 1
        self.changes += 1

    def advance(self) -> list[Event]:
        """Take in what happened since the last call, and return a session's new events."""
        self._measure()
        if self._is_recording:
            self._show_recorded(self.turns)
            return []
        return self._follow()

    # -- audio ---------------------------------------------------------------------------------

    def _measure(self) -> None:
        viewed, scene, tracks = self.viewed, self.scene, self.viewed.tracks
        if tracks is not self._tracks:
            self._attach(tracks)
        scene.now_s = viewed.now()
        scene.live = not viewed.state.over and scene.now_s > 0
        _measure_lane(scene.user, tracks.user.peaks)
        _measure_lane(scene.agent, tracks.agent.peaks)

    def _attach(self, tracks: TracksView) -> None:
        self._tracks = tracks
        self.scene.user.view = tracks.user.peaks.view
        self.scene.agent.view = tracks.agent.peaks.view
        self.scene.received = tracks.received.peaks.view
        self.scene.version += 1

    # -- a recording ---------------------------------------------------------------------------

    def _show_recorded(self, turns: TurnView | None) -> None:
        if turns is None or turns is self._shown:
            return
        self._shown = turns
        scene = self.scene
        scene.user.turns = [_ends(turn) for turn in turns.user_turns]
        scene.agent.turns = [_ends(turn) for turn in turns.agent_turns]
        scene.marks = [mark_of(each, self._limits) for each in turns.interruptions]
        self._show_overlaps(turns.overlaps, 0)
        settled = [span for span in turns.spans if span.kind != "queued"]
        self._unheard.update(settled, 0, ())
        self._show_agent_speech(settled, 0)
        scene.version += 1
        self.changes += 1

    # -- a session -----------------------------------------------------------------------------

    def _follow(self) -> list[Event]:
        events, self._cursor, lost = self.viewed.timeline.read(self._cursor, self.MOST_EVENTS)
        self.lost += lost
        for event in events:
            self.tracker.feed(event)
            if isinstance(event, Muted):
                self._note_mute(event)
            elif isinstance(event, SpeechStarted | SpeechEnded):
                note_speech(self.scene.user.speech, event)
        self.changes += bool(events)
        # a turn also ends by silence, which any event may bring to light
        last_turns = (*self.tracker.user_turns[-1:], *self.tracker.agent_turns[-1:])
        if last_turns != self._last_turns or not all(isinstance(e, UNSEEN) for e in events):
            self._last_turns = last_turns
            self._show_tracked()
        return events

    def _note_mute(self, event: Muted) -> None:
        spans = self.scene.muted
        if event.muted and (not spans or spans[-1][1] is not None):
            spans.append((event.t, None))
        elif not event.muted and spans and spans[-1][1] is None:
            spans[-1] = (spans[-1][0], event.t)

    def _show_tracked(self) -> None:
        """Bring the scene up to date, at a price that does not grow with the session."""
        scene, tracker = self.scene, self.tracker
        user, agent = tracker.take_changed_turns()
        scene.user.turns[user:] = [_ends(turn) for turn in tracker.user_turns[user:]]
        scene.agent.turns[agent:] = [_ends(turn) for turn in tracker.agent_turns[agent:]]
        changed = tracker.take_changed_interruptions()
        scene.marks[changed:] = [
            mark_of(each, self._limits) for each in tracker.interruptions[changed:]
        ]
        self._show_overlaps(tracker.overlaps, tracker.take_changed_overlaps())
        changed = tracker.take_changed_spans()
        self._show_agent_speech(tracker.settled_spans, changed)
        self._unheard.update(tracker.settled_spans, changed, tracker.queued_spans())
        scene.version += 1

    # -- both ----------------------------------------------------------------------------------

    def _show_agent_speech(self, settled: Sequence[AudioSpan], changed: int) -> None:
        """Show what left the speaker; of ``settled`` those before number ``changed`` are known."""
        speech, numbers = self.scene.agent.speech, self._heard
        kept = bisect_left(numbers, changed)
        numbers[kept:] = [n for n in range(changed, len(settled)) if settled[n].kind == "heard"]
        speech[kept:] = [_extent(settled[number]) for number in numbers[kept:]]

    def _show_overlaps(self, overlaps: Sequence[Overlap], changed: int) -> None:
        """Show when both spoke; those before number ``changed`` are known."""
        latest = overlaps[changed:]
        self.scene.overlaps[changed:] = [both_of(each, self._limits) for each in latest]


def note_speech(speech: list[Turn], event: SpeechStarted | SpeechEnded) -> None:
    """Bring ``speech`` up to date with the next of its onsets and ends."""
    is_open = bool(speech) and speech[-1][1] is None
    if isinstance(event, SpeechStarted):
        if not is_open:
            speech.append((event.t, None))
    elif is_open:
        speech[-1] = (speech[-1][0], event.t)


def _extent(span: AudioSpan) -> Turn:
    return span.at, span.at + (span.stop - span.start) / RATE


def _measure_lane(lane: Lane, peaks: Any) -> None:
    lane.written = len(peaks)
    lane.detail = getattr(peaks, "version", 0)


def _ends(turn: turn_records.Turn) -> Turn:
    return turn.start, turn.stop


def mark_of(interruption: Interruption, limits: Limits | None = None) -> Mark:
    """Return an interruption as the timeline shows it."""
    kind = class_of(interruption, limits or Limits())
    text, figure = felt_text(interruption, kind)
    return Mark(
        interruption.number,
        interruption.at,
        interruption.silent_at,
        text,
        figure,
        onset=interruption.user_onset,
        kind=kind,
    )


def both_of(overlap: Overlap, limits: Limits) -> Both:
    """Return an overlap as the timeline shows it."""
    was_interrupted = overlap.interruption is not None
    return Both(overlap.start, overlap.stop, class_of(overlap, limits), was_interrupted)
