"""The lanes under the hand: selecting, the playhead, zoom down to samples, gaps, the overview."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.bundles.notes import Marker
from audio.peaks import PeakPyramid
from tests.ui.conftest import bury
from ui.lanes.lane_tips import tip_at
from ui.lanes.overview import EDGE_PX
from ui.lanes.scene import RATE, Scene
from ui.lanes.timeline_view import TimelineView
from ui.parts.icons import Icons
from ui.parts.theme import LIGHT, Theme

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
LENGTH_S = 60


@pytest.fixture
def timeline(theme: Theme) -> Iterator[TimelineView]:
    """A recording of a minute: a tone of the user, silence of the agent."""
    made = TimelineView(theme, Icons(theme))
    made.resize(1000, 500)
    made.show()
    scene = Scene(now_s=float(LENGTH_S), playhead_s=0.0)
    tone = (12_000 * np.sin(np.arange(LENGTH_S * RATE) / 5)).astype(np.int16)
    for lane, samples in ((scene.user, tone), (scene.agent, np.zeros_like(tone))):
        lane.view = PeakPyramid(lambda a, b, samples=samples: samples[a:b]).view
        lane.view.__self__.append(samples)
        lane.written = len(samples)
    made.set_scene(scene)
    made.fit()
    QApplication.processEvents()
    yield made
    made.close()
    made.deleteLater()
    bury()


def drag(
    timeline: TimelineView, start: float, stop: float, button: Qt.MouseButton = LEFT, y: int = 150
) -> None:
    """Drag in the lanes from one session second to another, as they are when the drag begins."""
    lanes = timeline.lanes
    a, b = (QPoint(round(lanes.x_of(t)), y) for t in (start, stop))
    QTest.mousePress(lanes, button, NONE, a)
    QTest.mouseMove(lanes, (a + b) / 2)
    QTest.mouseMove(lanes, b)
    QTest.mouseRelease(lanes, button, NONE, b)


def click(timeline: TimelineView, t: float) -> None:
    QTest.mouseClick(timeline.lanes, LEFT, NONE, QPoint(round(timeline.lanes.x_of(t)), 150))


def picture(timeline: TimelineView) -> QImage:
    return timeline.lanes.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def count_of(image: QImage, colour: str) -> int:
    words = np.frombuffer(image.constBits(), np.uint32)
    return int(np.count_nonzero(words == int("ff" + colour[1:], 16)))


def wheel(timeline: TimelineView, t: float, steps: int, held: Qt.KeyboardModifier = NONE) -> None:
    lanes = timeline.lanes
    place = QPointF(lanes.x_of(t), 150.0)
    event = QWheelEvent(
        place,
        lanes.mapToGlobal(place),
        QPoint(),
        QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton,
        held,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(lanes, event)


# -- selecting ---------------------------------------------------------------------------------


def test_dragging_selects_in_either_direction_and_tells_once_it_has(timeline: TimelineView) -> None:
    told: list[object] = []
    timeline.selection_changed.connect(lambda: told.append(timeline.scene.selection))
    drag(timeline, 10.0, 20.0)
    assert timeline.scene.selection == pytest.approx((10.0, 20.0), abs=0.1)
    drag(timeline, 50.0, 30.0)
    assert timeline.scene.selection == pytest.approx((30.0, 50.0), abs=0.1)
    assert told[-1] == timeline.scene.selection
    assert count_of(picture(timeline), LIGHT.selection) > 1000


def test_an_edge_of_the_selection_is_moved_and_may_pass_the_other(timeline: TimelineView) -> None:
    timeline.select((10.0, 20.0))
    drag(timeline, 20.0, 26.0)
    assert timeline.scene.selection == pytest.approx((10.0, 26.0), abs=0.1)
    drag(timeline, 10.0, 30.0)
    assert timeline.scene.selection == pytest.approx((26.0, 30.0), abs=0.1)


def test_nothing_beyond_the_session_is_selected(timeline: TimelineView) -> None:
    timeline.axis.show(0.0, 200.0)
    timeline.lanes.axis_changed.emit()
    drag(timeline, 40.0, 150.0)
    assert timeline.scene.selection == pytest.approx((40.0, 60.0), abs=0.3)


def test_a_click_tells_the_moment_and_only_outside_does_it_end_the_selection(
    timeline: TimelineView,
) -> None:
    clicked: list[float] = []
    timeline.moment_clicked.connect(clicked.append)
    timeline.select((10.0, 20.0))
    click(timeline, 15.0)
    assert timeline.scene.selection == (10.0, 20.0)
    click(timeline, 40.0)
    assert timeline.scene.selection is None
    assert clicked == pytest.approx([15.0, 40.0], abs=0.1)


@pytest.mark.parametrize(
    ("button", "held", "y"), [(MIDDLE, NONE, 150), (LEFT, SHIFT, 150), (LEFT, NONE, 8)]
)
def test_the_axis_is_dragged_by_the_middle_button_with_shift_or_by_the_ruler(
    timeline: TimelineView, button: Qt.MouseButton, held: Qt.KeyboardModifier, y: int
) -> None:
    timeline.axis.show(20.0, 30.0)
    timeline.lanes.axis_changed.emit()
    lanes = timeline.lanes
    QTest.mousePress(lanes, button, held, QPoint(500, y))
    QTest.mouseMove(lanes, QPoint(450, y))
    QTest.mouseMove(lanes, QPoint(400, y))
    QTest.mouseRelease(lanes, button, held, QPoint(400, y))
    assert timeline.axis.start_s == pytest.approx(20 + 100 * timeline.axis.seconds_per_column)
    assert timeline.scene.selection is None


def test_the_selection_by_keys(timeline: TimelineView) -> None:
    lanes = timeline.lanes
    timeline.scene.playhead_s = 30.0
    for _ in range(3):
        QTest.keyClick(lanes, Qt.Key.Key_Right, SHIFT)
    step = timeline.axis.span_s / 100
    assert timeline.scene.selection == pytest.approx((30.0, 30.0 + 3 * step))
    QTest.keyClick(lanes, Qt.Key.Key_Left, SHIFT)
    assert timeline.scene.selection == pytest.approx((30.0, 30.0 + 2 * step))
    QTest.keyClick(lanes, Qt.Key.Key_Home, SHIFT)
    QTest.keyClick(lanes, Qt.Key.Key_End, SHIFT)
    assert timeline.scene.selection == (0.0, 60.0)
    timeline.select(None)
    timeline.select_to_playhead(1)
    assert timeline.scene.selection == (0.0, 30.0)
    timeline.select_to_playhead(0)
    assert timeline.scene.selection == (30.0, 60.0)


def test_the_playhead_is_moved_by_keys(timeline: TimelineView) -> None:
    wished: list[float] = []
    timeline.playhead_wished.connect(wished.append)
    QTest.keyClick(timeline.lanes, Qt.Key.Key_Right, ALT)
    QTest.keyClick(timeline.lanes, Qt.Key.Key_Right, ALT | CONTROL)
    QTest.keyClick(timeline.lanes, Qt.Key.Key_Left, ALT)
    assert wished == pytest.approx(
        [timeline.axis.span_s / 100, timeline.axis.seconds_per_column, 0.0]
    )


def test_the_figures_of_the_selection_are_below_and_zooming_shows_just_that(
    timeline: TimelineView,
) -> None:
    timeline.select((12.3, 14.1))
    text = timeline.selection_bar._times.text()
    assert text == "Selection 00:00:12.300 – 00:00:14.100, 1.800 s"
    timeline.selection_bar.zoom.click()
    assert (timeline.axis.start_s, timeline.axis.stop_s) == pytest.approx((12.3, 14.1))


def test_in_a_narrow_window_the_hint_below_the_lanes_is_whole(timeline: TimelineView) -> None:
    timeline.resize(590, 400)
    QApplication.processEvents()
    hint = timeline.selection_bar._times
    assert hint.fontMetrics().horizontalAdvance(hint.text()) <= hint.width()


# -- zoom --------------------------------------------------------------------------------------


def test_the_wheel_zooms_at_the_pointer_down_to_single_samples(timeline: TimelineView) -> None:
    for _ in range(80):
        wheel(timeline, 20.0, 1)
    axis = timeline.axis
    assert axis.span_s == axis.MIN_SPAN_S
    assert axis.start_s < 20.0 < axis.stop_s
    before = picture(timeline)
    assert count_of(before, LIGHT.user) > 17 * 8  # a point for each of the 16 samples in view
    first = axis.start_s
    axis.show(first + 0.01, first + 0.01 + axis.span_s)
    timeline.lanes.axis_changed.emit()
    assert picture(timeline) != before


def test_samples_that_are_not_at_hand_are_drawn_as_extremes_until_they_are(
    timeline: TimelineView,
) -> None:
    scene = timeline.scene
    there = scene.user.view
    coarse = PeakPyramid()
    coarse.append(np.tile(np.array([-9000, 9000], np.int16), LENGTH_S * RATE // 2))
    scene.user.view = coarse.view
    timeline.axis.show(20.0, 20.002)
    timeline.lanes.axis_changed.emit()
    block = count_of(picture(timeline), LIGHT.user)
    scene.user.view, scene.user.detail = there, 1
    assert count_of(picture(timeline), LIGHT.user) < block / 5


class Paints(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_a_still_view_is_not_drawn_again_until_there_is_more_to_see(timeline: TimelineView) -> None:
    def drawn() -> int:
        before = paints.count
        timeline.advance()
        QApplication.processEvents()
        return paints.count - before

    paints = Paints(timeline.lanes)
    drawn()
    assert drawn() == 0
    for name, value in (("detail", 1), ("written", 5 * RATE)):
        setattr(timeline.scene.user, name, value)
        assert drawn() == 1
    for name, value in (
        ("version", 9),
        ("gaps", [(1.0, 2.0)]),
        ("markers", (Marker(1.0),)),
        ("playhead_s", 30.0),
    ):
        setattr(timeline.scene, name, value)
        assert drawn() == 1, name
    assert drawn() == 0


def test_alt_and_the_wheel_raise_what_is_quiet_and_so_do_decibels(timeline: TimelineView) -> None:
    lanes = timeline.lanes
    flat = count_of(picture(timeline), LIGHT.user)
    wheel(timeline, 20.0, 1, ALT)
    assert lanes.amplitude.gain_db == 6
    assert count_of(picture(timeline), LIGHT.user) > 1.5 * flat
    wheel(timeline, 20.0, 1, CONTROL | SHIFT)
    wheel(timeline, -3.0, 1)
    assert lanes.amplitude.gain_db == 18
    lanes.reset_amplitude()
    assert count_of(picture(timeline), LIGHT.user) == flat
    timeline.db_button.click()
    assert count_of(picture(timeline), LIGHT.user) > 1.5 * flat


# -- what else stands there --------------------------------------------------------------------


def test_a_gap_is_hatched_and_says_what_it_is(timeline: TimelineView) -> None:
    lanes, before = timeline.lanes, picture(timeline)
    timeline.scene.gaps = [(20.0, 23.0)]
    timeline.advance()
    assert picture(timeline) != before
    geometry = lanes.geometry_of
    inside = QPoint(round(lanes.x_of(21.0)), 150)
    assert tip_at(inside, geometry, timeline.scene) == (
        "Not recorded: from 00:00:20.000, for 3 s. Silence stands here so that all else keeps "
        "its time."
    )
    outside = QPoint(round(lanes.x_of(30.0)), 150)
    assert tip_at(outside, geometry, timeline.scene) == ""


def test_a_marker_has_a_flag_and_its_text_is_no_markup(timeline: TimelineView) -> None:
    assert count_of(picture(timeline), LIGHT.marker) == 0
    timeline.scene.markers = (Marker(20.0, "<b>late</b>", 25.0),)
    timeline.advance()
    assert count_of(picture(timeline), LIGHT.marker) > 100
    place = QPoint(round(timeline.lanes.x_of(20.0)) + 2, 30)
    tip = tip_at(place, timeline.lanes.geometry_of, timeline.scene)
    assert "&lt;b&gt;late" in tip
    assert "5 s long" in tip


def test_one_lane_takes_the_room_of_both(timeline: TimelineView) -> None:
    height = timeline.lanes.geometry_of.lane(0).height()
    timeline.scene.is_mono = True
    timeline.lanes.set_scene(timeline.scene)
    assert timeline.lanes.geometry_of.lane(0).height() > 1.9 * height


# -- the overview ------------------------------------------------------------------------------


@pytest.fixture
def overview(timeline: TimelineView) -> TimelineView:
    timeline.axis.show(20.0, 40.0)
    timeline.lanes.axis_changed.emit()
    timeline.overview.grab()
    return timeline


def drag_overview(timeline: TimelineView, start: float, stop: float) -> None:
    strip = timeline.overview
    a, b = (QPoint(round(strip._x(t)), 20) for t in (start, stop))
    QTest.mousePress(strip, LEFT, NONE, a)
    QTest.mouseMove(strip, b)
    QTest.mouseRelease(strip, LEFT, NONE, b)


def test_the_window_in_the_overview_is_dragged_along(overview: TimelineView) -> None:
    drag_overview(overview, 25.0, 35.0)
    assert overview.axis.start_s == pytest.approx(30.0, abs=0.2)
    assert overview.axis.span_s == pytest.approx(20.0, abs=0.01)


def test_its_edges_are_dragged_and_the_other_one_stays(overview: TimelineView) -> None:
    drag_overview(overview, 40.0, 50.0)
    assert overview.axis.start_s == pytest.approx(20.0, abs=0.01)
    assert overview.axis.stop_s == pytest.approx(50.0, abs=0.2)
    drag_overview(overview, 20.0, 10.0)
    assert overview.axis.start_s == pytest.approx(10.0, abs=0.2)
    assert overview.axis.stop_s == pytest.approx(50.0, abs=0.2)


def test_the_playhead_in_the_overview_moves_along(overview: TimelineView) -> None:
    QApplication.processEvents()
    overview.scene.playhead_s = 50.0
    overview.advance()
    shown = overview.overview.grab().toImage()
    x = round(overview.overview._x(50.0))
    overview.scene.playhead_s = 51.0
    overview.advance()
    QApplication.processEvents()
    assert overview.overview._playhead_px == round(overview.overview._x(51.0))
    assert shown.pixelColor(x, 3).name() == LIGHT.text
    assert overview.overview.grab().toImage().pixelColor(x, 3).name() != LIGHT.text


def test_a_click_beside_the_window_brings_it_there(overview: TimelineView) -> None:
    away = QPoint(round(overview.overview._x(55.0)) + EDGE_PX, 20)
    QTest.mouseClick(overview.overview, LEFT, NONE, away)
    assert overview.axis.start_s < 55.0 < overview.axis.stop_s


def test_there_is_nothing_to_fit_in_an_empty_window(timeline: TimelineView) -> None:
    timeline.set_scene(Scene())
    before = (timeline.axis.start_s, timeline.axis.span_s, timeline.axis.following)
    timeline.fit()
    assert (timeline.axis.start_s, timeline.axis.span_s, timeline.axis.following) == before
