"""Fixtures for every test: the rig, and the hygiene that no test can opt out of by accident.

- No test meets a person's home, settings, keyring, sound server or screen.
- A test fails if it leaves a thread running, if Qt printed a warning, or if an error was logged
  that the test does not look at. One that expects such a thing takes the fixture (`qt_messages`,
  `error_log`), looks at the list, and clears it; taking pytest's `caplog` is looking, too.
- What computes and keeps no time is marked ``patient`` by its folder: `tools/test.sh` runs it
  beside the rest, on what that leaves of the processors. Whatever there talks to an agent, a sound
  card or a process marks itself ``real_time``.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.hygiene import collecting_errors, collecting_qt_messages, threads_left
from tests.rig.screen import Screen
from tests.rig.sound_card import SoundCard

_PRIVATE_FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
_PATIENT = (
    "app/analysis",
    "app/comparison",
    "app/export",
    "app/library",
    "app/recordings",
    "app/report",
    "app/timeline",
    "ui",
)
_REMOVED = ("ELEVENLABS_API_KEY", "PULSE_SINK", "PULSE_SOURCE")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is patient."""
    here = Path(__file__).parent
    folders = tuple(here / name for name in _PATIENT)
    for item in items:
        is_there = any(folder in item.path.parents for folder in folders)
        if is_there and item.get_closest_marker("real_time") is None:
            item.add_marker("patient")


@pytest.fixture(scope="session", autouse=True)
def control_c() -> Iterator[None]:
    """Let Ctrl+C be heard, here and in what is started: a shell's background job ignores it."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session", autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of the tests' own, without a keyring, a sound server or a key."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for name in _PRIVATE_FOLDERS:
            patch.setenv(name, str(home / name.lower()))
        for name in _REMOVED:
            patch.delenv(name, raising=False)
        patch.setenv("PULSE_SERVER", f"unix:{home}/no-sound-server")
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        patch.setenv("QT_QPA_PLATFORM", "offscreen")
        yield home


@pytest.fixture(autouse=True)
def no_thread_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test whose threads outlive it."""
    before = set(threading.enumerate())
    yield
    allowed = [
        prefix for mark in request.node.iter_markers("third_party_threads") for prefix in mark.args
    ]
    left = threads_left(before, allowed)
    if left:
        pytest.fail(f"Threads were left running: {', '.join(left)}.")


@pytest.fixture(autouse=True)
def qt_messages(private_home: Path) -> Iterator[list[str]]:
    """What Qt warned of during the test; anything that stays in the list fails it."""
    with collecting_qt_messages() as messages:
        yield messages
    if messages:
        pytest.fail("Qt warned: " + " | ".join(messages))


@pytest.fixture(autouse=True)
def error_log(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """What was logged as an error during the test; anything that stays in the list fails it."""
    with collecting_errors() as lines:
        yield lines
    if lines and "caplog" not in request.fixturenames:
        pytest.fail("Errors were logged that the test does not look at: " + " | ".join(lines))


@pytest.fixture(scope="session")
def sound_card(private_home: Path) -> Iterator[SoundCard]:
    """The virtual sound card, for this process and those it starts, until the session ends."""
    if not sys.platform.startswith("linux"):
        pytest.skip("The virtual sound card needs Linux.")
    with SoundCard() as card, card.in_this_process():
        yield card


@pytest.fixture(autouse=True)
def whole_sound_card(request: pytest.FixtureRequest) -> Iterator[None]:
    """Mend the sound card after a test that unplugged or killed something."""
    yield
    if "sound_card" in request.fixturenames:
        card: SoundCard = request.getfixturevalue("sound_card")
        card.mend()


@pytest.fixture(scope="session")
def screen(private_home: Path) -> Iterator[Screen]:
    """A virtual screen. `screen.environment()` sends a program to it; this process stays off it."""
    if not sys.platform.startswith("linux"):
        pytest.skip("The virtual screen needs Linux.")
    os.environ.pop("WAYLAND_DISPLAY", None)
    with Screen() as screen:
        yield screen
