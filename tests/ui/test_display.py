"""Which displays a window is opened on, and which would have Qt end the process."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.rig.processes import dying_with_us
from tests.rig.screen import Screen
from tests.rig.waiting import wait_until
from ui import display

pytestmark = pytest.mark.real_time

VARIABLES = (
    "DISPLAY",
    "QT_QPA_PLATFORM",
    "QT_QPA_PLATFORM_PLUGIN_PATH",
    "WAYLAND_DISPLAY",
    "WAYLAND_SOCKET",
    "XAUTHORITY",
)


@pytest.fixture
def environment(monkeypatch, tmp_path: Path):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(display, "ANSWER_S", 2.0)
    return monkeypatch.setenv


@pytest.fixture(scope="module")
def screen():
    with Screen(640, 480, window_manager=False) as shown:
        yield shown


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"DISPLAY": "localhost:10.0"},
        {"DISPLAY": ":4711"},
        {"DISPLAY": "nonsense"},
        {"WAYLAND_DISPLAY": "wayland-9"},
        {"WAYLAND_DISPLAY": "x" * 500},
        {"QT_QPA_PLATFORM": "bogus"},
        {"QT_QPA_PLATFORM": "xcb", "DISPLAY": "localhost:10.0"},
        {"QT_QPA_PLATFORM": "wayland-egl;bogus"},
    ],
)
def test_a_display_that_is_not_there_is_none(environment, variables):
    for name, value in variables.items():
        environment(name, value)
    assert not display.has_display()


@pytest.mark.parametrize(
    "variables",
    [{}, {"WAYLAND_DISPLAY": "wayland-9"}, {"QT_QPA_PLATFORM": "bogus;xcb"}],
)
def test_one_that_answers_is_enough(environment, screen, variables):
    environment("DISPLAY", screen.display)
    for name, value in variables.items():
        environment(name, value)
    began = time.monotonic()
    assert display.has_display()
    assert time.monotonic() - began < 1


def test_a_platform_without_a_screen_needs_none(environment):
    environment("QT_QPA_PLATFORM", "offscreen")
    assert display.has_display()


def test_a_wayland_socket_that_somebody_listens_at_is_one(environment, tmp_path: Path):
    environment("WAYLAND_DISPLAY", "wayland-3")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(tmp_path / "wayland-3"))
        assert not display.has_display()
        server.listen()
        assert display.has_display()


def test_a_display_that_refuses_us_is_none(environment, tmp_path: Path):
    cookies = tmp_path / "cookies"
    # one entry: any host, display, kind of cookie, cookie; each with its length before it
    fields = (b"", b"", b"MIT-MAGIC-COOKIE-1", bytes(range(16)))
    entry = b"".join(len(each).to_bytes(2, "big") + each for each in fields)
    cookies.write_bytes(b"\xff\xff" + entry)
    number = tmp_path / "number"
    with number.open("wb") as told:
        command = ["Xvfb", "-displayfd", str(told.fileno()), "-auth", str(cookies)]
        server = subprocess.Popen(
            dying_with_us(command), pass_fds=[told.fileno()], stderr=subprocess.DEVNULL
        )
    try:
        wait_until(lambda: number.read_text().endswith("\n"), 15, "the display's number")
        environment("DISPLAY", f":{number.read_text().strip()}")
        environment("XAUTHORITY", "/dev/null")
        assert not display.has_display()
        environment("XAUTHORITY", str(cookies))
        assert display.has_display()
    finally:
        server.terminate()
        server.wait(10)
