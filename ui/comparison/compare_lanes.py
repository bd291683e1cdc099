"""The lanes of two sessions, one above the other on one time axis. Main thread only.

The axis counts from where the earlier of them begins; the other is drawn so much later that the
caller stands at the same place in both.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ui.lanes.lanes_view import LanesView
from ui.lanes.scene import Scene
from ui.lanes.shifted_scene import ShiftedScene
from ui.lanes.time_axis import TimeAxis
from ui.parts.theme import GRID, Theme, small

SIDES = ("First", "Second")


class CompareLanes(QWidget):
    """Two `LanesView` on one `TimeAxis`, with a caption each."""

    moment_clicked = Signal(float)
    """Seconds on the axis."""
    interruption_activated = Signal(int, int)
    """Whose, 0 or 1, and its number."""
    moved = Signal()
    """Something else is in view."""

    def __init__(self, theme: Theme) -> None:
        """Begin empty."""
        super().__init__()
        self.axis = TimeAxis()
        self.axis.following = False
        self.views = (LanesView(self.axis, theme), LanesView(self.axis, theme))
        self._captions = (QLabel(), QLabel())
        self._scenes = (ShiftedScene(Scene()), ShiftedScene(Scene()))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for side, (view, caption) in enumerate(zip(self.views, self._captions, strict=True)):
            caption.setFont(small())
            caption.setTextFormat(Qt.TextFormat.PlainText)
            caption.setContentsMargins(0, GRID if side else 0, 0, GRID // 2)
            column.addWidget(caption)
            column.addWidget(view, 1)
            self._connect(side, view)

    def _connect(self, side: int, view: LanesView) -> None:
        view.setAccessibleName(f"Lanes of the {SIDES[side].lower()} session")
        view.axis_changed.connect(self.refresh)
        view.moment_clicked.connect(self._clicked)
        view.playhead_wished.connect(self._clicked)
        view.selection_wished.connect(self.select)
        view.mark_activated.connect(
            lambda number, side=side: self.interruption_activated.emit(side, number)
        )

    @property
    def duration_s(self) -> float:
        """Where the later of them ends, on the axis."""
        return max(each.scene.duration_s for each in self._scenes)

    @property
    def selection(self) -> tuple[float, float] | None:
        """The stretch that is selected in both, on the axis."""
        return self._scenes[0].scene.selection

    def show_scenes(self, first: Scene, second: Scene) -> None:
        """Draw these two from now on, as they are and as they grow."""
        self._scenes = (ShiftedScene(first), ShiftedScene(second))
        self.draw_anew()

    def draw_anew(self) -> None:
        """Draw both, and nothing of it from memory."""
        for view, shifted in zip(self.views, self._scenes, strict=True):
            view.set_scene(shifted.scene)
        self.refresh()

    def show_captions(self, first: str, second: str) -> None:
        """Say which is which."""
        for side, text in enumerate((first, second)):
            self._captions[side].setText(f"{SIDES[side]}   {text}" if text else SIDES[side])

    def show_empty_text(self, text: str) -> None:
        """Say why there is nothing, or what will appear."""
        for view in self.views:
            view.empty_text = text
        self.refresh()

    def set_offset(self, offset_s: float) -> None:
        """Draw the second one so that its caller, who is ``offset_s`` later, is over the first."""
        self._scenes[0].move(max(offset_s, 0.0))
        self._scenes[1].move(max(-offset_s, 0.0))
        self.refresh()

    def shift_of(self, side: int) -> float:
        """Return how much later a session's own time is on the axis."""
        return self._scenes[side].by_s

    def advance(self) -> None:
        """Take over what has become known of either."""
        for view, shifted in zip(self.views, self._scenes, strict=True):
            if shifted.advance():
                view.update()

    def refresh(self) -> None:
        """Draw both anew."""
        for view in self.views:
            view.update()
        self.moved.emit()

    # --- what is in view

    def fit(self) -> None:
        """Show all of both."""
        self.axis.show(0.0, max(self.duration_s * 1.01, TimeAxis.MIN_SPAN_S))
        self.refresh()

    def zoom(self, factor: float) -> None:
        """Zoom about the middle."""
        self.axis.zoom(factor, self.axis.width / 2)
        self.refresh()

    def zoom_to_selection(self) -> None:
        """Show just what is selected."""
        if self.selection is not None:
            self.axis.show(*self.selection)
            self.refresh()

    def go(self, t: float) -> None:
        """Bring a moment of the axis into view, and draw a line through both there."""
        for shifted in self._scenes:
            shifted.scene.playhead_s = t
        if not self.axis.start_s <= t <= self.axis.stop_s:
            self.axis.centre(t)
        self.refresh()

    def select(self, stretch: tuple[float, float] | None) -> None:
        """Select the same stretch in both."""
        for shifted in self._scenes:
            shifted.scene.selection = stretch
        self.refresh()

    def _clicked(self, t: float) -> None:
        self.select(None)
        self.go(t)
        self.moment_clicked.emit(t)
