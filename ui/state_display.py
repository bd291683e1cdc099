"""What can be done in the window now, and what is going on: shown in all of its parts.

Main thread only. Nothing is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass

from ui.actions import Actions
from ui.desk import Desk
from ui.inspecting import Inspecting
from ui.layout import Layout
from ui.opening import Opening
from ui.parts.available import Available
from ui.playing.playing import Playing
from ui.viewing import Viewing

EMPTY = (
    "Press Start and speak: what you say will appear here.\n"
    "Or open a recording or an audio file (Ctrl+O), or drop one here."
)


@dataclass(frozen=True, slots=True)
class StateDisplay:
    """Shows in the window's parts and in its menu what the rest of it is at."""

    parts: Layout
    menu: Actions
    desk: Desk
    viewing: Viewing
    opening: Opening
    playing: Playing
    inspecting: Inspecting

    def show(self) -> None:
        """Bring buttons, menus and words up to date; called once a frame."""
        parts, menu, desk = self.parts, self.menu, self.desk
        state, session, busy = desk.state, desk.session, desk.busy
        now = self._available()
        parts.transport.show_state(state, self._state_word(state))
        parts.transport.show_muted(busy and session is not None and session.muted)
        parts.devices.set_enabled(not busy)
        parts.library.set_recording(session.bundle if busy and session is not None else None)
        parts.library.set_in_view(self.viewing.asked)
        parts.transcript.set_running(state == "running")
        parts.timeline.recording_bar.show_state(now)
        parts.timeline.show_progress(self._progress_text())
        parts.timeline.set_empty_text(self._empty_text(state))
        menu.show_state(now)
        menu.mute.setChecked(parts.transport.mute.isChecked())

    def _available(self) -> Available:
        """Return what there is to act on."""
        scene, viewed = self.parts.timeline.scene, self.viewing.viewed
        return Available(
            state=self.desk.state,
            busy=self.desk.busy,
            anything=viewed is not None,
            recorded=self.viewing.source is not None,
            bundled=self.viewing.bundle is not None,
            playing=self.playing.active,
            selected=scene.selection is not None,
            marked=bool(scene.markers),
            interrupted=bool(self.parts.interruptions.moments),
            inspected=self.inspecting.moment is not None,
            swappable=getattr(viewed, "kind", "") == "file" and not scene.is_mono,
        )

    def _progress_text(self) -> str:
        if self.opening.wished is not None:
            return f"Opening “{self.opening.wished.name}”…"
        if self.viewing.is_settled:
            return ""
        return f"Reading… {getattr(self.viewing.viewed, 'progress', 0.0):.0%}"

    def _empty_text(self, state: str) -> str:
        wished = self.opening.wished
        if wished is not None and self.viewing.viewed is None:
            return f"Opening “{wished.name}”…"
        if state == "connecting":
            return "Connecting…"
        return EMPTY if self.viewing.viewed is None else ""

    def _state_word(self, state: str) -> str:
        session = self.desk.session
        if state != "running" or session is None:
            return state
        return "agent speaking" if session.agent_speaking else "listening"
