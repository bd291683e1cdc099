"""What can be done in the window now, and what is going on: shown in all of its parts.

Main thread only. Nothing is decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.parts.available import Available

if TYPE_CHECKING:
    from ui.main_window import MainWindow

EMPTY = (
    "Press Start and speak: what you say will appear here.\n"
    "Or open a recording or an audio file (Ctrl+O), or drop one here."
)


def show_state(window: MainWindow) -> None:
    """Bring buttons, menus and words up to date; called once a frame."""
    parts, menu, desk = window.parts, window.menu, window.desk
    state, session, busy = desk.state, desk.session, desk.busy
    now = available(window)
    parts.transport.show_state(state, _state_word(window, state))
    parts.transport.show_muted(busy and session is not None and session.muted)
    parts.devices.set_enabled(not busy)
    parts.library.set_recording(session.bundle if busy and session is not None else None)
    parts.library.set_in_view(window.asked())
    parts.transcript.set_running(state == "running")
    parts.timeline.recording_bar.show_state(now)
    parts.timeline.show_progress(_progress_text(window))
    parts.timeline.set_empty_text(_empty_text(window, state))
    menu.show_state(now)
    menu.mute.setChecked(parts.transport.mute.isChecked())


def available(window: MainWindow) -> Available:
    """Return what there is to act on."""
    scene, viewed = window.parts.timeline.scene, window.viewing.viewed
    return Available(
        state=window.desk.state,
        busy=window.desk.busy,
        anything=viewed is not None,
        recorded=window.source() is not None,
        bundled=window.bundle() is not None,
        playing=window.playing.active,
        selected=scene.selection is not None,
        marked=bool(scene.markers),
        interrupted=bool(window.parts.interruptions.moments),
        inspected=window.inspecting.moment is not None,
        swappable=getattr(viewed, "kind", "") == "file" and not scene.is_mono,
    )


def _progress_text(window: MainWindow) -> str:
    if window.opening.wished is not None:
        return f"Opening “{window.opening.wished.name}”…"
    if window.viewing.is_settled:
        return ""
    return f"Reading… {getattr(window.viewing.viewed, 'progress', 0.0):.0%}"


def _empty_text(window: MainWindow, state: str) -> str:
    wished = window.opening.wished
    if wished is not None and window.viewing.viewed is None:
        return f"Opening “{wished.name}”…"
    if state == "connecting":
        return "Connecting…"
    return EMPTY if window.viewing.viewed is None else ""


def _state_word(window: MainWindow, state: str) -> str:
    session = window.desk.session
    if state != "running" or session is None:
        return state
    return "agent speaking" if session.agent_speaking else "listening"
