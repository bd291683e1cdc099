"""The overview, given moments that no session has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtGui import QImage

from app.bundles.notes import Marker
from audio.peaks import PeakPyramid
from tests.ui.conftest import bury
from ui.lanes.overview import Overview
from ui.lanes.scene import RATE, Mark, Scene
from ui.lanes.time_axis import TimeAxis
from ui.parts.theme import LIGHT, Theme

NOWHERE = (-5.0, -1e300, 60.5, 1e9, 1e18, 1e300, float("inf"), float("-inf"), float("nan"))


@pytest.fixture
def overview(theme: Theme) -> Iterator[Overview]:
    made = Overview(TimeAxis(), theme)
    made.resize(1000, made.height())
    scene = Scene(now_s=60.0)
    samples = np.full(60 * RATE, 8000, np.int16)
    pyramid = PeakPyramid()
    pyramid.append(samples)
    scene.user.view, scene.user.written = pyramid.view, len(samples)
    made.set_scene(scene)
    yield made
    made.deleteLater()
    bury()


def drawn(overview: Overview) -> QImage:
    overview.refresh()
    return overview.grab().toImage()


def columns(image: QImage, colour: str) -> list[int]:
    """The places in the strip's upper edge that have just this colour."""
    return [x for x in range(image.width()) if image.pixelColor(x, 1).name() == colour]


def test_moments_beyond_the_session_are_not_drawn(overview: Overview) -> None:
    empty = drawn(overview)
    scene = overview._scene
    scene.markers = tuple(Marker(t, "nowhere") for t in NOWHERE)
    scene.marks = [Mark(n, t, None, "", "") for n, t in enumerate(NOWHERE, 1)]
    assert drawn(overview) == empty


def test_moments_among_them_stand_where_they_are(overview: Overview) -> None:
    scene = overview._scene
    scene.markers = tuple(Marker(t) for t in (*NOWHERE, 30.0))
    scene.marks = [Mark(1, 45.0, None, "", "")]
    image = drawn(overview)
    assert columns(image, LIGHT.marker) == [round(overview._x(30.0))]
    assert columns(image, LIGHT.interruption) == [round(overview._x(45.0))]


def test_the_waves_show_through_interruptions_that_stand_side_by_side(overview: Overview) -> None:
    scene = overview._scene
    waves = drawn(overview)
    scene.marks = [Mark(n, 30.0 + n / 1000, None, "", "") for n in range(10_000)]
    image = drawn(overview)
    first, amid = round(overview._x(30.0)), round(overview._x(35.0))
    assert columns(image, LIGHT.interruption) == [first]
    heights = range(1, image.height() - 1)
    seen = {image.pixelColor(amid, y).name() for y in heights}
    assert len(seen) >= len({waves.pixelColor(amid, y).name() for y in heights}) > 1
