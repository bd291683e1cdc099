"""Pictures of agent audio that nobody has heard: discarded (hatched) and queued (outlined).

They are drawn in tiles that stand at fixed received positions, so that a queue which plays, grows
and scrolls is drawn once, and not once a frame. Main thread only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QImage

from ui.lanes.grid import Grid
from ui.lanes.scene import RATE, Stretch

if TYPE_CHECKING:
    from ui.lanes.envelope import View

TILE = 256
"""Columns of a tile."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture whose left edge belongs at absolute column ``column`` of the time axis."""

    column: int
    picture: QImage


class GhostImages:
    """Keeps the tiles drawn last, bounded by their width: zoomed out there are many small ones."""

    KEPT_COLUMNS = 96 * TILE

    def __init__(self) -> None:
        """Begin with no pictures."""
        self._kept: OrderedDict[tuple[object, ...], QImage] = OrderedDict()
        self._columns = 0

    def forget(self) -> None:
        """Drop all pictures: another session's samples are meant from now on."""
        self._kept.clear()
        self._columns = 0

    def tiles(
        self, kind: str, stretch: Stretch, received: View, grid: Grid, colour: QColor
    ) -> Iterator[Tile]:
        """Yield the visible tiles of ``stretch``; ``kind`` is ``discarded`` or ``queued``."""
        from ui.lanes.envelope import hatched, outlined, picture

        origin = round((stretch.at * RATE - stretch.start) / grid.samples)
        first, stop = floor(stretch.start / grid.samples), ceil(stretch.stop / grid.samples)
        shown_from = max(first, grid.first - origin)
        shown_to = min(stop, grid.first + grid.width - origin)
        for number in range(shown_from // TILE, ceil(shown_to / TILE)):
            left, right = max(number * TILE, first), min((number + 1) * TILE, stop)
            key = (kind, left, right, grid.samples, grid.height, grid.ratio, colour.rgba())
            if key not in self._kept:
                low, high = received(left * grid.samples, right * grid.samples, right - left)
                if kind == "discarded":
                    shades = hatched(low, high, grid.height, left)
                else:
                    shades = outlined(low, high, grid.height)
                self._keep(key, picture(shades, colour, grid.ratio))
            self._kept.move_to_end(key)
            yield Tile(origin + left, self._kept[key])

    def _keep(self, key: tuple[object, ...], image: QImage) -> None:
        self._kept[key] = image
        self._columns += image.width()
        while self._columns > self.KEPT_COLUMNS and len(self._kept) > 1:
            self._columns -= self._kept.popitem(last=False)[1].width()
