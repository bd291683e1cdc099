"""A folder for recordings, and a library of it with an index of its own."""

from __future__ import annotations

import pytest

from app.library.library import Library


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "recordings"
    path.mkdir()
    return path


@pytest.fixture
def library(folder, tmp_path):
    return Library(folder, tmp_path / "cache")
