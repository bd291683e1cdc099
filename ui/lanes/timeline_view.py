"""The timeline: its bar of controls, the lanes, the overview and the selection's figures below.

Main thread only.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from ui.lanes.lanes_view import LanesView
from ui.lanes.marker_field import MarkerField
from ui.lanes.overview import Overview
from ui.lanes.recording_bar import RecordingBar
from ui.lanes.scene import RATE, Scene
from ui.lanes.selection_bar import SelectionBar
from ui.lanes.time_axis import TimeAxis, span_text
from ui.parts.icons import Icons
from ui.parts.theme import GRID, Theme, tabular

Stretch = tuple[float, float]
TURNED_TO = 0.05
"""Where the playhead stands after a page was turned, as a share of the width."""


class TimelineView(QWidget):
    """Shows a `Scene`; follows it while it is live until the person looks elsewhere."""

    following_changed = Signal(bool)
    mark_activated = Signal(int)
    overlap_activated = Signal(float)
    ghost_clicked = Signal(object)
    moment_clicked = Signal(float)
    playhead_wished = Signal(float)
    selection_changed = Signal()
    moved = Signal()
    """Something else is in view, or in another way."""

    def __init__(self, theme: Theme, icons: Icons) -> None:
        """Begin empty."""
        super().__init__()
        self.axis = TimeAxis()
        self.lanes = LanesView(self.axis, theme)
        self.overview = Overview(self.axis, theme)
        self.marker_field = MarkerField(self.lanes)
        self.selection_bar = SelectionBar(icons)
        self.recording_bar = RecordingBar(icons)
        self._scene = Scene()
        self._drawn: tuple[object, ...] = ()
        self._marker_s = 0.0
        self._playhead_before_s: float | None = None
        self._span, self._progress = QLabel(), QLabel()
        self.follow_button = QToolButton()
        self.db_button = QToolButton()
        self._top = QVBoxLayout()
        self._build(icons)
        self._connect()

    def _connect(self) -> None:
        self.lanes.axis_changed.connect(self._axis_moved)
        self.overview.axis_changed.connect(self._axis_moved)
        self.lanes.mark_activated.connect(self.mark_activated)
        self.lanes.overlap_activated.connect(self.overlap_activated)
        self.lanes.ghost_clicked.connect(self.ghost_clicked)
        self.lanes.moment_clicked.connect(self._clicked)
        self.lanes.playhead_wished.connect(self._playhead_wished)
        self.lanes.selection_wished.connect(self._select_by_hand)
        self.lanes.amplitude_changed.connect(self._amplitude_moved)
        self.selection_bar.zoom_requested.connect(self.zoom_to_selection)

    @property
    def scene(self) -> Scene:
        """What is drawn."""
        return self._scene

    def put_player(self, bar: QWidget) -> None:
        """Put the player's controls above the lanes, where Tab comes to them first."""
        self._top.addWidget(bar)
        before: QWidget = self.follow_button
        for each in bar.findChildren(QWidget):
            is_here = each.window() is self.window()  # and in no list that opens
            if is_here and each.focusPolicy() & Qt.FocusPolicy.TabFocus:
                self.setTabOrder(before, each)
                before = each

    def set_scene(self, scene: Scene) -> None:
        """Show another session from its beginning; one that is live is followed."""
        self.marker_field.finish()
        self._scene = scene
        self._playhead_before_s = None
        self.axis.start_s, self.axis.span_s = 0.0, TimeAxis.LIVE_SPAN_S
        self.lanes.set_scene(scene)
        self.overview.set_scene(scene)
        self.set_following(True)
        self._show_selection()

    def set_empty_text(self, text: str) -> None:
        """Say what will appear here, until there is something."""
        if self.lanes.empty_text != text:
            self.lanes.empty_text = text
            self.lanes.update()

    def show_progress(self, text: str) -> None:
        """Say how far a recording has been read; nothing once all of it is."""
        if self._progress.text() != text:
            self._progress.setText(text)

    def advance(self) -> None:
        """Draw the scene as it is now: called once a frame."""
        if self._scene.playing and self._scene.playhead_s is not None:
            self._keep_in_view(self._scene.playhead_s)
        elif self._scene.live:
            self.axis.follow(self._scene.now_s)
        picture = self._what_is_to_be_seen()
        if picture != self._drawn:
            self._drawn = picture
            self.lanes.update()
            if self.marker_field.active:
                self.marker_field.place(self.lanes.x_of(self._marker_s))
        self.overview.advance()

    def _keep_in_view(self, playhead_s: float) -> None:
        """Follow the playhead; or turn the page when it runs out of view, but not to wherever."""
        axis, before_s = self.axis, self._playhead_before_s
        self._playhead_before_s = playhead_s
        was_seen = before_s is not None and axis.start_s <= before_s <= axis.stop_s
        if axis.following:
            axis.follow(playhead_s)
        elif was_seen and not axis.start_s <= playhead_s <= axis.stop_s:
            start_s = max(playhead_s - TURNED_TO * axis.span_s, 0.0)
            axis.show(start_s, start_s + axis.span_s)
            self._axis_moved()

    def _what_is_to_be_seen(self) -> tuple[object, ...]:
        """Return all that the lanes depend on, to the column: zoomed out, most frames are equal."""
        axis, scene = self.axis, self._scene
        moments = (scene.now_s, scene.playhead_s, scene.user.written / RATE)
        columns = [None if t is None else round(axis.x_of(t)) for t in moments]
        detail = (scene.user.detail, scene.agent.detail, scene.version, len(scene.gaps))
        marks = (scene.markers, scene.selection)
        return (axis.first_column, axis.span_s, axis.width, scene.live, detail, marks, *columns)

    # --- what is in view

    def set_following(self, following: bool) -> None:
        """Keep "now", or the playhead while playing, in view; or stay."""
        self.axis.following = following
        self._axis_moved()

    def fit(self) -> None:
        """Show the whole session; without one, stay."""
        if self._scene.duration_s > 0:
            self.axis.show(0.0, self._scene.duration_s * 1.01)
            self._axis_moved()

    def zoom(self, factor: float) -> None:
        """Zoom about the playhead if it is in view, else about the middle."""
        self.lanes.zoom(factor)
        self._axis_moved()

    def zoom_to_selection(self) -> None:
        """Show just the selection."""
        if self._scene.selection is not None:
            self.axis.show(*self._scene.selection)
            self._axis_moved()

    def show_moment(self, t: float, around_s: float = 4.0) -> None:
        """Zoom to ``t`` with ``around_s`` seconds about it."""
        self.axis.show(max(0.0, t - around_s / 2), max(0.0, t - around_s / 2) + around_s)
        self._axis_moved()

    def show_stretch(self, start_s: float, stop_s: float) -> None:
        """Zoom to a stretch of time, with some room on both sides of it."""
        room_s = max((stop_s - start_s) / 8, 0.1)
        self.axis.show(max(start_s - room_s, 0.0), stop_s + room_s)
        self._axis_moved()

    def go(self, t: float) -> None:
        """Bring ``t`` to the middle without changing the zoom."""
        self.axis.centre(t)
        self._axis_moved()

    @property
    def moment(self) -> float:
        """What a person looks at: the playhead, while it is in view, else the middle."""
        playhead_s, axis = self._scene.playhead_s, self.axis
        if playhead_s is not None and axis.start_s <= playhead_s <= axis.stop_s:
            return playhead_s
        return (axis.start_s + axis.stop_s) / 2

    def reveal(self, t: float) -> None:
        """Bring ``t`` into view if it is not."""
        if not self.axis.start_s <= t <= self.axis.stop_s:
            self.go(t)

    def _axis_moved(self) -> None:
        self.advance_following_state()
        self._span.setText(f"{span_text(self.axis.span_s)} shown")
        self.lanes.update()
        self.overview.update()
        self.moved.emit()

    def advance_following_state(self) -> None:
        """Let the button tell whether the view follows."""
        if self.follow_button.isChecked() != self.axis.following:
            self.follow_button.setChecked(self.axis.following)
            self.following_changed.emit(self.axis.following)

    # --- the vertical scale

    def set_db(self, is_db: bool) -> None:
        """Use the scale in dB, or the linear one."""
        self.lanes.show_amplitude(is_db=is_db)

    def _amplitude_moved(self) -> None:
        self.db_button.setChecked(self.lanes.amplitude.is_db)
        self.moved.emit()

    # --- selection and playhead

    def select(self, stretch: Stretch | None) -> None:
        """Select ``stretch`` of session time, or nothing."""
        chosen = stretch if stretch is not None and stretch[1] > stretch[0] else None
        if chosen == self._scene.selection:
            return
        self._scene.selection = chosen
        self._show_selection()
        self.selection_changed.emit()

    def select_all(self) -> None:
        """Select the whole session."""
        self.select((0.0, self._scene.duration_s))

    def select_to_playhead(self, end: int) -> None:
        """Bring the selection's start (0) or stop (1) to the playhead."""
        t, scene = self._scene.playhead_s, self._scene
        if t is None:
            return
        ends = list(scene.selection or (0.0, scene.duration_s))
        ends[end] = t
        if ends[0] >= ends[1]:
            ends[1 - end] = scene.duration_s if end == 0 else 0.0
        self.select((ends[0], ends[1]))

    def _select_by_hand(self, stretch: Stretch) -> None:
        self.advance_following_state()
        self.select(stretch)
        self.reveal(stretch[1])

    def _clicked(self, t: float) -> None:
        chosen = self._scene.selection
        if chosen is not None and not chosen[0] <= t <= chosen[1]:
            self.select(None)
        self.moment_clicked.emit(min(t, self._scene.duration_s))

    def _playhead_wished(self, t: float) -> None:
        self.reveal(t)
        self.playhead_wished.emit(t)

    def _show_selection(self) -> None:
        self.selection_bar.show_selection(self._scene.selection)
        self.lanes.update()
        self.overview.update()

    def type_marker(self, t: float, text: str = "") -> None:
        """Let the text of the marker at ``t`` be typed at its flag."""
        self._marker_s = t
        self.marker_field.begin(self.lanes.x_of(t), text)

    # --- building

    def _build(self, icons: Icons) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._top.setContentsMargins(0, 0, 0, GRID // 2)
        self._top.setSpacing(0)
        self._top.addLayout(self._build_bar(icons))
        column.addLayout(self._top)
        column.addWidget(self.lanes, 1)
        column.addSpacing(GRID)
        column.addWidget(self.overview)
        column.addWidget(self.selection_bar)

    def _build_bar(self, icons: Icons) -> QHBoxLayout:
        bar = QHBoxLayout()
        bar.setContentsMargins(0, 0, 0, 0)
        bar.setSpacing(GRID // 2)
        bar.addWidget(self.recording_bar)
        bar.addStretch(1)
        for label in (self._progress, self._span):
            label.setFont(tabular(-1.0))
            bar.addWidget(label)
            bar.addSpacing(GRID)
        bar.addWidget(
            self._tool(icons, "zoom-out", "Zoom out (Ctrl+−)", lambda: self.zoom(1 / 1.5))
        )
        bar.addWidget(self._tool(icons, "zoom-in", "Zoom in (Ctrl++)", lambda: self.zoom(1.5)))
        bar.addWidget(self._tool(icons, "fit", "Show the whole session (F)", self.fit))
        self.db_button.setText("dB")
        self._toggle(
            self.db_button,
            "Draw levels in dB, so that quiet echo can be seen (D); Alt+wheel raises what is quiet",
        )
        self.db_button.clicked.connect(self.set_db)
        bar.addWidget(self.db_button)
        self.follow_button.setText("Follow")
        self.follow_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._toggle(self.follow_button, "Keep “now” in view, or the playhead (Ctrl+L)")
        self.follow_button.setChecked(True)
        icons.put(self.follow_button, "follow")
        self.follow_button.clicked.connect(self.set_following)
        bar.addWidget(self.follow_button)
        return bar

    @staticmethod
    def _toggle(button: QToolButton, tip: str) -> None:
        button.setAutoRaise(True)
        button.setCheckable(True)
        button.setToolTip(tip)

    @staticmethod
    def _tool(icons: Icons, name: str, tip: str, slot: object) -> QToolButton:
        button = QToolButton()
        icons.put(button, name)
        button.setToolTip(tip)
        button.setAccessibleName(tip.split(" (", maxsplit=1)[0])
        button.clicked.connect(slot)
        button.setAutoRaise(True)
        return button
