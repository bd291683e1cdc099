"""From a session to what the window draws: read once a frame, never waited for.

Main thread only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.events import Event, MessageReceived, MessageSent, MicChunkSent, Muted
from app.turns import TurnTracker
from ui.scene import RATE, Mark, Scene, Stretch
from ui.tables import silence_text

if TYPE_CHECKING:
    from app.session import Session
    from app.turn_records import Interruption


ROUNDING_S = 0.001
"""What begins so soon after a stretch belongs to the same moment."""
UNSEEN = (MicChunkSent, MessageReceived, MessageSent)
"""Events that change nothing in the lanes; they are the most frequent."""


class SessionFeed:
    """Follows one session's timeline and tracks, and keeps a `Scene` of them up to date."""

    def __init__(self, session: Session) -> None:
        """Begin at the session's first event."""
        self.session = session
        self.tracker = TurnTracker()
        self.scene = Scene()
        self.lost = 0
        self._cursor = 0
        self._told: list[Interruption] = []
        self._attach()

    def advance(self) -> list[Event]:
        """Take in what happened since the last call, and return it."""
        session, scene = self.session, self.scene
        events, self._cursor, lost = session.timeline.read(self._cursor)
        self.lost += lost
        for event in events:
            self.tracker.feed(event)
            self._note(event)
        scene.now_s = session.now()
        scene.live = not session.state.over and scene.now_s > 0
        scene.user.written = len(session.tracks.user.peaks)
        scene.agent.written = len(session.tracks.agent.peaks)
        if not all(isinstance(event, UNSEEN) for event in events):
            scene.version += 1
            self._show_turns()
            self._show_unheard()
        return events

    def _attach(self) -> None:
        tracks = self.session.tracks
        self.scene.user.view = tracks.user.peaks.view
        self.scene.agent.view = tracks.agent.peaks.view
        self.scene.received = tracks.received.peaks.view

    def _note(self, event: Event) -> None:
        if isinstance(event, Muted):
            self._note_mute(event)

    def _note_mute(self, event: Muted) -> None:
        spans = self.scene.muted
        if event.muted and (not spans or spans[-1][1] is not None):
            spans.append((event.t, None))
        elif not event.muted and spans and spans[-1][1] is None:
            spans[-1] = (spans[-1][0], event.t)

    def _show_turns(self) -> None:
        scene, tracker = self.scene, self.tracker
        scene.user.turns = [(turn.start, turn.stop) for turn in tracker.user_turns]
        scene.agent.turns = [(turn.start, turn.stop) for turn in tracker.agent_turns]
        self._show_marks(tracker.interruptions)

    def _show_marks(self, interruptions: Sequence[Interruption]) -> None:
        """Make marks of those that are new or have been replaced since."""
        marks, told = self.scene.marks, self._told
        for index, each in enumerate(interruptions):
            if index == len(told):
                told.append(each)
                marks.append(mark_of(each))
            elif told[index] is not each:
                told[index], marks[index] = each, mark_of(each)

    def _show_unheard(self) -> None:
        spans = self.tracker.spans
        unheard = [span for span in spans if span.kind == "discarded"]
        ghosts = [Stretch(span.start, span.stop, span.at) for span in unheard]
        self.scene.discarded = clipped(ghosts, [span.at for span in spans])
        self.scene.queued = [
            Stretch(0, span.stop, span.at - span.start / RATE)
            for span in spans
            if span.kind == "queued"
        ]


def clipped(ghosts: list[Stretch], starts: list[float]) -> list[Stretch]:
    """Return ``ghosts``, each cut off where the next audio begins, by the moments ``starts``."""
    starts = sorted(starts)
    return [_clipped(ghost, starts) for ghost in ghosts]


def _clipped(ghost: Stretch, starts: list[float]) -> Stretch:
    following = bisect_right(starts, ghost.at + ROUNDING_S)
    if following == len(starts) or starts[following] >= ghost.ends_at:
        return ghost
    room = round((starts[following] - ghost.at) * RATE)
    return replace(ghost, stop=ghost.start + room)


def mark_of(interruption: Interruption) -> Mark:
    """Return an interruption as the timeline shows it."""
    time = silence_text(interruption)
    text = time if interruption.was_silent else f"silent in {time}"
    return Mark(interruption.number, interruption.at, interruption.silent_at, text, time)
