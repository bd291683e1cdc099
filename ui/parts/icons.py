"""The icons: one family of line drawings in ``resources/icons``, tinted to the scheme.

Main thread only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from shiboken6 import isValid

from ui.parts.theme import Theme, blend

FOLDER = Path(__file__).parents[2] / "resources" / "icons"


class TakesIcon(Protocol):
    """A button or an action."""

    def setIcon(self, icon: QIcon) -> None: ...  # noqa: D102 - Qt's name


class Icons:
    """Gives widgets their icons, and gives them anew when the scheme changes.

    The drawings use ``currentColor``; ``colour`` names a field of `Colours`.
    """

    def __init__(self, theme: Theme) -> None:
        """Follow ``theme``."""
        self._theme = theme
        self._given: list[tuple[TakesIcon, str, str]] = []
        theme.changed.connect(self._give_again)

    def put(self, target: TakesIcon, name: str, colour: str = "text") -> None:
        """Give ``target`` the icon ``name``, in place of the one it had."""
        self._given = [each for each in self._living() if each[0] is not target]
        self._given.append((target, name, colour))
        target.setIcon(self.icon(name, colour))

    def icon(self, name: str, colour: str = "text") -> QIcon:
        """Return the icon in today's colours."""
        return QIcon(SvgEngine(name, QColor(getattr(self._theme.colours, colour)), self._faded()))

    def pixmap(self, name: str, colour: str, size: int, ratio: float) -> QPixmap:
        """Return the icon ``size`` device-independent pixels wide."""
        return self.icon(name, colour).pixmap(QSize(size, size), ratio)

    def _faded(self) -> QColor:
        colours = self._theme.colours
        return blend(colours.muted, colours.window, 0.5)

    def _living(self) -> list[tuple[TakesIcon, str, str]]:
        """Return what has an icon and has not been deleted by Qt since."""
        return [each for each in self._given if isValid(each[0])]

    def _give_again(self) -> None:
        self._given = self._living()
        for target, name, colour in self._given:
            target.setIcon(self.icon(name, colour))


class SvgEngine(QIconEngine):
    """Renders a drawing at whatever size is asked for, so that it is sharp at every scale."""

    def __init__(self, name: str, colour: QColor, faded: QColor) -> None:
        """Read the drawing ``name``; ``faded`` is its colour while disabled."""
        super().__init__()
        self._name, self._colour, self._faded = name, colour, faded
        self._source = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")

    def paint(self, painter: QPainter, rect: object, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw into ``rect``."""
        colour = self._faded if mode == QIcon.Mode.Disabled else self._colour
        tinted = self._source.replace("currentColor", colour.name())
        QSvgRenderer(QByteArray(tinted.encode())).render(painter, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return a picture of ``size`` device pixels."""
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, pixmap.rect(), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        """Return a copy, as Qt asks for."""
        return SvgEngine(self._name, self._colour, self._faded)
