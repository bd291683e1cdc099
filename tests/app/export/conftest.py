"""The recording that these tests export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.export.exporting import export
from app.export.formats import Order, Wish
from tests.app.export.recorded import Recorded, record

SAID = ("Hello <b>there</b> --> & {\\an8}x", '=HYPERLINK("http://x")\t\r\n')

Exports = Callable[..., list[Path]]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A recording that no test changes."""
    return record(tmp_path_factory.mktemp("recorded"), SAID)


@pytest.fixture
def exports(recorded: Recorded, tmp_path: Path) -> Exports:
    """Export formats of the recording into an empty folder; return the files."""
    folder = tmp_path / "exports"
    folder.mkdir()

    def run(*formats: str, session: Path = recorded.path, **wish: object) -> list[Path]:
        return export(Order(session, Wish(formats, **wish), folder, name="out"))

    return run
