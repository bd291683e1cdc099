"""The one session the window shows: begun, steered and ended here.

Main thread only; nothing in it waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from ui.parts.background import Background
from ui.services import Services, SessionRequest

if TYPE_CHECKING:
    from app.live.session import Session


class Desk(QObject):
    """Holds at most one session, which it owns from opening to close."""

    session_opened = Signal(object)
    """A session has been made, and told to start."""
    failed = Signal(object)
    """A session could not be made; the exception says why."""
    closed = Signal()
    """Nothing runs any more: the program may end."""

    CLOSE_WITHIN_MS = 5000

    def __init__(self, services: Services, parent: QObject | None = None) -> None:
        """Begin without a session."""
        super().__init__(parent)
        self._services = services
        self.session: Session | None = None
        self._opening = False
        self._closing = False
        self._background = Background("session opening", self)
        self._poll = QTimer(self)
        self._poll.setObjectName("session closing")
        self._poll.setInterval(30)
        self._poll.timeout.connect(self._look_whether_over)
        self._since = QElapsedTimer()

    @property
    def state(self) -> str:
        """The session's state; ``connecting`` from the moment it was asked for."""
        if self._opening:
            return "connecting"
        return str(self.session.state) if self.session is not None else "idle"

    @property
    def busy(self) -> bool:
        """Whether a session is being made, or has not ended."""
        return self.state not in ("idle", "ended", "failed")

    def start(self, request: SessionRequest) -> None:
        """Make a session and start it, unless one is going on."""
        if self.busy or self._closing:
            return
        self._opening = True
        self._background.run(
            lambda: self._services.open_session(request), self._opened, self._not_opened
        )

    def end(self) -> None:
        """End the session, whatever it is doing."""
        if self._opening:
            self._opening = False
        elif self.session is not None:
            self.session.end()

    def leave(self) -> None:
        """Let go of a session that is over: something else is in view."""
        if not self.busy:
            self.session = None

    def interrupt(self) -> None:
        """Silence the agent."""
        if self.session is not None and self.state == "running":
            self.session.interrupt()

    def set_muted(self, muted: bool) -> None:
        """Mute the microphone, or open it again."""
        if self.session is not None and self.busy:
            self.session.set_muted(muted)

    def send_text(self, text: str) -> None:
        """Send a typed user message."""
        if self.session is not None:
            self.session.send_text(text)

    def close(self) -> None:
        """End the session and say `closed` when it is over, or after `CLOSE_WITHIN_MS`."""
        if self._closing:
            return
        self._closing = True
        self.end()
        self._since.start()
        self._poll.start()
        self._look_whether_over()

    def _opened(self, session: Session) -> None:
        if not self._opening:
            session.close()
            return
        self._opening = False
        self.session = session
        session.start()
        self.session_opened.emit(session)

    def _not_opened(self, error: Exception) -> None:
        if self._opening:
            self._opening = False
            self.failed.emit(error)

    def _look_whether_over(self) -> None:
        if self.busy and self._since.elapsed() < self.CLOSE_WITHIN_MS:
            return
        self._poll.stop()
        self._background.close()
        self.closed.emit()
