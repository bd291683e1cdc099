"""The helper for every thread: what its target raises is heard."""

from __future__ import annotations

import pytest

from audio.worker import Worker


@pytest.mark.parametrize("raised", [ValueError, SystemExit, KeyboardInterrupt])
def test_whatever_ends_a_thread_is_logged_and_handed_over(raised, caplog):
    def target(_stopping):
        raise raised("out of order")

    errors: list[Exception] = []
    worker = Worker("broken", target, errors.append)
    worker.start()
    assert worker.join(5)
    assert "Thread broken failed" in caplog.text
    assert "out of order" in str(errors[0])
    caplog.clear()
