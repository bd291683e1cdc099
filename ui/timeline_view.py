"""The timeline: its bar of controls, the lanes, and the overview below them. Main thread only."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from ui.icons import Icons
from ui.lanes_view import LanesView
from ui.overview import Overview
from ui.recording_bar import RecordingBar
from ui.scene import RATE, Scene
from ui.theme import GRID, Theme, tabular
from ui.time_axis import TimeAxis


class TimelineView(QWidget):
    """Shows a `Scene`; follows it while it is live until the person looks elsewhere."""

    following_changed = Signal(bool)
    mark_activated = Signal(int)
    moment_clicked = Signal(float)

    def __init__(self, theme: Theme, icons: Icons) -> None:
        """Begin empty."""
        super().__init__()
        self.axis = TimeAxis()
        self.lanes = LanesView(self.axis, theme)
        self.overview = Overview(self.axis, theme)
        self._scene = Scene()
        self._drawn: tuple[object, ...] = ()
        self.recording_bar = RecordingBar(icons)
        self._span = QLabel()
        self.follow_button = QToolButton()
        self._build(icons)
        self.lanes.axis_changed.connect(self._axis_moved)
        self.overview.axis_changed.connect(self._axis_moved)
        self.lanes.mark_activated.connect(self.mark_activated)
        self.lanes.moment_clicked.connect(self.moment_clicked)

    @property
    def scene(self) -> Scene:
        """What is drawn."""
        return self._scene

    def set_scene(self, scene: Scene) -> None:
        """Show another session from its beginning, following it."""
        self._scene = scene
        self.axis.start_s, self.axis.span_s = 0.0, TimeAxis.LIVE_SPAN_S
        self.lanes.set_scene(scene)
        self.overview.set_scene(scene)
        self.set_following(True)

    def set_empty_text(self, text: str) -> None:
        """Say what will appear here, until there is something."""
        if self.lanes.empty_text != text:
            self.lanes.empty_text = text
            self.lanes.update()

    def advance(self) -> None:
        """Draw the scene as it is now: called once a frame."""
        if self._scene.playhead_s is not None and self.axis.following:
            self.axis.follow(self._scene.playhead_s)
        elif self._scene.live:
            self.axis.follow(self._scene.now_s)
        picture = self._what_is_to_be_seen()
        if picture != self._drawn:
            self._drawn = picture
            self.lanes.update()
        self.overview.advance()

    def _what_is_to_be_seen(self) -> tuple[object, ...]:
        """Return all that the lanes depend on, to the column: zoomed out, most frames are equal."""
        axis, scene = self.axis, self._scene
        moments = (scene.now_s, scene.playhead_s, scene.user.written / RATE)
        columns = [None if t is None else round(axis.x_of(t)) for t in moments]
        return (axis.first_column, axis.span_s, axis.width, scene.live, scene.version, *columns)

    def set_following(self, following: bool) -> None:
        """Keep "now" in view, or stay."""
        self.axis.following = following
        self._axis_moved()

    def fit(self) -> None:
        """Show the whole session."""
        self.axis.show(0.0, max(self._scene.duration_s * 1.02, 1.0))
        self._axis_moved()

    def zoom(self, factor: float) -> None:
        """Zoom about the middle."""
        self.axis.zoom(factor, self.axis.width / 2)
        self._axis_moved()

    def show_moment(self, t: float, around_s: float = 4.0) -> None:
        """Zoom to ``t`` with ``around_s`` seconds about it."""
        self.axis.show(max(0.0, t - around_s / 2), max(0.0, t - around_s / 2) + around_s)
        self._axis_moved()

    def go(self, t: float) -> None:
        """Bring ``t`` to the middle without changing the zoom."""
        self.axis.centre(t)
        self._axis_moved()

    def _axis_moved(self) -> None:
        self.advance_following_state()
        self._span.setText(f"{span_text(self.axis.span_s)} shown")
        self.lanes.update()
        self.overview.update()

    def advance_following_state(self) -> None:
        """Let the button tell whether the view follows."""
        if self.follow_button.isChecked() != self.axis.following:
            self.follow_button.setChecked(self.axis.following)
            self.following_changed.emit(self.axis.following)

    def _build(self, icons: Icons) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._build_bar(icons))
        column.addWidget(self.lanes, 1)
        column.addSpacing(GRID)
        column.addWidget(self.overview)

    def _build_bar(self, icons: Icons) -> QHBoxLayout:
        bar = QHBoxLayout()
        bar.setContentsMargins(0, 0, 0, GRID // 2)
        bar.setSpacing(GRID // 2)
        bar.addWidget(self.recording_bar)
        bar.addStretch(1)
        self._span.setFont(tabular(-1.0))
        bar.addWidget(self._span)
        bar.addSpacing(GRID)
        bar.addWidget(
            self._tool(icons, "zoom-out", "Zoom out (Ctrl+−)", lambda: self.zoom(1 / 1.5))
        )
        bar.addWidget(self._tool(icons, "zoom-in", "Zoom in (Ctrl++)", lambda: self.zoom(1.5)))
        bar.addWidget(self._tool(icons, "fit", "Show the whole session (F)", self.fit))
        self.follow_button.setText("Follow")
        self.follow_button.setAutoRaise(True)
        self.follow_button.setCheckable(True)
        self.follow_button.setChecked(True)
        self.follow_button.setToolTip("Keep “now” in view (Ctrl+L)")
        self.follow_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        icons.put(self.follow_button, "follow")
        self.follow_button.clicked.connect(self.set_following)
        bar.addWidget(self.follow_button)
        return bar

    @staticmethod
    def _tool(icons: Icons, name: str, tip: str, slot: object) -> QToolButton:
        button = QToolButton()
        icons.put(button, name)
        button.setToolTip(tip)
        button.setAccessibleName(tip.split(" (", maxsplit=1)[0])
        button.clicked.connect(slot)
        button.setAutoRaise(True)
        return button


def span_text(seconds: float) -> str:
    """Return a length of time with the unit that suits it."""
    if seconds < 1:
        return f"{seconds * 1e3:.0f} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min"
