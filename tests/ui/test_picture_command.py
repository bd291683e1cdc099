"""Pictures of the timeline from the command line, read back by Qt's own readers."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from app.bundles.notes import Marker, Notes, save_notes
from app.commands import cli
from tests.ui.bundles import write_audio, write_bundle
from ui.parts.theme import DARK, LIGHT
from ui.picture_command import draw


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path, application) -> Path:
    monkeypatch.setattr(cli, "set_up_logs", lambda **_: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def exported(session: Path, kind: str, *arguments: str) -> bytes:
    path = Path(f"out.{kind}")
    typed = ["export", str(session), "--format", kind, "--out", str(path), "--force", *arguments]
    assert cli.main(typed, lambda: pytest.fail("no window"), lambda: draw) == 0
    return path.read_bytes()


def picture(session: Path, *arguments: str) -> QImage:
    image = QImage.fromData(exported(session, "png", *arguments), "PNG")
    assert not image.isNull()
    return image.convertToFormat(QImage.Format.Format_RGB32)


def places(image: QImage, colour: str) -> np.ndarray:
    """Where pixels have just this colour: rows and columns."""
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1) & 0xFFFFFF
    return np.argwhere(pixels == int(colour[1:], 16))


def test_both_lanes_and_each_interruption_are_in_it(here):
    image = picture(write_bundle(here / "talk", 3))
    assert (image.width(), image.height()) == (1600, 500)
    user, agent = places(image, LIGHT.user), places(image, LIGHT.agent)
    assert len(user) > 2000
    assert len(agent) > 2000
    assert user[:, 0].max() < agent[:, 0].min() + 100, "the user's lane is the upper one"
    bands = np.bincount(places(image, LIGHT.interruption)[:, 1], minlength=1600)
    lines = np.flatnonzero(bands > 300)
    assert 1 + np.count_nonzero(np.diff(lines) > 5) == 3


def test_it_is_light_or_dark(here):
    talk = write_bundle(here / "talk", 1)
    for colours, theme in ((LIGHT, "light"), (DARK, "dark")):
        image = picture(talk, "--theme", theme, "--size", "640x300")
        assert (image.width(), image.height()) == (640, 300)
        assert image.pixelColor(400, 40).name() == colours.base
        assert len(places(image, colours.user)) > 100


def test_an_svg_tells_interruptions_in_words(here):
    content = exported(write_bundle(here / "talk", 2), "svg", "--size", "1200x400")
    root = ElementTree.fromstring(content)
    said = "".join("".join(each.itertext()) for each in root.iter() if each.tag.endswith("text"))
    assert "#1" in said
    assert "#2" in said
    assert root.find("{http://www.w3.org/2000/svg}title").text == "talk"
    renderer = QSvgRenderer(QByteArray(content))
    assert (renderer.viewBox().width(), renderer.viewBox().height()) == (1200, 400)
    image = QImage(1200, 400, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    for colour in (LIGHT.user, LIGHT.agent, LIGHT.interruption):
        assert len(places(image, colour)) > 200


def test_a_selection_is_all_that_is_drawn(here):
    talk = write_bundle(here / "talk", 3)
    save_notes(talk, Notes(markers=(Marker(1.0, "before it"), Marker(7.5, "inside of it"))))
    content = exported(talk, "svg", "--from", "6.5", "--to", "8.5")
    root = ElementTree.fromstring(content)
    said = " ".join("".join(each.itertext()) for each in root.iter() if each.tag.endswith("text"))
    assert "0:06.6" in said
    assert "inside of it" in said
    assert "before it" not in said
    assert "#" not in said, "no interruption is there"
    image = picture(talk, "--from", "4", "--to", "7")
    bands = np.bincount(places(image, LIGHT.interruption)[:, 1], minlength=1600)
    assert 1 + np.count_nonzero(np.diff(np.flatnonzero(bands > 300)) > 5) == 1


def test_a_fine_view_shows_the_samples_themselves(here):
    tone = write_audio(here / "tone.wav", channels=1)
    image = picture(tone, "--from", "1", "--to", "1.02")
    empty = np.bincount(places(image, LIGHT.base)[:, 1], minlength=1600)[80:]
    assert np.median(empty) > 420, "the wave is a line: bins of 256 samples fill half the lane"
    assert len(places(picture(tone), LIGHT.user)) > 100_000


def test_an_audio_file_of_one_channel_has_one_lane(here):
    image = picture(write_audio(here / "one.wav", channels=1))
    assert len(places(image, LIGHT.user)) > 10_000
    assert not len(places(image, LIGHT.agent))
    image = picture(write_audio(here / "two.wav", channels=2))
    assert len(places(image, LIGHT.user)) > 10_000
    assert len(places(image, LIGHT.agent)) > 10_000


def test_what_was_not_recorded_is_marked(here):
    whole = picture(write_bundle(here / "whole", 2))
    gapped = picture(write_bundle(here / "gapped", 2, gap=(9.0, 12.0)))
    differing = places(gapped, LIGHT.base)[:, 1], places(whole, LIGHT.base)[:, 1]
    counts = [np.bincount(each, minlength=1600) for each in differing]
    x = round(72 + 10.5 / (28.0 * 1.01) * (1600 - 72))
    assert counts[0][x - 20 : x + 20].max() < counts[1][x - 20 : x + 20].min() / 2


def test_a_session_without_anything_is_drawn_too(here):
    talk = write_bundle(here / "talk", 1)
    for track in ("user", "agent", "received"):
        (talk / f"{track}.wav").unlink()
    (talk / "events.jsonl").unlink()
    image = picture(talk)
    assert (image.width(), image.height()) == (1600, 500)
    assert len(places(image, LIGHT.base)) > 100_000
