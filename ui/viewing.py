"""What is in view: a session or a recording, in timeline and panels alike. Main thread only.

The screen pulls: once a frame the feed reads what is viewed, and the panels take what changed;
nothing is pushed at them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject, Signal

from app.recordings.gaps import Gap, gap_of, gaps_in
from app.timeline.events import Event, SpeechEnded, SpeechStarted, Trouble
from ui.lanes.scene import Scene, Turn
from ui.layout import Layout
from ui.panels.health_facts import health_facts
from ui.panels.recorded_health import OF_A_FILE, READING, recorded_facts, recorded_underruns
from ui.parts.background import Background
from ui.parts.stick_to_end import StickToEnd
from ui.remarks import warnings_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from app.analysis.limits import Limits
    from app.analysis.viewed import TurnView, Viewed
    from app.live.session import Session
    from app.notices import NoticeBoard
    from app.recordings.recording import Recording
    from ui.feed import SessionFeed

PANELS_EVERY = 6
"""Frames from one update of the panels to the next: ten a second."""
HEALTH_EVERY = 15
INPUT_ENDED = (
    "The caller's file has ended; the microphone is silent now. "
    "End the session when you have heard enough."
)


class Viewing(QObject):
    """Holds one `Viewed` and its feed, and brings the parts of the window up to date."""

    shown = Signal(object)
    """Another one is in view."""

    def __init__(self, parts: Layout, parent: QObject, limits: Limits) -> None:
        """Begin with nothing in view; ``limits`` say what is late and what is missed."""
        super().__init__(parent)
        self._parts = parts
        self._limits = limits
        self.viewed: Viewed | None = None
        self.feed: SessionFeed | None = None
        self._notices_read = 0
        self._frame = self._changes = 0
        self._job = Background("gaps", self)
        self._end_is_told = self._input_end_is_told = False
        self._warned = 0
        self._warning = ""

    @property
    def is_recording(self) -> bool:
        """Whether it is a recording that was opened, and no session."""
        return self.viewed is not None and not is_session(self.viewed)

    @property
    def bundle(self) -> Path | None:
        """The folder of what is in view; None where it has none."""
        return self.viewed.bundle if self.viewed is not None else None

    @property
    def asked(self) -> Path | None:
        """What was asked for to have this in view: also a zip, of which it is a copy."""
        return getattr(self.viewed, "path", None) or self.bundle

    @property
    def source(self) -> Path | None:
        """The folder or the file of what is in view; None where it is nowhere."""
        return self.bundle or getattr(self.viewed, "path", None)

    @property
    def folder(self) -> Path | None:
        """The folder to show of what is in view: of a file, the one that it is in."""
        viewed = self.viewed
        is_file = getattr(viewed, "kind", "") == "file" or getattr(viewed, "is_copy", False)
        return viewed.path.parent if is_file else self.bundle

    @property
    def turns(self) -> TurnView | None:
        """What is known of turns of what is in view."""
        return None if self.feed is None else self.feed.turns

    @property
    def is_settled(self) -> bool:
        """Whether all there is to know of it is known."""
        return getattr(self.viewed, "progress", 1.0) >= 1.0

    def show(self, viewed: Viewed) -> None:
        """Turn to another session or recording."""
        from ui.feed import (
            SessionFeed,  # with it the analysis of turns, which an empty window lacks
        )

        self.viewed, self.feed = viewed, SessionFeed(viewed, self._limits)
        self._notices_read = self._warned = self._changes = 0
        self._end_is_told = self._input_end_is_told = False
        self._warning = ""
        scene = self.feed.scene
        scene.is_mono = getattr(viewed, "is_mono", False)
        if scene.is_mono:
            scene.names = ("Audio", "")
        parts = self._parts
        parts.timeline.set_scene(scene)
        parts.events.set_source(viewed.timeline)
        parts.transcript.look_in(viewed.timeline)
        parts.interruptions.show_interruptions([])
        parts.turns.show_turns([], [], [])
        parts.findings.show_turns(None)
        parts.health.forget()
        self.advance()
        if self.is_recording:
            parts.timeline.fit()
            parts.health.forget(OF_A_FILE if viewed.kind == "file" else READING)
            self._tell_warnings(warnings_of(viewed))
            self._job.run(lambda: _looked_for(viewed), lambda found: self._put_in(found, scene))
        self.shown.emit(viewed)

    def set_limits(self, limits: Limits) -> None:
        """Let what is late, and what is missed, go by other limits."""
        self._limits = limits
        if self.feed is not None:
            self.feed.set_limits(limits)
            self.draw_panels()

    def advance(self) -> None:
        """Bring timeline and meters up to date; called once a frame."""
        feed, viewed = self.feed, self.viewed
        if feed is None or viewed is None:
            return
        self._frame += 1
        self._take(feed.advance())
        self._parts.timeline.advance()
        scene = feed.scene
        self._parts.transcript.advance(scene.playhead_s, playing=scene.playing, live=scene.live)
        self._draw_meters(viewed)
        if self._frame % PANELS_EVERY == 0:
            self.draw_panels()
        if self._frame % HEALTH_EVERY == 0 and not self.is_recording:
            self._parts.health.show_facts(health_facts(feed))

    def _take(self, events: list[Event]) -> None:
        gaps = [gap for event in events if (gap := gap_of(event)) is not None]
        if gaps:
            self.feed.scene.gaps = sorted([*self.feed.scene.gaps, *gaps])

    def _draw_meters(self, viewed: Viewed) -> None:
        row, live = self._parts.devices, viewed.state == "running"
        for meter, track in (
            (row.user_meter, viewed.tracks.user),
            (row.agent_meter, viewed.tracks.agent),
        ):
            meter.show_reading(track.meter.reading(viewed.now()) if live else None)

    def draw_panels(self) -> None:
        """Bring the panels up to date."""
        feed, viewed, parts = self.feed, self.viewed, self._parts
        if feed is None or viewed is None:
            return
        parts.events.advance()
        self._draw_turns(feed)
        if is_session(viewed):
            self._notices_read = show_notices(parts, viewed.notices, self._notices_read)
            self._tell_input_end(viewed)
            self._tell_end(viewed)
            self._tell_warnings(feed.tracker.warnings)
        else:
            self._tell_warnings(warnings_of(viewed))

    def _draw_turns(self, feed: SessionFeed) -> None:
        turns, parts = feed.turns, self._parts
        if turns is None or feed.changes == self._changes:
            return
        is_first = self._changes == 0
        self._changes = feed.changes
        parts.transcript.show_turns(turns)
        parts.interruptions.show_interruptions(turns.interruptions, turns.overlaps)
        parts.turns.show_turns(feed.scene.user.turns, feed.scene.agent.turns, turns.responses)
        parts.findings.show_turns(turns)
        self._show_underruns()
        if is_first:
            self._stick_to_end(not self.is_recording)

    def _stick_to_end(self, at_end: bool) -> None:
        """Show a session at its end, as it grows, and a recording at its beginning."""
        parts = self._parts
        tables = (parts.interruptions.table, parts.turns.table, parts.events.table)
        for view in (parts.transcript.chat, *tables):
            for sticking in view.verticalScrollBar().findChildren(StickToEnd):
                sticking.stick(at_end)

    def reset_clip(self, party: str) -> None:
        """Put out the clip light of ``user`` or ``agent``."""
        meter = getattr(getattr(self.viewed and self.viewed.tracks, party, None), "meter", None)
        if meter is not None:
            meter.reset_clip()

    def _put_in(self, found: Found, scene: Scene) -> None:
        scene.gaps.extend(found.gaps)
        scene.user.speech = found.speech
        scene.version += 1
        if found.health:
            self._parts.health.show_facts(found.health)
            self._show_underruns()

    def _show_underruns(self) -> None:
        """Tell of a recording's underruns, which are known once its turns are."""
        health = self._parts.health
        if self.is_recording and health.facts():
            health.show_facts({**health.facts(), **recorded_underruns(self.viewed)})

    # --- what is told once

    def _tell_warnings(self, warnings: Sequence[str]) -> None:
        """Tell what is wrong with a recording, or what of a session is not analysed.

        The page of the session has all of it.
        """
        if len(warnings) == self._warned:
            return
        self._warned = len(warnings)
        self._parts.notices.dismiss(self._warning)
        more = f" The page “Session” has {len(warnings) - 1} more." if len(warnings) > 1 else ""
        self._warning = warnings[0] + more
        self._parts.notices.add("warning", self._warning, "\n".join(warnings))

    def _tell_input_end(self, session: Session) -> None:
        """Say once that the file which speaks has ended, for the session goes on."""
        if session.state == "running" and session.input_has_ended and not self._input_end_is_told:
            self._input_end_is_told = True
            self._parts.notices.add("info", INPUT_ENDED)

    def _tell_end(self, session: Session) -> None:
        """Say once why the session has ended and where its recording is."""
        if self._end_is_told or not session.state.over:
            return
        self._end_is_told = True
        self._parts.notices.dismiss(INPUT_ENDED)
        # A failure has its own notice already.
        told = [] if session.state == "failed" else [session.sentence]
        if session.bundle is not None:
            told.append(f"The recording is in “{session.bundle}”.")
        if any(told):
            self._parts.notices.add("info", " ".join(told))

    def close(self) -> None:
        """Tell of no end any more, and wait a bounded time for what is being looked for."""
        self._end_is_told = True
        self._job.close()
        self._parts.events.close_reading()
        self._parts.transcript.close_reading()


class Found(NamedTuple):
    """What is looked for among the events of a recording, for its turns do not tell of it."""

    gaps: list[Gap]
    speech: list[Turn]
    health: dict[str, str]


def _looked_for(viewed: Recording) -> Found:
    """Look through all events, which may take its time."""
    from ui.feed import note_speech

    timeline = viewed.timeline
    speech: list[Turn] = []
    edges = [*timeline.of_type(SpeechStarted), *timeline.of_type(SpeechEnded)]
    for event in sorted(edges, key=lambda event: event.t):
        note_speech(speech, event)
    troubles = timeline.of_type(Trouble)
    gaps = gaps_in(troubles)
    return Found(gaps, speech, recorded_facts(viewed, troubles, gaps))


def is_session(viewed: Viewed) -> bool:
    """Whether ``viewed`` is a session, which has commands and notices, and no recording."""
    return hasattr(viewed, "notices")


def show_notices(parts: Layout, board: NoticeBoard, cursor: int) -> int:
    """Show what is new on ``board`` since ``cursor``, and return where it ends."""
    notices, cursor, _ = board.read(cursor)
    for notice in notices:
        sentence = f"{notice.sentence} {notice.advice}".strip()
        parts.notices.add(notice.level, sentence, notice.details)
    return cursor
