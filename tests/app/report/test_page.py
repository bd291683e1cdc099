"""``turnscope report --html``: one file that loads nothing, runs nothing, and can be mailed."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from time import thread_time
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

from app.analysis.turn_records import AudioSpan, Interruption, Response, Turn
from app.commands import cli
from app.commands.exit_codes import DEVICE_OR_FILE, OK, USAGE
from app.recordings.sources import sources_of
from app.recordings.turns_found import TurnsFound
from app.report import page
from app.report.pictures import Drawing, mark_cut
from tests.app.report.sessions import NASTY, make_missed, make_session

VOID = {"meta", "br"}
OPTIONAL = {"th", "td", "tr"}
HARMFUL = {"script", "iframe", "object", "embed", "link", "img", "base", "form", "a", "video"}


class Reader(HTMLParser):
    """Reads a page as a browser would, as far as it matters here."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.in_style = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID | OPTIONAL:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        if tag not in OPTIONAL:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["style"]:
            self.in_style += data
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)


@pytest.fixture(autouse=True)
def no_logs(monkeypatch):
    monkeypatch.setattr(cli, "set_up_logs", lambda **_: None)


def run(*arguments: object) -> int:
    return cli.main(["report", *map(str, arguments)], lambda: pytest.fail("no window"))


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == [], "every element is closed"
    return reader


def pictures(path: Path) -> list[ElementTree.Element]:
    texts = re.findall(r"<svg .*?</svg>", path.read_text(encoding="utf-8"), re.DOTALL)
    return [ElementTree.fromstring(text) for text in texts]


def test_a_page_has_findings_figures_pictures_and_words(tmp_path, capsys):
    target = tmp_path / "report.html"
    assert run(make_session(tmp_path), "--html", target) == OK
    assert capsys.readouterr().out == f"{target}\n"
    reader = read(target)
    assert "Both barge-ins came to silence late: 735 ms (median)" in reader.text
    assert reader.text.count("#1 ·") == 1
    assert reader.tags.count("svg") == 2
    assert reader.tags.count("article") == 2
    assert "mouth to silence 735 ms" in reader.text
    assert "my secret words" in reader.text
    assert target.stat().st_size < 100_000


def test_what_others_wrote_is_text_and_never_markup(tmp_path, capsys):
    target = tmp_path / "report.html"
    session = make_session(tmp_path, "a <img src=x> name", says=NASTY)
    assert run(session, "--html", target) == OK
    reader = read(target)
    assert HARMFUL.isdisjoint(reader.tags)
    assert "<script>alert(1)</script>" in reader.text
    assert "Demo <agent>" in reader.text
    assert "a <img src=x> name" in reader.text
    handlers = [each for each in reader.attributes if each[1].startswith("on")]
    assert handlers == []
    raw = target.read_text(encoding="utf-8")
    assert not any(ord(letter) < 32 and letter != "\n" for letter in raw)
    assert "\u202e" not in raw
    capsys.readouterr()


