"""Agent, Start and End, Interrupt, Mute, the clock and the state. Main thread only.

The bar wishes and shows; it decides nothing.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QWidget

from ui.lanes.time_axis import clock_text
from ui.parts.icons import Icons
from ui.parts.theme import CONTROL_HEIGHT, GRID, Theme, tabular

ABOUT_ROLE = Qt.ItemDataRole.ToolTipRole
DEMO, SCRIPT_FILE, ELEVENLABS = "demo", "script-file", "elevenlabs"
AGENTS = (
    (DEMO, "Demo agent", "It answers, and gives way when you cut in"),
    (
        "demo:hears-itself",
        "Demo agent: hears itself",
        "A fault on purpose: any sound makes it fall silent, and over a loudspeaker its own voice",
    ),
    (
        "demo:stops-late",
        "Demo agent: stops late",
        "A fault on purpose: it gives way 1.5 s after you began to speak",
    ),
    (
        "demo:never-stops",
        "Demo agent: never stops",
        "A fault on purpose: it goes on to its last word, whatever you say",
    ),
    (
        "demo:reuses-id",
        "Demo agent: reuses an id",
        "A fault on purpose: its answer to an interruption carries the interruption's event id, "
        "and is never played",
    ),
    (SCRIPT_FILE, "Demo agent: script from a file…", "A script of your own: a .toml file"),
    (ELEVENLABS, "ElevenLabs agent…", "An agent on ElevenLabs, or on your own deployment"),
)
"""What can be picked: what it is called within, its name, and what it does."""

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
    """One of `AGENTS`, by what it is called within."""
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

    def choose_agent(self, which: str) -> None:
        """Select one of `AGENTS` without telling anybody; the first one for what is not there."""
        self.agent.blockSignals(True)
        self.agent.setCurrentIndex(max(self.agent.findData(which), 0))
        self.agent.blockSignals(False)
        self.agent.setToolTip(f"The agent to talk to. {self.agent.currentData(ABOUT_ROLE)}.")

    def name_elevenlabs(self, agent_id: str) -> None:
        """Show which ElevenLabs agent is set."""
        short = agent_id if len(agent_id) <= 18 else f"{agent_id[:15]}…"
        self._rename(ELEVENLABS, f"ElevenLabs {short}" if agent_id else "")

    def name_script(self, file_name: str) -> None:
        """Show which script file is set; empty for none."""
        short = file_name if len(file_name) <= 24 else f"{file_name[:21]}…"
        self._rename(SCRIPT_FILE, f"Demo agent: {short}" if file_name else "")

    def _rename(self, which: str, text: str) -> None:
        """Give an entry another text; empty for its own."""
        index = self.agent.findData(which)
        self.agent.setItemText(index, text or AGENTS[index][1])

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
        for index, (which, name, about) in enumerate(AGENTS):
            self.agent.addItem(name, which)
            self.agent.setItemData(index, about, ABOUT_ROLE)
        self.agent.setMinimumWidth(200)
        self.agent.setAccessibleName("Agent")
        self.choose_agent(DEMO)
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
        self.clock.setToolTip(
            "Session time, in hours, minutes, seconds: since the session began; of a recording "
            "the moment that is played, or how long it is"
        )

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
