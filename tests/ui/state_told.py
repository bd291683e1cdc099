"""What a window shows and does, in lines: for the report of a test that failed."""

from __future__ import annotations

from collections.abc import Iterator

from ui.main_window import MainWindow

EVENTS = 40
LINE = 240


def state_of(window: MainWindow) -> str:
    """Return its state, its notices and the last events of what is in view."""
    try:
        return "\n".join(line[:LINE] for line in _lines(window))
    except RuntimeError as error:  # Qt has deleted a part of it
        return str(error)


def _lines(window: MainWindow) -> Iterator[str]:
    parts, viewed, session = window.parts, window.viewing.viewed, window.desk.session
    yield f"{window.desk.state}; shown: {parts.transport.state.word}"
    yield f"from {parts.devices.microphone.choice} to {parts.devices.speaker.choice}"
    yield from (f"{line.level}: {line.sentence}" for line in parts.notices.lines)
    yield f"frames {window.frame_clock.frames}, drawing: {window.frame_clock.running}"
    if session is not None:
        yield f"{session.now():.3f} s, {session.reason} {session.sentence}"
        yield f"the caller has ended: {session.input_has_ended}"
    if viewed is not None:
        yield from (repr(event) for event in viewed.timeline.read(0)[0][-EVENTS:])
