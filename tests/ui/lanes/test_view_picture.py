"""A picture of the view, read back by Qt's own readers."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QWidget

from tests.ui.conftest import frames
from ui.lanes.view_picture import SHARPNESS, picture_of

RED, BLUE = "#c00010", "#0010c0"


class Plate(QWidget):
    """A widget of one colour that says something."""

    def __init__(self, colour: str, height: int, text: str = "") -> None:
        super().__init__()
        self._colour, self._text = colour, text
        self.resize(200, height)

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._colour))
        painter.drawText(4, self.height() - 4, self._text)
        painter.end()


@pytest.fixture
def plates(application):
    made = [Plate(RED, 60, "<script>alert(1)</script> & so on"), Plate(BLUE, 40)]
    yield made
    for each in made:
        each.deleteLater()


def rendered(content: bytes) -> QImage:
    renderer = QSvgRenderer(QByteArray(content))
    assert renderer.isValid()
    image = QImage(renderer.viewBox().size(), QImage.Format.Format_RGB32)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    return image


def coloured(image: QImage, colour: str) -> int:
    """How many pixels have just this colour."""
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(plain.constBits(), np.uint32) & 0xFFFFFF
    return int(np.count_nonzero(pixels == int(colour[1:], 16)))


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_parts_stand_one_below_the_other(plates, kind):
    content = picture_of(plates, kind)
    image = QImage.fromData(content) if kind == "png" else rendered(content)
    scale = SHARPNESS if kind == "png" else 1
    assert (image.width(), image.height()) == (200 * scale, 100 * scale)
    assert image.pixelColor(150 * scale, 10 * scale).name() == RED
    assert image.pixelColor(150 * scale, 90 * scale).name() == BLUE


def test_texts_of_others_are_no_markup_in_it(plates):
    content = picture_of(plates, "svg", "A <b>title</b>\x1b\x01\ufffe\n& more")
    root = ElementTree.fromstring(content)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert "script" not in tags
    assert "b" not in tags
    assert root.find("{http://www.w3.org/2000/svg}title").text == "A <b>title</b> & more"
    said = "".join(element.text or "" for element in root.iter() if element.tag.endswith("text"))
    assert "alert(1)" in said


def test_nothing_is_a_picture_too(application):
    assert QImage.fromData(picture_of([], "png")).width() == SHARPNESS


def test_the_timeline_as_it_is_on_screen(window, running, theme):
    running.advance_to(8.0)
    frames(window)
    timeline = window.parts.timeline
    parts = [timeline.lanes, timeline.overview]
    width, height = timeline.lanes.width(), timeline.lanes.height() + timeline.overview.height()
    image = QImage.fromData(picture_of(parts, "png"))
    assert (image.width(), image.height()) == (width * SHARPNESS, height * SHARPNESS)
    shown, colours = timeline.lanes.grab().toImage(), theme.colours
    for colour in (colours.user, colours.agent, colours.interruption):
        assert coloured(shown, colour) > 100
        share = coloured(image, colour) / coloured(shown, colour) / SHARPNESS**2
        assert 0.5 < share < 2
    drawn = rendered(picture_of(parts, "svg"))
    assert (drawn.width(), drawn.height()) == (width, height)
