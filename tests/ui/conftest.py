"""Fixtures of the window's tests: real windows on Qt's offscreen platform, and none left behind."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from tests.ui.fakes import FakeServices
from tests.ui.state_told import state_of
from tests.ui.synthetic import SyntheticSession
from ui.application import create_application
from ui.main_window import MainWindow
from ui.parts.theme import Theme

Until = Callable[..., None]


POLL_S = 0.002


def wait_until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Let Qt work until ``condition`` holds; fail when it does not in time.

    Between two looks the thread sleeps, as that of a window does: one that only asks takes a core,
    and the interpreter's lock, from the threads it waits for.
    """
    deadline = monotonic() + within_s
    QCoreApplication.processEvents()
    while not condition():
        if monotonic() > deadline:
            pytest.fail("What was waited for did not come about.")
        sleep(POLL_S)
        QCoreApplication.processEvents()


def bury() -> None:
    """Delete what asked to be deleted."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()


def close_for_good(window: MainWindow, until: Until) -> None:
    """Close a window, and wait until it is gone."""
    gone: list[bool] = []
    window.closed.connect(lambda: gone.append(True))
    window.close()
    until(lambda: gone)
    window.deleteLater()
    bury()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a failure of a test tell what its window showed: what failed once may not fail again."""
    report = yield
    window = getattr(item, "funcargs", {}).get("window")
    if report.when == "call" and report.failed and isinstance(window, MainWindow):
        report.sections.append(("The window", state_of(window)))
    return report


@pytest.fixture(scope="session")
def application(private_home: Path) -> QApplication:
    return create_application()


@pytest.fixture(autouse=True)
def no_widget_left(application: QApplication) -> Iterator[None]:
    """Fail a test whose widgets outlive it."""
    yield
    bury()
    left = application.topLevelWidgets()
    names = [f"{type(each).__name__} {each.objectName()}" for each in left]
    for each in left:
        each.deleteLater()
    bury()
    if names:
        pytest.fail(f"Widgets were left: {', '.join(names)}.")


@pytest.fixture
def until() -> Until:
    return wait_until


@pytest.fixture
def theme(application: QApplication) -> Iterator[Theme]:
    made = Theme(application, "light")
    yield made
    made.deleteLater()


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


@pytest.fixture
def window(services: FakeServices, theme: Theme) -> Iterator[MainWindow]:
    """The window on screen; it is closed and gone after the test."""
    made = MainWindow(services, theme)
    gone: list[bool] = []
    made.closed.connect(lambda: gone.append(True))
    made.resize(1280, 800)
    made.show()
    QCoreApplication.processEvents()
    yield made
    made.close()
    wait_until(lambda: gone)
    made.deleteLater()
    bury()


@pytest.fixture
def running(window: MainWindow, services: FakeServices) -> SyntheticSession:
    """A session that runs in the window; the test moves its clock."""
    window.start()
    wait_until(lambda: services.sessions and window.desk.state == "running")
    window.frame_clock.tick()
    return services.sessions[-1]


def frames(window: MainWindow, count: int = 20) -> None:
    """Draw some frames at once; enough for every panel to be brought up to date."""
    for _ in range(count):
        window.frame_clock.tick()
