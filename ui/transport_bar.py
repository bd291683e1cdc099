"""Agent, Start and End, Interrupt, Mute, the clock and the state. Main thread only.

The bar wishes and shows; it decides nothing.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QWidget

from ui.icons import Icons
from ui.theme import CONTROL_HEIGHT, GRID, Theme, tabular
from ui.time_axis import clock_text

AGENTS = (("demo", "Demo agent"), ("elevenlabs", "ElevenLabs agent…"))

STATE_COLOUR = {
    "idle": "muted",
    "connecting": "muted",
    "listening": "user",
    "agent speaking": "agent",
    "ending": "muted",
    "ended": "muted",
    "failed": "fault",
}
FILLED = {"listening", "agent speaking", "failed"}


class StateDot(QWidget):
    """A small dot and a word: what the session is doing."""

    def __init__(self, theme: Theme) -> None:
        """Begin idle."""
        super().__init__()
        self._theme = theme
        self.word = "idle"
        widest = max(QFontMetrics(self.font()).horizontalAdvance(word) for word in STATE_COLOUR)
        self.setFixedSize(widest + 3 * GRID, CONTROL_HEIGHT)
        self.setAccessibleName("State: idle")
        theme.changed.connect(self.update)

    def show_word(self, word: str) -> None:
        """Show one of the words of `STATE_COLOUR`."""
        if word != self.word:
            self.word = word
            self.setAccessibleName(f"State: {word}")
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dot, hollow for states in which nobody can be heard."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = self._theme.colours
        colour = QColor(getattr(colours, STATE_COLOUR.get(self.word, "muted")))
        painter.setPen(QPen(colour, 1.5))
        painter.setBrush(colour if self.word in FILLED else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QRectF(2, self.height() / 2 - 4.5, 9, 9))
        painter.setPen(QColor(colours.text))
        area = self.rect().adjusted(2 * GRID + 2, 0, 0, 0)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, self.word)
        painter.end()


class TransportBar(QWidget):
    """The first row of the window."""

    agent_chosen = Signal(str)
    start_requested = Signal()
    end_requested = Signal()
    interrupt_requested = Signal()
    mute_requested = Signal(bool)

    def __init__(self, theme: Theme, icons: Icons) -> None:
        """Begin idle, with the demo agent."""
        super().__init__()
        self._icons = icons
        self.agent = QComboBox()
        self.start_end = QPushButton("Start")
        self.interrupt = QPushButton("Interrupt")
        self.mute = QPushButton("Mute")
        self.clock = QLabel("00:00:00")
        self.state = StateDot(theme)
        self._over = True
        self._build()

    def show_state(self, state: str, word: str) -> None:
        """Show the session's ``state``, and ``word`` as what is going on in it."""
        self.state.show_word(word)
        over = state in ("idle", "ended", "failed")
        self.agent.setEnabled(over)
        if over != self._over:
            self._over = over
            self._dress_start_end()
        # Disabled, it would leave the keyboard to some other button; to end twice does no harm.
        self.start_end.setEnabled(state != "ending" or self.start_end.hasFocus())
        self.interrupt.setEnabled(state == "running")
        self.mute.setEnabled(state in ("connecting", "running"))

    def show_clock(self, now_s: float) -> None:
        """Show session time as hours, minutes, seconds."""
        text = clock_text(now_s)
        if text != self.clock.text():
            self.clock.setText(text)

    def show_muted(self, muted: bool) -> None:
        """Show whether the microphone is muted."""
        if self.mute.isChecked() != muted:
            self.mute.setChecked(muted)
        text = "Muted" if muted else "Mute"
        if self.mute.text() != text:
            self.mute.setText(text)
            self._icons.put(self.mute, "microphone-off" if muted else "microphone")

    def choose_agent(self, kind: str) -> None:
        """Select ``kind`` without telling anybody."""
        self.agent.blockSignals(True)
        self.agent.setCurrentIndex(max(self.agent.findData(kind), 0))
        self.agent.blockSignals(False)

    def name_elevenlabs(self, agent_id: str) -> None:
        """Show which ElevenLabs agent is set."""
        short = agent_id if len(agent_id) <= 18 else f"{agent_id[:15]}…"
        self.agent.setItemText(1, f"ElevenLabs {short}" if agent_id else AGENTS[1][1])

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, GRID // 2, 0, GRID // 2)
        row.setSpacing(GRID)
        row.addWidget(self.agent)
        row.addWidget(self.start_end)
        row.addSpacing(GRID)
        row.addWidget(self.interrupt)
        row.addWidget(self.mute)
        row.addStretch(1)
        row.addWidget(self.clock)
        row.addSpacing(GRID)
        row.addWidget(self.state)
        self._dress()
        self._connect()

    def _dress(self) -> None:
        for kind, name in AGENTS:
            self.agent.addItem(name, kind)
        self.agent.setMinimumWidth(200)
        self.agent.setAccessibleName("Agent")
        self.agent.setToolTip("The agent to talk to")
        for widget in (self.agent, self.start_end, self.interrupt, self.mute):
            widget.setFixedHeight(CONTROL_HEIGHT)
        self._dress_start_end()
        self._icons.put(self.interrupt, "interrupt", "interruption")
        self.interrupt.setText("Interrupt  Esc")
        self.interrupt.setAccessibleName("Interrupt")
        self.interrupt.setToolTip(
            "Empty the playout queue now and hold back the rest of this reply (Esc)"
        )
        self.interrupt.setEnabled(False)
        self._icons.put(self.mute, "microphone")
        self.mute.setCheckable(True)
        self.mute.setEnabled(False)
        self.mute.setMinimumWidth(104)
        self.mute.setToolTip("Send the agent silence instead of the microphone (M)")
        self.clock.setFont(tabular(5.0))
        self.clock.setAccessibleName("Session time")
        self.clock.setToolTip("Session time: hours, minutes, seconds since the session began")

    def _dress_start_end(self) -> None:
        self.start_end.setText("Start" if self._over else "End")
        self._icons.put(self.start_end, "start" if self._over else "end")
        self.start_end.setMinimumWidth(104)
        self.start_end.setToolTip(
            "Start a session with this agent (Ctrl+Return)"
            if self._over
            else "End the session and keep its recording (Ctrl+E)"
        )

    def _connect(self) -> None:
        self.agent.activated.connect(lambda _: self.agent_chosen.emit(self.agent.currentData()))
        self.start_end.clicked.connect(self._start_or_end)
        self.interrupt.clicked.connect(self.interrupt_requested)
        self.mute.clicked.connect(self.mute_requested)

    def _start_or_end(self) -> None:
        (self.start_requested if self._over else self.end_requested).emit()

    def sizeHint(self) -> QSize:
        """Return the height of one row."""
        return QSize(super().sizeHint().width(), CONTROL_HEIGHT + GRID)
