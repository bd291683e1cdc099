"""What tests of the library share: a folder of recordings, and the panel that lists it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.fakes import FakeServices
from tests.ui.library_rig import make_recordings, panel_on_screen
from ui.library.library_panel import LibraryPanel
from ui.parts.theme import Theme


@pytest.fixture
def folder(tmp_path: Path, services: FakeServices) -> Path:
    return make_recordings(tmp_path / "recordings", services)


@pytest.fixture
def panel(services: FakeServices, theme: Theme, folder: Path) -> Iterator[LibraryPanel]:
    with panel_on_screen(services, theme, folder) as made:
        yield made
