"""What tests of sessions share: sessions that are over when the test is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.live.session import Session
from tests.app.session_rig import sessions


@pytest.fixture
def make(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., Session]]:
    with sessions(tmp_path, caplog) as made:
        yield made
