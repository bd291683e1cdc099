"""What the mouse does in the lanes: click, select, move an edge of the selection, drag the axis.

Main thread only. It draws nothing and shows nothing: it tells what was done.
"""

from __future__ import annotations

from enum import Enum, auto

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent

from ui.lanes.lane_geometry import GUTTER, RULER, LaneGeometry
from ui.lanes.scene import RATE, Scene

EDGE_PX = 5
"""So near to an edge of the selection, the pointer takes hold of it."""
DRAG_PX = 3
"""What moved less than this was clicked."""


class Held(Enum):
    """What the pressed button has hold of."""

    NOTHING = auto()
    PLACE = auto()
    """A place that is clicked, or from which a stretch will be selected."""
    EDGE = auto()
    RULER = auto()
    """The ruler: clicked, or the axis if it is dragged."""
    AXIS = auto()


class Gestures(QObject):
    """Turns presses and moves into clicks, selections and movements of the axis."""

    clicked = Signal(float)
    """Session seconds of a place that was clicked, and not dragged."""
    selected = Signal(float, float)
    """A stretch, its earlier end first."""
    axis_dragged = Signal()

    def __init__(self, geometry: LaneGeometry, parent: QObject) -> None:
        """Begin with nothing held."""
        super().__init__(parent)
        self._geometry = geometry
        self._held = Held.NOTHING
        self._is_dragged = False
        self._anchor_s = 0.0
        self._from_x = 0.0

    @property
    def active(self) -> bool:
        """Whether something is being dragged."""
        return self._is_dragged

    def cursor_at(self, place: QPointF, scene: Scene) -> Qt.CursorShape:
        """Return the pointer's shape at ``place``: it tells what a press would take hold of."""
        if self._is_dragged and self._held in (Held.AXIS, Held.RULER):
            return Qt.CursorShape.ClosedHandCursor
        on_edge = self._is_dragged and self._held is not Held.NOTHING
        if on_edge or self._edge_at(place, scene) is not None:
            return Qt.CursorShape.SizeHorCursor
        return Qt.CursorShape.ArrowCursor

    def press(self, event: QMouseEvent, scene: Scene) -> None:
        """Take hold of what is under the pointer."""
        place, button = event.position(), event.button()
        self._from_x = place.x()
        self._is_dragged = False
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        edge = self._edge_at(place, scene)
        if button == Qt.MouseButton.MiddleButton or (button == Qt.MouseButton.LeftButton and shift):
            self._held = Held.AXIS
        elif button != Qt.MouseButton.LeftButton or place.x() < GUTTER:
            self._held = Held.NOTHING
        elif edge is not None and scene.selection is not None:
            self._held = Held.EDGE
            self._anchor_s = scene.selection[1 - edge]
        elif place.y() < RULER:
            self._held = Held.RULER
        else:
            self._held = Held.PLACE
            self._anchor_s = self._time(place.x(), scene)

    def move(self, event: QMouseEvent, scene: Scene) -> None:
        """Drag along what is held."""
        x = event.position().x()
        if self._held is Held.NOTHING:
            return
        if not self._is_dragged and abs(x - self._from_x) < DRAG_PX:
            return
        self._is_dragged = True
        if self._held in (Held.AXIS, Held.RULER):
            self._geometry.axis.pan((self._from_x - x) * self._geometry.ratio)
            self._from_x = x
            self.axis_dragged.emit()
            return
        self._geometry.axis.following = False
        ends = sorted((self._anchor_s, self._time(x, scene)))
        self.selected.emit(*ends)

    def release(self, event: QMouseEvent) -> None:
        """Let go; what was not dragged was clicked."""
        was_clicked = self._held in (Held.PLACE, Held.RULER) and not self._is_dragged
        self._held, self._is_dragged = Held.NOTHING, False
        if was_clicked:
            self.clicked.emit(self._geometry.t(event.position().x()))

    def _edge_at(self, place: QPointF, scene: Scene) -> int | None:
        """Return which end of the selection is at ``place``: 0 or 1, None for neither."""
        if scene.selection is None or place.x() < GUTTER - EDGE_PX:
            return None
        away = [abs(self._geometry.x(t) - place.x()) for t in scene.selection]
        nearest = away.index(min(away))
        return nearest if away[nearest] <= EDGE_PX else None

    def _time(self, x: float, scene: Scene) -> float:
        """Return the time of the sample at ``x``, within what there is."""
        t = round(self._geometry.t(x) * RATE) / RATE
        return min(t, max(scene.duration_s, 0.0))
