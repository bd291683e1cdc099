"""The turns: what each response latency is made of, in figures and as dots over the session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from time import thread_time

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from app.analysis.limits import Limits
from app.analysis.turn_records import Response
from tests.ui.conftest import bury
from ui.lanes.scene import Turn
from ui.panels.latencies import Dot
from ui.panels.latency_chart import LatencyChart, nice_top
from ui.panels.turn_rows import TurnRow, merge_turns
from ui.panels.turns_panel import TurnsPanel
from ui.parts.theme import Theme

HEADINGS = (
    *("Time", "Who", "Length", "Silence", "Response latency", "Endpointing", "Agent", "Playout"),
    *("Underruns", "Ahead"),
)
LATENCY = HEADINGS.index("Response latency")


@pytest.fixture
def panel(theme: Theme) -> Iterator[TurnsPanel]:
    made = TurnsPanel(theme)
    made.resize(1240, 240)
    made.show()
    QCoreApplication.processEvents()
    yield made
    made.deleteLater()
    bury()


def cells(panel: TurnsPanel, column: str) -> list[str]:
    number = HEADINGS.index(column)
    model = panel.table.model()
    assert model.headerData(number, Qt.Orientation.Horizontal) == column
    return [model.data(model.index(row, number)) for row in range(model.rowCount())]


ANSWER = Response(
    2.5,
    user_stop=2.0,
    endpointed_at=2.2,
    first_chunk_at=2.4,
    latency_ms=500.0,
    underruns=2,
    underrun_ms=130.0,
    least_lead_ms=-20.0,
    median_lead_ms=400.0,
)


def rows_of(panel: TurnsPanel) -> list[TurnRow]:
    return [panel.model.record(row) for row in range(panel.model.rowCount())]


def test_turns_of_both_parties_stand_in_order_each_with_its_own_response() -> None:
    greeting = Response(0.5)
    rows = merge_turns([(1.0, 2.0)], [(0.5, 0.9), (2.5, 8.0), (9.5, None)], [greeting, ANSWER])
    assert [row.who for row in rows] == ["agent", "user", "agent", "agent"]
    assert [row.response for row in rows] == [greeting, None, ANSWER, None]


def test_a_response_latency_is_told_with_its_parts_which_sum_up_to_it(panel: TurnsPanel) -> None:
    panel.show_turns([(1.0, 2.0)], [(2.5, 8.0)], [ANSWER])
    row = {heading: cells(panel, heading)[1] for heading in HEADINGS}
    assert row["Response latency"] == "500 ms"
    assert (row["Endpointing"], row["Agent"], row["Playout"]) == ("200 ms", "200 ms", "100 ms")
    assert row["Underruns"] == "2 (130 ms)"
    assert row["Ahead"] == "−20 ms"
    tip = panel.table.model().index(1, HEADINGS.index("Ahead"))
    assert panel.table.model().data(tip, Qt.ItemDataRole.ToolTipRole) == "Median 400 ms"
    assert row["Length"] == "5.50 s"


def test_parts_that_no_event_tells_are_dashes_and_estimates_say_so(panel: TurnsPanel) -> None:
    bare = Response(2.5, user_stop=2.0, first_chunk_at=2.4, latency_ms=500.0, estimated=True)
    panel.show_turns([(1.0, 2.0)], [(0.2, 0.8), (2.5, None)], [Response(0.2), bare])
    assert cells(panel, "Response latency") == ["–", "–", "≈ 500 ms"]
    assert cells(panel, "Endpointing") == ["–", "–", "–"]
    assert cells(panel, "Agent") == ["–", "–", "≈ 400 ms"]
    assert cells(panel, "Ahead") == ["–"] * 3
    assert cells(panel, "Length") == ["0.60 s", "1.00 s", "going on"]
    late = replace(bare, endpointed_at=2.45, estimated=False)
    panel.show_turns([(1.0, 2.0)], [(0.2, 0.8), (2.5, None)], [Response(0.2), late])
    assert cells(panel, "Agent")[2] == "−50 ms"


def test_the_silence_before_a_turn_is_from_the_end_of_the_others_turn(panel: TurnsPanel) -> None:
    user: list[Turn] = [(2.0, 3.0), (6.0, 9.0)]
    agent: list[Turn] = [(0.5, 1.25), (3.75, 5.0), (5.5, 6.5)]
    panel.show_turns(user, agent, [])
    # none before the first, between two of one party, nor where they overlap
    assert cells(panel, "Silence") == ["–", "750 ms", "750 ms", "–", "–"]
    agent.append((9.125, None))
    panel.show_turns(user, agent, [])
    assert cells(panel, "Silence")[-1] == "125 ms"
    user[1] = (6.0, 9.0625)
    panel.show_turns(user, agent, [])
    assert cells(panel, "Silence")[-1] == "62 ms"
    panel.table.sortByColumn(HEADINGS.index("Silence"), Qt.SortOrder.AscendingOrder)
    assert cells(panel, "Silence") == ["62 ms", "750 ms", "750 ms", *["–"] * 3]
    tip = panel.model.headerData(3, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert "in ms" in tip


def test_no_heading_is_cut_and_all_columns_are_seen_in_a_small_window(panel: TurnsPanel) -> None:
    panel.resize(1264, 160)
    panel.show_turns(*many(30))
    QCoreApplication.processEvents()
    header = panel.table.horizontalHeader()
    texts = [header.fontMetrics().horizontalAdvance(heading) for heading in HEADINGS]
    margin = 2 * 11  # what the style sheet leaves beside a heading
    cut = [
        heading
        for number, (heading, width) in enumerate(zip(HEADINGS, texts, strict=True))
        if width + margin > header.sectionSize(number)
    ]
    assert not cut
    assert panel.table.verticalScrollBar().maximum() > 0
    assert panel.table.horizontalScrollBar().maximum() == 0


def test_an_estimated_figure_is_not_cut(panel: TurnsPanel) -> None:
    times = {"user_stop": 1.0, "endpointed_at": 2.5, "first_chunk_at": 4.0, "latency_ms": 4500.0}
    panel.show_turns([(0.0, 1.0)], [(5.5, None)], [Response(5.5, estimated=True, **times)])
    for heading in ("Silence", "Response latency", "Endpointing", "Agent", "Playout", "Length"):
        index = panel.table.model().index(1, HEADINGS.index(heading))
        assert index.data().startswith("going on" if heading == "Length" else "≈ ")
        wanted = panel.table.sizeHintForIndex(index).width()
        assert wanted <= panel.table.columnWidth(index.column()), heading


def many(count: int) -> tuple[list[Turn], list[Turn], list[Response]]:
    user: list[Turn] = [(n * 10.0, n * 10.0 + 3) for n in range(count)]
    agent: list[Turn] = [(n * 10.0 + 4 + n % 7 / 10, n * 10.0 + 9) for n in range(count)]
    responses = [
        Response(at, user_stop=stop, latency_ms=(at - stop) * 1e3)
        for (_, stop), (at, _) in zip(user, agent, strict=True)
    ]
    return user, agent, responses


def test_the_title_tells_median_p95_worst_and_how_many_are_over(panel: TurnsPanel) -> None:
    panel.show_turns(*many(7))
    said = panel.title_widgets()[0]
    assert said.text() == "response latency: p50 1300 ms, p95 1570 ms, worst 1600 ms of 7, 1 over"
    panel.set_limits(Limits(response_latency_ms=1250))
    assert said.text().endswith(", 4 over")
    panel.show_turns([], [], [])
    assert said.text() == ""


def test_what_is_over_the_limit_is_coloured_and_another_limit_colours_anew(
    panel: TurnsPanel, theme: Theme
) -> None:
    panel.show_turns(*many(3))
    model = panel.table.model()
    over = model.index(5, LATENCY)
    role = Qt.ItemDataRole.ForegroundRole
    assert model.data(over, role) is None
    chosen: list[float] = []
    panel.limit_changed.connect(chosen.append)
    panel.limit.setValue(1150)
    assert chosen == [1150.0]
    panel.set_limits(Limits(response_latency_ms=1150))
    assert model.data(over, role) == QColor(theme.colours.warning)
    assert model.data(over, Qt.ItemDataRole.ToolTipRole) == "Over the limit"
    assert model.data(model.index(3, LATENCY), role) is None
    assert chosen == [1150.0]


def test_a_heading_sorts_with_what_is_unknown_last_and_a_row_still_leads_to_its_turn(
    panel: TurnsPanel,
) -> None:
    user, agent, responses = many(4)
    panel.show_turns(user, agent, responses)
    moments: list[float] = []
    panel.moment_chosen.connect(moments.append)
    for order, latencies in (
        (Qt.SortOrder.AscendingOrder, ["1000 ms", "1100 ms", "1200 ms", "1300 ms"]),
        (Qt.SortOrder.DescendingOrder, ["1300 ms", "1200 ms", "1100 ms", "1000 ms"]),
    ):
        panel.table.sortByColumn(LATENCY, order)
        assert cells(panel, "Response latency") == [*latencies, *["–"] * 4]
    panel.table.clicked.emit(panel.table.model().index(0, 0))
    assert moments == [agent[3][0]]
    agent.append((50.0, 51.0))
    responses.append(Response(50.0, latency_ms=5000.0))
    panel.show_turns(user, agent, responses)
    assert cells(panel, "Response latency")[0] == "5000 ms"
    panel.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert cells(panel, "Time") == sorted(cells(panel, "Time"))


def test_two_thousand_turns_open_at_once_and_a_change_is_cheap(panel: TurnsPanel) -> None:
    user, agent, responses = many(1000)
    began = thread_time()
    panel.show_turns(user, agent, responses)
    QCoreApplication.processEvents()
    assert thread_time() - began < 0.3
    assert panel.table.model().rowCount() == 2000
    began = thread_time()
    for number in range(20):
        agent.append((10_010.0 + 10 * number, None))
        responses.append(Response(agent[-1][0], latency_ms=900.0))
        panel.show_turns(user, agent, responses)
    assert (thread_time() - began) / 20 < 0.01


def test_rows_that_are_brought_up_to_date_are_those_of_all_turns(panel: TurnsPanel) -> None:
    random = Random(5)
    user: list[Turn] = []
    agent: list[Turn] = []
    responses: list[Response] = []
    for t in range(400):
        party = random.choice((user, agent))
        if party and party[-1][1] is None:
            party[-1] = (party[-1][0], t + random.random())
            continue
        party.append((t + random.random(), None))
        if party is agent:
            responses.append(Response(agent[-1][0], latency_ms=random.random()))
        if responses and random.random() < 0.3:
            responses[-1] = replace(responses[-1], underruns=responses[-1].underruns + 1)
        if random.random() < 0.5:
            panel.show_turns(user, agent, responses)
            assert rows_of(panel) == merge_turns(user, agent, responses)


def test_a_turn_and_a_response_long_past_are_shown_as_they_were_corrected(
    panel: TurnsPanel,
) -> None:
    user, agent, responses = many(40)
    panel.show_turns(user, agent, responses)
    user[3] = (user[3][0], user[3][1] + 0.25)
    panel.show_turns(user, agent, responses)
    assert rows_of(panel) == merge_turns(user, agent, responses)
    responses[5] = replace(responses[5], latency_ms=4321.0)
    panel.show_turns(user, agent, responses)
    assert cells(panel, "Response latency").count("4321 ms") == 1
    del agent[7]
    panel.show_turns(user, agent, responses)
    assert rows_of(panel) == merge_turns(user, agent, responses)


def test_a_figure_over_its_limit_keeps_its_colour_where_its_row_is_selected(
    panel: TurnsPanel, theme: Theme
) -> None:
    panel.show_turns(*many(3))
    panel.set_limits(Limits(response_latency_ms=1.0))
    panel.table.selectRow(1)
    delegate, index = panel.table.itemDelegate(), panel.rows.index(1, LATENCY)
    option = QStyleOptionViewItem()
    option.state |= QStyle.StateFlag.State_Selected
    delegate.initStyleOption(option, index)
    written = option.palette.color(QPalette.ColorRole.HighlightedText)
    assert written == QColor(theme.colours.warning)


def test_home_and_end_go_to_the_first_row_and_the_last(panel: TurnsPanel) -> None:
    panel.table.setFocus()
    QTest.keyClick(panel.table, Qt.Key.Key_End)  # none is there
    panel.show_turns(*many(30))
    for key, row in ((Qt.Key.Key_End, 59), (Qt.Key.Key_Home, 0)):
        QTest.keyClick(panel.table, key)
        assert [index.row() for index in panel.table.selectionModel().selectedRows()] == [row]


# --- the chart


@pytest.fixture
def chart(theme: Theme) -> Iterator[LatencyChart]:
    made = LatencyChart(theme)
    made.resize(320, 160)
    made.show()
    QCoreApplication.processEvents()
    yield made
    made.deleteLater()
    bury()


def test_a_dot_is_where_its_time_and_its_latency_are_and_a_click_goes_there(
    chart: LatencyChart,
) -> None:
    dots = [Dot(10.0, 800.0), Dot(50.0, 2400.0), Dot(90.0, 1000.0)]
    chart.show_dots(dots, 1500.0, 100.0)
    places = [chart.place_of(dot) for dot in dots]
    assert places[0].x() < places[1].x() < places[2].x()
    assert places[1].y() < places[2].y() < places[0].y()
    assert [chart.dot_at(place + QPointF(3, -2)) for place in places] == [0, 1, 2]
    assert chart.dot_at(QPointF(places[0].x(), places[1].y())) is None
    moments: list[float] = []
    chart.moment_chosen.connect(moments.append)
    QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=places[2].toPoint())
    QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    assert moments == [90.0]
    assert chart.tip_of(1) == "00:00:50.000: response latency 2400 ms, over the limit"


def test_the_arrows_walk_from_dot_to_dot(chart: LatencyChart) -> None:
    moments: list[float] = []
    chart.moment_chosen.connect(moments.append)
    QTest.keyClick(chart, Qt.Key.Key_Right)
    chart.show_dots([Dot(float(n), 500.0) for n in range(5)], 1500.0, 10.0)
    keys = (Qt.Key.Key_End, Qt.Key.Key_Left, Qt.Key.Key_Return, Qt.Key.Key_Home, Qt.Key.Key_Return)
    for key in keys:
        QTest.keyClick(chart, key)
    assert moments == [3.0, 0.0]
    chart.show_dots([], 1500.0, 0.0)
    QTest.keyClick(chart, Qt.Key.Key_Return)
    assert moments == [3.0, 0.0]


def test_dots_are_drawn_in_the_colour_of_what_they_mean(chart: LatencyChart, theme: Theme) -> None:
    chart.show_dots([Dot(20.0, 500.0), Dot(60.0, 2000.0)], 1500.0, 100.0)
    image = chart.grab().toImage()
    found = [
        image.pixelColor(chart.place_of(dot).toPoint())
        for dot in (Dot(20.0, 500.0), Dot(60.0, 2000.0))
    ]
    assert found == [QColor(theme.colours.agent), QColor(theme.colours.warning)]


def test_a_chart_of_many_dots_is_drawn_in_little_time(chart: LatencyChart) -> None:
    chart.show_dots([Dot(n / 10, 500.0 + n % 2900) for n in range(5000)], 1500.0, 500.0)
    chart.grab()
    began = thread_time()
    chart.grab()
    assert thread_time() - began < 0.025


def test_the_axis_ends_in_a_round_number() -> None:
    assert [nice_top(ms) for ms in (0, 1, 99, 1575, 2400)] == [1, 1, 100, 2000, 2500]


def test_dots_that_are_the_same_are_not_drawn_again(
    chart: LatencyChart, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    monkeypatch.setattr(chart, "update", lambda: drawn.append(1))
    for latency_ms in (500.0, 500.0, 600.0):
        chart.show_dots([Dot(1.0, latency_ms)], 1500.0, 10.0)
    assert len(drawn) == 2
