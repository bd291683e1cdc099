"""The controls of what is played: play, stop, loop, speed, who is heard, and where it is.

Main thread only. The bar wishes and shows; it decides nothing but who is heard when somebody is
heard alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QWheelEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QToolButton, QWidget

from ui.lanes.time_axis import clock_text
from ui.parts.icons import Icons
from ui.parts.theme import CONTROL_HEIGHT, GRID, Theme, tabular

SPEEDS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0)
DIGITS = 1
"""Decimals of the position; more cannot be read while they run."""


@dataclass(frozen=True, slots=True)
class PlayerShown:
    """What the bar shows. Times in seconds; ``duration_s`` of 0 is nothing to play.

    ``has_selection`` is whether there is a stretch to play alone; ``has_agent`` whether the
    recording has a track of the agent.
    """

    duration_s: float = 0.0
    position_s: float = 0.0
    playing: bool = False
    paused: bool = False
    looping: bool = False
    has_selection: bool = False
    has_agent: bool = True


class SpeedBox(QComboBox):
    """How fast it is played."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the speed alone: who scrolls past does not mean to change it."""
        event.ignore()


class PartyButtons:
    """Whether one party is muted, and whether it is heard alone."""

    def __init__(self, icons: Icons, party: str, key: str, changed: Callable[[], None]) -> None:
        """Begin with the party heard beside the other; ``party`` is a colour of the theme, too."""
        self._icons, self._party = icons, party
        self.mute, self.solo = QToolButton(), QToolButton()
        self.mute.setText(party.capitalize())
        self.mute.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.solo.setText("Solo")
        for button, name, tip in (
            (self.mute, f"Mute the {party}", f"Mute the {party}, or hear it again ({key})"),
            (self.solo, f"Solo {party}", f"Hear the {party} alone, or both again (Shift+{key})"),
        ):
            button.setCheckable(True)
            button.setAutoRaise(True)
            button.setFixedHeight(CONTROL_HEIGHT)
            button.setToolTip(tip)
            button.setAccessibleName(name)
            button.clicked.connect(lambda _checked, changed=changed: changed())
        self.dress(audible=True)

    def dress(self, audible: bool) -> None:
        """Show whether the party is heard, all told."""
        self._icons.put(self.mute, "speaker" if audible else "speaker-off", self._party)

    def set_enabled(self, enabled: bool) -> None:
        """Allow a choice, or not."""
        self.mute.setEnabled(enabled)
        self.solo.setEnabled(enabled)


