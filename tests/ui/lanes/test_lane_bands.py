"""What stands in the lanes between the parties: speech in turns, overlaps, bands, missed ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from time import thread_time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.analysis.limits import Limits
from app.analysis.turn_records import Interruption
from app.timeline.events import AgentHeard, Event, SpeechEnded, SpeechStarted
from tests.app.wild_session import WildSession
from tests.ui.conftest import bury
from tests.ui.synthetic import RATE, SyntheticSession
from ui.feed import SessionFeed, both_of, mark_of
from ui.lanes.lane_bands import texts_of
from ui.lanes.lane_tips import in_lines, tip_at
from ui.lanes.scene import Both, Mark, Scene, Stretch
from ui.lanes.shifted_scene import ShiftedScene
from ui.lanes.timeline_view import TimelineView
from ui.parts.icons import Icons
from ui.parts.theme import LIGHT, Theme, blend


@pytest.fixture
def timeline(theme: Theme) -> Iterator[TimelineView]:
    """A minute with a barge-in at 20 s, a missed one at 40 s and an overlap at 50 s."""
    made = TimelineView(theme, Icons(theme))
    made.resize(1000, 500)
    made.show()
    scene = Scene(now_s=60.0)
    scene.marks = [Mark(1, 20.6, 20.65, "silent in 50 ms", "50 ms", onset=20.0, kind="late")]
    scene.overlaps = [Both(20.0, 20.65), Both(40.0, 42.0, "missed"), Both(50.0, 51.0)]
    scene.user.turns, scene.user.speech = [(20.0, 24.0)], [(20.0, 21.0), (23.0, 24.0)]
    made.set_scene(scene)
    made.axis.show(18.0, 54.0)
    QApplication.processEvents()
    yield made
    made.close()
    made.deleteLater()
    bury()


def picture(timeline: TimelineView) -> QImage:
    return timeline.lanes.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def colour_at(timeline: TimelineView, t: float, y: int) -> str:
    return picture(timeline).pixelColor(round(timeline.lanes.x_of(t)), y).name()


def test_an_overlap_is_shaded_and_a_missed_interruption_is_marked_without_a_number(
    timeline: TimelineView,
) -> None:
    lane = timeline.lanes.geometry_of.lane(0)
    assert colour_at(timeline, 45.3, lane.top() + 5) == LIGHT.base
    assert colour_at(timeline, 50.5, lane.top() + 5) != LIGHT.base
    bottom = timeline.lanes.geometry_of.bottom
    assert colour_at(timeline, 41.0, bottom) == LIGHT.interruption
    assert colour_at(timeline, 50.5, bottom) != LIGHT.interruption
    assert texts_of(timeline.scene.overlaps[1]) == ("missed, 2 s", "missed")


def test_the_band_of_an_interruption_goes_from_onset_to_silence(timeline: TimelineView) -> None:
    timeline.axis.show(19.5, 21.5)
    bottom = timeline.lanes.geometry_of.bottom
    reds = [colour_at(timeline, t, bottom) == LIGHT.interruption for t in (19.9, 20.1, 20.62, 20.8)]
    assert reds == [False, True, True, False]
    lane = timeline.lanes.geometry_of.lane(0)
    onset, call = (colour_at(timeline, t, lane.top() + 5) for t in (20.3, 20.63))
    assert onset != call


def test_of_many_interruptions_on_end_the_first_is_a_line_and_the_waves_show_through_the_rest(
    timeline: TimelineView,
) -> None:
    scene = timeline.scene
    scene.overlaps = []
    scene.marks = [Mark(n, 30.0 + n / 1000, 30.1 + n / 1000, "", "") for n in range(5000)]
    geometry = timeline.lanes.geometry_of
    y = geometry.lane(0).top() + 20
    assert colour_at(timeline, 30.0, y) == LIGHT.interruption
    amid = {colour_at(timeline, t, y) for t in (31.0, 32.0, 33.0)}
    assert LIGHT.interruption not in amid
    assert colour_at(timeline, 32.0, geometry.bottom + 1) == LIGHT.interruption
    scene.marks = [Mark(n, 30.0 + n, 30.1 + n, "", "") for n in range(5)]  # far apart again
    scene.version += 1
    assert {colour_at(timeline, 30.0 + n, y) for n in range(5)} == {LIGHT.interruption}


def test_a_band_is_drawn_though_its_call_is_out_of_view(timeline: TimelineView) -> None:
    timeline.axis.show(20.1, 20.3)
    bottom = timeline.lanes.geometry_of.bottom
    assert colour_at(timeline, 20.2, bottom) == LIGHT.interruption


def test_a_band_of_half_a_minute_is_drawn_in_the_middle_of_it(timeline: TimelineView) -> None:
    scene = timeline.scene
    scene.marks = [Mark(1, 50.0, 50.1, "", "", onset=20.0), Mark(2, 55.0, 58.0, "", "")]
    timeline.axis.show(24.0, 25.0)
    bottom = timeline.lanes.geometry_of.bottom
    assert colour_at(timeline, 24.5, bottom) == LIGHT.interruption


def test_speech_stands_in_its_turn(timeline: TimelineView) -> None:
    y = timeline.lanes.geometry_of.lane(0).bottom() + 6
    assert colour_at(timeline, 20.5, y) == LIGHT.user
    assert colour_at(timeline, 22.3, y) == blend(LIGHT.user, LIGHT.base, 0.4).name()
    assert colour_at(timeline, 30.3, y) == LIGHT.base


def test_many_overlaps_cost_no_more_than_a_frame_has(timeline: TimelineView) -> None:
    scene = timeline.scene
    scene.now_s = 7200.0
    scene.overlaps = [Both(7.0 * n, 7.0 * n + 3, "missed" if n % 9 else "") for n in range(1000)]
    scene.version += 1
    timeline.fit()
    timeline.lanes.grab()
    began = thread_time()
    for _ in range(10):
        timeline.lanes.grab()
    assert (thread_time() - began) / 10 < 0.025


def test_what_is_kept_of_unheard_audio_is_bounded(timeline: TimelineView) -> None:
    painter, silent = timeline.lanes._painter, np.zeros(1, np.int16)
    for number in range(10_000):
        painter._loudness(Stretch(number, number + 1, 0.0), lambda *_: (silent, silent))
    assert 0 < len(painter._heights) <= 8192


def test_what_is_under_the_pointer_is_told(timeline: TimelineView) -> None:
    lanes, scene = timeline.lanes, timeline.scene
    y = lanes.geometry_of.lane(0).center().y()

    def tip(t: float) -> str:
        return tip_at(QPoint(round(lanes.x_of(t)), y), lanes.geometry_of, scene)

    assert tip(41.0).startswith("Missed interruption")
    assert "both spoke for 2 s" in tip(41.0)
    assert "late, silent in 50 ms" in tip(20.6)
    assert max(len(line) for line in in_lines(tip(20.6)).splitlines()) <= 72 < len(tip(20.6))
    assert "650 ms before silence" in tip(20.6)
    assert not tip(45.0)


def test_a_double_click_on_an_overlap_opens_it(timeline: TimelineView) -> None:
    told: list[float] = []
    timeline.overlap_activated.connect(told.append)
    place = QPoint(round(timeline.lanes.x_of(41.0)), 150)
    QTest.mouseDClick(timeline.lanes, Qt.MouseButton.LeftButton, pos=place)
    assert told == [40.0]


# -- from events -----------------------------------------------------------------------------------


def feed_of(*events: Event) -> SessionFeed:
    session = SyntheticSession()
    for event in events:
        session.timeline.append(event)
    feed = SessionFeed(session)
    feed.advance()
    return feed


def test_speech_is_what_vad_found_and_what_left_the_speaker() -> None:
    feed = feed_of(
        SpeechStarted(1.0, 1.1),
        SpeechEnded(1.5, 1.8),
        SpeechStarted(2.0, 2.1),
        AgentHeard(4.0, 0, RATE, 3.0),
        AgentHeard(6.5, RATE, 2 * RATE, 5.5),
    )
    assert feed.scene.user.speech == [(1.0, 1.5), (2.0, None)]
    assert feed.scene.agent.speech == [(3.0, 4.0), (5.5, 6.5)]


@pytest.mark.parametrize("seed", range(6))
def test_speech_and_overlaps_that_are_brought_up_to_date_are_those_of_all(seed: int) -> None:
    session, events = SyntheticSession(), WildSession(seed).events
    feed = SessionFeed(session)
    step = int(np.random.default_rng(seed).integers(1, 20))
    for first in range(0, len(events), step):
        for event in events[first : first + step]:
            session.timeline.append(event)
        feed.advance()
        tracker, scene = feed.tracker, feed.scene
        assert scene.overlaps == [both_of(each, Limits()) for each in tracker.overlaps]
        heard = [span for span in tracker.settled_spans if span.kind == "heard"]
        assert scene.agent.speech == [(s.at, s.at + (s.stop - s.start) / RATE) for s in heard]


def test_other_limits_make_other_classes_of_what_is_there() -> None:
    session = SyntheticSession()
    session.advance_to(12.0)
    feed = SessionFeed(session)
    feed.advance()
    assert feed.scene.marks[0].kind == "late"
    changes = feed.changes
    feed.set_limits(Limits(mouth_to_silence_ms=700))
    assert feed.scene.marks[0].kind == "barge-in"
    assert feed.changes > changes


def test_a_shifted_scene_has_all_of_it_later() -> None:
    source = Scene(marks=[mark_of(Interruption(1, 5.0, "agent", user_onset=4.5))])
    source.overlaps = [Both(4.5, None), Both(7.0, 8.0, "missed")]
    source.user.speech = [(4.5, None)]
    shifted = ShiftedScene(source)
    shifted.move(2.0)
    scene = shifted.scene
    assert scene.marks == [replace(source.marks[0], at=7.0, onset=6.5)]
    assert scene.overlaps == [Both(6.5, None), Both(9.0, 10.0, "missed")]
    assert scene.user.speech == [(6.5, None)]
