"""Which interruption is looked at, and listened to: between table, timeline and inspector.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from ui.inspection.moments import Moment, as_json, as_text, close_up_of, listening_of
from ui.lanes.scene import Stretch

if TYPE_CHECKING:
    from app.analysis.limits import Limits
    from app.analysis.viewed import TurnView
    from app.playing.gone_on import Continuation
    from ui.layout import Layout
    from ui.playing.playing import Playing


class Inspecting(QObject):
    """Keeps the inspector at the chosen interruption, of which more and more becomes known.

    Choosing brings the inspector in sight and leaves the keyboard where it is. While the newest is
    followed nothing is brought in sight: what is there shows the newest.
    """

    def __init__(
        self,
        parts: Layout,
        playing: Playing,
        parent: QObject,
        *,
        find_turns: Callable[[], TurnView | None],
        can_play: Callable[[], bool],
    ) -> None:
        """Begin with none; ``find_turns`` returns what is known of what is in view."""
        super().__init__(parent)
        self._parts, self._playing = parts, playing
        self._find_turns, self._can_play = find_turns, can_play
        self._chosen: tuple[str, float] | None = None
        self._following = False
        self._connect()

    def _connect(self) -> None:
        panel, inspector, timeline = (
            self._parts.interruptions,
            self._parts.inspector,
            self._parts.timeline,
        )
        panel.moment_chosen.connect(self._open)
        panel.moments_changed.connect(self._refresh)
        timeline.mark_activated.connect(panel.select)
        timeline.overlap_activated.connect(panel.select_overlap)
        timeline.ghost_clicked.connect(self.listen_to_ghost)
        inspector.step_requested.connect(self.step)
        inspector.heard_requested.connect(self.listen)
        inspector.gone_on_requested.connect(self.listen_gone_on)
        inspector.copy_requested.connect(self.copy)
        inspector.following_toggled.connect(self.follow)

    @property
    def moment(self) -> Moment | None:
        """What is looked at."""
        return self._parts.inspector.moment

    # -- what is looked at ---------------------------------------------------------------------

    def forget(self) -> None:
        """Look at nothing: something else is in view now."""
        self._chosen = None
        self._parts.interruptions.mark(None)
        self._show(None)

    def step(self, steps: int) -> None:
        """Go on to the next interruption in the table, or back to one before."""
        self._parts.interruptions.step(steps)

    def follow(self, following: bool) -> None:
        """Show the newest interruption from now on, whenever there is one; or stay."""
        self._following = following
        self._refresh()

    def set_limits(self, limits: Limits) -> None:
        """Let classes and colours go by other limits."""
        self._parts.inspector.set_limits(limits)
        self._parts.interruptions.set_limits(limits)

    def advance(self) -> None:
        """Bring the inspector up to date; called once a frame."""
        inspector = self._parts.inspector
        if inspector.isVisible():
            cut = inspector.moment.cut if inspector.moment is not None else None
            has_discarded = cut is not None and cut.discarded_ms + cut.held_back_ms > 0
            inspector.show_listening(possible=self._can_play(), has_discarded=has_discarded)
            inspector.advance()

    def _open(self, moment: Moment) -> None:
        """Zoom to what a person chose, and bring the inspector in sight."""
        self._chosen = moment.key
        if self._following:
            self._parts.inspector.follow.setChecked(False)
        self._show(moment)
        self._parts.timeline.show_stretch(*close_up_of(moment))
        self._parts.show_beside(self._parts.inspector)

    def _refresh(self) -> None:
        panel = self._parts.interruptions
        if self._following and panel.moments:
            self._chosen = panel.moments[-1].key
            panel.mark(self._chosen)
        if self._chosen is None:
            return
        moment = panel.moment(self._chosen) or self._claimed()
        self._show(moment)

    def _claimed(self) -> Moment | None:
        """Return the interruption that the chosen overlap turned out to belong to."""
        before = self._parts.inspector.moment
        turns = self._find_turns()
        if before is None or before.overlap is None or turns is None:
            return None
        for overlap in turns.overlaps:
            if overlap.start == before.at and overlap.interruption is not None:
                self._chosen = ("cut", overlap.interruption)
                self._parts.interruptions.mark(self._chosen)
                return self._parts.interruptions.moment(self._chosen)
        return None

    def _show(self, moment: Moment | None) -> None:
        self._parts.inspector.show_moment(moment, self._parts.timeline.scene)

    # -- what is listened to -------------------------------------------------------------------

    def listen(self) -> None:
        """Play what is looked at as it was heard."""
        if self.moment is not None:
            self._playing.play_stretch(*listening_of(self.moment))

    def listen_gone_on(self) -> None:
        """Play it as it would have gone on without the interrupt."""
        continuations = self._discarded()
        if self.moment is not None and continuations:
            start, _ = listening_of(self.moment)
            self._playing.play_stretch(start, continuations[-1].ends_s, continuations)

    def listen_to_discarded(self) -> None:
        """Play alone the discarded audio at the playhead, else that of what is looked at."""
        scene = self._parts.timeline.scene
        at = scene.playhead_s
        here = [each for each in scene.discarded if at is not None and each.at <= at < each.ends_at]
        continuations = self._discarded()
        if here:
            self.listen_to_ghost(here[-1])
        elif continuations:
            self._play_alone(continuations)

    def listen_to_ghost(self, ghost: Stretch) -> None:
        """Play the discarded audio that was clicked, all of it, from its beginning."""
        if not self._can_play():
            return
        from app.playing.gone_on import Continuation

        turns = self._find_turns()
        for span in turns.spans if turns is not None else ():
            # where other audio came soon, only a part of it is drawn
            if span.kind == "discarded" and (span.start, span.at) == (ghost.start, ghost.at):
                self._play_alone((Continuation(span.at, span.start, span.stop),))
                return

    def _play_alone(self, continuations: tuple[Continuation, ...]) -> None:
        bare = tuple(replace(each, fade=0) for each in continuations)
        start, stop = bare[0].at_s, bare[-1].ends_s
        self._playing.play_stretch(start, stop, bare, tracks=(False, True))

    def _discarded(self) -> tuple[Continuation, ...]:
        moment, turns = self.moment, self._find_turns()
        if moment is None or moment.cut is None or turns is None:
            return ()
        # Here and not above: it brings with it what reads recordings, and the window waits for it.
        from app.playing.gone_on import continuation_of

        return continuation_of(moment.cut, turns.spans)

    # -- copies --------------------------------------------------------------------------------

    def copy(self, form: str) -> None:
        """Copy what is looked at as ``text`` or as ``json``."""
        if self.moment is not None:
            text = as_json(self.moment) if form == "json" else as_text(self.moment)
            QGuiApplication.clipboard().setText(text)