class PlayerBar(QWidget):
    """One row of controls; everything in it has a key of its own, too."""

    play_requested = Signal()
    pause_requested = Signal()
    stop_requested = Signal()
    selection_requested = Signal()
    loop_toggled = Signal(bool)
    speed_changed = Signal(float)
    tracks_changed = Signal(bool, bool)
    """Whether the user is heard, and whether the agent is."""

    def __init__(self, theme: Theme, icons: Icons) -> None:
        """Begin with nothing to play."""
        super().__init__()
        self._icons = icons
        self._shown = PlayerShown()
        self.play = self._tool("start", "Play", "Play from the playhead on (Space)")
        self.stop = self._tool("end", "Stop", "Stop playing (Esc)")
        self.selection = self._tool(
            "play-selection", "Play the selection", "Play the selection alone (P)"
        )
        self.loop = self._tool(
            "loop", "Loop", "Play the selection, or all of it, again and again (L)"
        )
        self.loop.setCheckable(True)
        self.speed = SpeedBox()
        self.user = PartyButtons(icons, "user", "U", self._choose_tracks)
        self.agent = PartyButtons(icons, "agent", "A", self._choose_tracks)
        self.position, self.duration = QLabel(), QLabel()
        self._build()
        self._build_keys()
        self.show_state(self._shown)
        self._audible = (True, True)
        theme.changed.connect(self.update)

    # -- what it shows -------------------------------------------------------------------------

    def show_state(self, shown: PlayerShown) -> None:
        """Show this; called as often as a frame is drawn."""
        self._shown = shown
        there = shown.duration_s > 0
        for widget in (self.play, self.loop, self.speed):
            widget.setEnabled(there)
        self.stop.setEnabled(there and (shown.playing or shown.paused))
        self.selection.setEnabled(there and shown.has_selection)
        self.user.set_enabled(there)
        self.agent.set_enabled(there and shown.has_agent)
        if self.loop.isChecked() != shown.looping:
            self.loop.setChecked(shown.looping)
        self._dress_play(shown.playing)
        self._show_times(shown)

    @property
    def audible(self) -> tuple[bool, bool]:
        """Whether the user is heard, and whether the agent is, all told."""
        alone = self.user.solo.isChecked() or self.agent.solo.isChecked()
        user, agent = (
            each.solo.isChecked() if alone else not each.mute.isChecked()
            for each in (self.user, self.agent)
        )
        return user, agent

    @property
    def chosen_speed(self) -> float:
        """Seconds of the recording to one of listening."""
        return float(self.speed.currentData())

    def choose_speed(self, speed: float) -> None:
        """Select the speed nearest to ``speed`` without telling anybody."""
        nearest = min(range(len(SPEEDS)), key=lambda n: abs(SPEEDS[n] - speed))
        self.speed.blockSignals(True)
        self.speed.setCurrentIndex(nearest)
        self.speed.blockSignals(False)

    def _dress_play(self, playing: bool) -> None:
        text = "Pause" if playing else "Play"
        if self.play.accessibleName() == text:
            return
        self.play.setAccessibleName(text)
        self.play.setToolTip(
            "Pause; it goes on from here (Space)"
            if playing
            else "Play from the playhead on (Space)"
        )
        self._icons.put(self.play, "pause" if playing else "start")

    def _show_times(self, shown: PlayerShown) -> None:
        there = shown.duration_s > 0
        position = clock_text(shown.position_s, DIGITS) if there else "–"
        duration = clock_text(shown.duration_s, DIGITS) if there else "–"
        for label, text in ((self.position, position), (self.duration, f"/ {duration}")):
            if label.text() != text:
                label.setText(text)

    # -- what it wishes ------------------------------------------------------------------------

    def toggle_play(self) -> None:
        """Wish for playing, or for a pause: the key of the window."""
        if self._shown.duration_s > 0:
            (self.pause_requested if self._shown.playing else self.play_requested).emit()

    def step_speed(self, steps: int) -> None:
        """Go to a faster speed, or a slower one."""
        index = self.speed.currentIndex() + steps
        if self.speed.isEnabled() and 0 <= index < self.speed.count():
            self.speed.setCurrentIndex(index)

    def _choose_tracks(self) -> None:
        audible = self.audible
        for party, is_audible in zip((self.user, self.agent), audible, strict=True):
            party.dress(is_audible)
        if audible != self._audible:
            self._audible = audible
            self.tracks_changed.emit(*audible)

    # -- building ------------------------------------------------------------------------------

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        for button in (self.play, self.stop, self.selection, self.loop):
            row.addWidget(button)
        row.addSpacing(GRID)
        row.addWidget(self.position)
        row.addWidget(self.duration)
        row.addSpacing(GRID)
        row.addWidget(self.speed)
        for party in (self.user, self.agent):
            row.addSpacing(GRID)
            row.addWidget(party.mute)
            row.addWidget(party.solo)
        row.addStretch(1)
        self._dress()
        self._connect()

    def _dress(self) -> None:
        for speed in SPEEDS:
            self.speed.addItem(f"{speed:g}×", speed)
        self.choose_speed(1.0)
        self.speed.setFixedHeight(CONTROL_HEIGHT)
        self.speed.setAccessibleName("Speed")
        self.speed.setToolTip(
            "Seconds of the recording played in one second; the pitch stays (, slower . faster)"
        )
        for label, name, tip in (
            (self.position, "Position", "What leaves the speaker now: hours, minutes, seconds"),
            (self.duration, "Duration", "The recording's duration: hours, minutes, seconds"),
        ):
            label.setFont(tabular())
            label.setAccessibleName(name)
            label.setToolTip(tip)
            label.setTextFormat(Qt.TextFormat.PlainText)
        # they must not move what is beside them
        for label, text in ((self.position, ""), (self.duration, "/ ")):
            widest = label.fontMetrics().horizontalAdvance(text + clock_text(0, DIGITS))
            label.setMinimumWidth(widest + 2)
        self.position.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def _connect(self) -> None:
        self.play.clicked.connect(self.toggle_play)
        self.stop.clicked.connect(self.stop_requested)
        self.selection.clicked.connect(self.selection_requested)
        self.loop.clicked.connect(self.loop_toggled)
        self.speed.currentIndexChanged.connect(lambda _: self.speed_changed.emit(self.chosen_speed))

    def _build_keys(self) -> None:
        """Give the controls their keys, but for those that the window has: Space and Esc."""
        for text, key, do in (
            ("Play the &selection", "P", self.selection.click),
            ("&Loop", "L", self.loop.click),
            ("Sl&ower", ",", lambda: self.step_speed(-1)),
            ("&Faster", ".", lambda: self.step_speed(1)),
            ("Mute the &user", "U", self.user.mute.click),
            ("&Solo user", "Shift+U", self.user.solo.click),
            ("Mute the &agent", "A", self.agent.mute.click),
            ("Solo agen&t", "Shift+A", self.agent.solo.click),
        ):
            action = QAction(text, self)
            action.setShortcut(QKeySequence(key))
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.triggered.connect(lambda _checked=False, do=do: do())
            self.addAction(action)

    def _tool(self, icon: str, name: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        button.setFixedSize(CONTROL_HEIGHT + GRID, CONTROL_HEIGHT)
        button.setIconSize(QSize(20, 20))
        button.setAccessibleName(name)
        button.setToolTip(tip)
        self._icons.put(button, icon)
        return button
