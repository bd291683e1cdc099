"""Work off the main thread: the latest request is answered, none is lost at the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from tests.rig.waiting import wait_until
from tests.ui.conftest import Until, bury
from ui.parts.background import Background


@pytest.fixture
def background(application: QApplication) -> Iterator[Background]:
    made = Background("test work")
    yield made
    made.close()
    made.deleteLater()


def test_the_answer_comes_back_on_the_main_thread(background: Background, until: Until) -> None:
    answers: list[tuple[object, bool]] = []
    background.run(
        lambda: threading.current_thread().name,
        lambda name: answers.append((name, threading.current_thread() is threading.main_thread())),
    )
    until(lambda: answers)
    assert answers == [("test work", True)]


def test_of_several_requests_the_latest_is_answered(background: Background, until: Until) -> None:
    gate, answers, done = threading.Event(), list[int](), list[int]()

    def work(number: int) -> int:
        gate.wait(5)
        done.append(number)
        return number

    for number in range(5):
        background.run(lambda number=number: work(number), answers.append)
    gate.set()
    until(lambda: answers)
    assert answers == [4]
    assert len(done) <= 2


def test_an_error_goes_to_the_one_who_asked(background: Background, until: Until) -> None:
    errors: list[Exception] = []
    background.run(lambda: 1 / 0, lambda _: None, errors.append)
    until(lambda: errors)
    assert isinstance(errors[0], ZeroDivisionError)


def test_finishing_waits_for_what_was_asked_a_moment_ago(background: Background) -> None:
    done: list[bool] = []
    background.run(lambda: done.append(True), lambda _: None)
    assert background.finish()
    assert done == [True]


def test_an_answer_that_comes_after_the_window_has_gone_is_dropped(
    application: QApplication,
) -> None:
    gate, threads = threading.Event(), list[threading.Thread]()

    def work() -> None:
        threads.append(threading.current_thread())
        gate.wait(5)

    made = Background("test work")
    made.run(work, lambda _: None)
    wait_until(lambda: threads)
    made.close(0.0)
    made.deleteLater()
    bury()
    gate.set()
    threads[0].join(5)  # and nothing was logged as an error
    assert not threads[0].is_alive()