def test_a_page_loads_nothing_and_its_policy_lets_in_its_one_style(tmp_path, capsys):
    target = tmp_path / "report.html"
    assert run(make_session(tmp_path), "--html", target) == OK
    reader = read(target)
    policy = next(v for t, n, v in reader.attributes if n == "content" and "default-src" in v)
    digest = base64.b64encode(hashlib.sha256(reader.in_style.encode()).digest()).decode()
    assert policy.split("; ")[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
    assert {name for _, name, _ in reader.attributes}.isdisjoint({"style", "src", "href", "action"})
    assert "url(" not in reader.in_style
    assert "@import" not in reader.in_style
    assert "prefers-color-scheme:dark" in reader.in_style
    raw = target.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert "http://" not in raw
    assert "https://" not in raw
    capsys.readouterr()


def test_no_path_of_the_machine_is_in_a_page(tmp_path, capsys, monkeypatch):
    secret = tmp_path / "home-of-jane"
    session = make_session(secret, "talk")
    (session / "agent.wav").write_bytes(b"no audio")
    (secret / "broken").mkdir()
    (secret / "broken" / "events.jsonl").mkdir()
    target = tmp_path / "report.html"
    assert run(secret, secret / "gone", "--html", target) == DEVICE_OR_FILE
    raw = target.read_text(encoding="utf-8")
    assert "home-of-jane" not in raw
    assert "Not read: gone" in raw
    assert "Note: " in raw, "that the agent's track cannot be read"
    capsys.readouterr()


@pytest.mark.parametrize(
    ("option", "user", "agent"), [("--no-user-text", False, True), ("--no-text", False, False)]
)
def test_words_can_be_left_out_of_a_page(option, user, agent, tmp_path, capsys):
    target = tmp_path / "report.html"
    assert run(make_session(tmp_path, says="of the agent"), "--html", target, option) == OK
    text = read(target).text
    assert ("secret" in text) == user
    assert ("the agent" in text.partition("Transcript")[2]) == agent
    capsys.readouterr()


def test_a_picture_stands_to_scale(tmp_path, capsys):
    target = tmp_path / "report.html"
    assert run(make_session(tmp_path), "--html", target) == OK
    first, _ = pictures(target)
    space = "{http://www.w3.org/2000/svg}"
    bars = [each for each in first.iter(f"{space}rect") if each.get("class") == "part"]
    band = next(each for each in first.iter(f"{space}rect") if each.get("class") == "band")
    widths = [float(bar.get("width")) for bar in bars]
    # the window goes from 0.4 s before the onset to 0.8 s after silence, but no less than 2 s
    per_s = 2 * 428 / 2.0
    expected = [ms / 1000 * per_s for ms in (100, 5, 599, 1, 30)]
    assert widths == [pytest.approx(max(width, 1.5), abs=0.11) for width in expected]
    assert float(band.get("width")) == pytest.approx(0.735 * per_s, abs=0.11)
    assert float(bars[0].get("x")) == float(band.get("x"))
    waves = [each.get("class") for each in first.iter(f"{space}path")]
    assert waves.count("user") == waves.count("agent") == waves.count("lost") == 1
    capsys.readouterr()


def test_missed_interruptions_have_pictures_as_well(tmp_path, capsys):
    target = tmp_path / "report.html"
    assert run(make_missed(tmp_path), "--html", target) == OK
    reader = read(target)
    assert "Twice the user spoke over the agent" in reader.text
    assert reader.text.count("Missed interruption · 00:04.900") == 2, "a heading, and a title"
    first, _ = pictures(target)
    band = next(each for each in first.iter() if each.get("class") == "band")
    # 1.5 s of both, and 1.2 s around them
    assert float(band.get("width")) == pytest.approx(1.5 / 2.7 * 2 * 428, abs=0.11)
    assert not [each for each in first.iter() if each.get("class") == "lost"]
    capsys.readouterr()


def test_a_response_has_the_parts_that_the_window_shows():
    """Where no event tells of endpointing, the agent's part begins where the user ended."""
    told = [Response(5.0, 4.0, 3.9, 4.6, 1000.0), Response(9.0, 8.0, None, 8.7, 1000.0)]
    session = SimpleNamespace(turns=TurnsFound(responses=told))
    _, *rows = page._response_rows(session)
    assert [row[1:5] for row in rows] == [
        ["1000 ms", "–", "700 ms", "400 ms"],
        ["1000 ms", "–", "700 ms", "300 ms"],
    ]


def test_a_wave_is_where_its_samples_are():
    from app.report.pictures import _extremes, _outline

    samples = np.zeros(1000, np.int16)
    samples[500:600] = 20_000
    samples[550] = -32_768
    lows, highs = _extremes(samples, 10)
    assert list(highs) == [0, 0, 0, 0, 0, 20_000, 0, 0, 0, 0]
    assert lows[5] == -32_768
    path = _outline(lows, highs, 30 / 32_768, 0, 32)
    assert path.startswith("M0 32l2 0l2 0l2 0l2 0l2 -18l2 18")
    assert path.endswith("z")


def test_a_picture_in_a_long_session_costs_what_it_shows():
    count = 40_000
    turns = [Turn("user", 10.0 * n, 10.0 * n + 2.0) for n in range(count)]
    turns[0] = Turn("user", 0.0, None)  # it reaches into every picture
    lost = [AudioSpan("discarded", n, n + 16_000, 5.0 * n) for n in range(2 * count)]
    view = TurnsFound(user_turns=turns, agent_turns=turns[1:], spans=lost)
    drawing = Drawing(view, sources_of(None, None, None))
    cut = Interruption(1, 200_000.5, "agent", silent_at=200_001.0, user_onset=200_000.0)
    began = thread_time()
    pictures = {drawing.draw(mark_cut(cut, "a cut")) for _ in range(100)}
    assert thread_time() - began < 0.5
    (picture,) = pictures
    assert picture.count('class="user" x=') == 2, "the turn that never ended, and its own"
    assert picture.count('class="agent" x=') == 1
    assert picture.count('class="ghost"') == 1


def test_pictures_and_rows_are_left_out_where_the_page_would_grow_too_large(
    tmp_path, monkeypatch, capsys
):
    target = tmp_path / "report.html"
    session = make_session(tmp_path)
    monkeypatch.setattr(page, "PICTURES_BYTES", 1)
    assert run(session, "--html", target) == OK
    reader = read(target)
    assert reader.tags.count("svg") == 1
    assert "1 picture left out, to keep this file small." in reader.text
    monkeypatch.setattr(page, "ROWS_BYTES", 100)
    assert run(session, "--html", target, "--force") == OK
    reader = read(target)
    assert reader.tags.count("article") == 0
    assert "2 interruptions left out" in reader.text
    assert "Both barge-ins came to silence late" in reader.text, "findings are always there"
    capsys.readouterr()


def test_a_page_replaces_nothing_unless_it_is_told_to_and_never_the_recording(tmp_path, capsys):
    session = make_session(tmp_path)
    target = tmp_path / "report.html"
    target.write_text("mine")
    assert run(session, "--html", target) == USAGE
    assert target.read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    assert run(session, "--html", target, "--force") == OK
    before = (session / "user.wav").read_bytes()
    assert run(session, "--html", session / "user.wav", "--force") == USAGE
    assert (session / "user.wav").read_bytes() == before
    assert run(session, "--html", tmp_path / "no" / "report.html") == USAGE
    assert [each for each in tmp_path.iterdir() if each.name.startswith(".")] == []
    capsys.readouterr()
