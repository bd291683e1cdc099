"""A picture of the view: the timeline as it is on screen, as PNG or SVG. Main thread only.

In both, ruler, marks and texts are sharper than on screen; the waves are pictures, as on screen.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QBuffer, QIODevice, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from app.plain import one_line

SHARPNESS = 2
"""Pixels of a PNG to one of the screen's, each way."""


def picture_of(
    view: QWidget | Sequence[QWidget], kind: str, title: str = "", sharpness: int = SHARPNESS
) -> bytes:
    """Return what ``view`` shows as the bytes of a ``png`` or an ``svg`` file.

    Several widgets stand one below the other. ``title`` is what the file says of itself;
    ``sharpness`` is how many pixels of a PNG, each way, there are to one of the view's.
    """
    parts = [view] if isinstance(view, QWidget) else list(view)
    size = QSize(
        max((part.width() for part in parts), default=1),
        max(sum(part.height() for part in parts), 1),
    )
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if kind == "svg":
        _draw_svg(parts, size, buffer, one_line(title))  # XML has no control characters
    else:
        _draw_png(parts, size, buffer, title, sharpness)
    return bytes(buffer.data().data())


def _draw_png(
    parts: Sequence[QWidget], size: QSize, buffer: QBuffer, title: str, sharpness: int
) -> None:
    image = QImage(size * sharpness, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(sharpness)
    image.setText("Title", title)
    painter = QPainter(image)
    _draw(parts, size, painter)
    painter.end()
    image.save(buffer, "PNG")


def _draw_svg(parts: Sequence[QWidget], size: QSize, buffer: QBuffer, title: str) -> None:
    from PySide6.QtSvg import QSvgGenerator

    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(size)
    generator.setViewBox(QRect(QPoint(), size))
    generator.setTitle(title)
    painter = QPainter(generator)
    _draw(parts, size, painter)
    painter.end()


def _draw(parts: Sequence[QWidget], size: QSize, painter: QPainter) -> None:
    ground = parts[0].palette().window().color() if parts else QColor(Qt.GlobalColor.white)
    painter.fillRect(QRect(QPoint(), size), ground)
    top = 0
    for part in parts:
        part.render(painter, QPoint(0, top))
        top += part.height()
