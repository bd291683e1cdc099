"""Settings that are remembered, broken, old, new, or cannot be written."""

from __future__ import annotations

import json
import os

import pytest

from app.notices import NoticeBoard
from app.settings import Settings, SettingsFile


@pytest.fixture
def notices():
    return NoticeBoard()


@pytest.fixture
def file(tmp_path, notices):
    return SettingsFile(tmp_path / "deep" / "settings.json", notices)


def test_what_was_saved_is_there_again(file, notices):
    settings = Settings(agent="elevenlabs", agent_id="a1", microphone="Headset ü", mic_file="/a b")
    settings.screen["lanes"] = {"height": 300}
    assert file.save(settings)
    assert file.load() == settings
    assert not notices.read()[0]


def test_without_a_file_the_defaults_hold_and_nobody_is_told(file, notices):
    assert file.load() == Settings()
    assert not notices.read()[0]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe\x00", b"[" * 100_000])
def test_a_broken_file_is_set_aside_and_told(file, notices, content):
    file.path.parent.mkdir()
    file.path.write_bytes(content)
    assert file.load() == Settings()
    (notice,) = notices.read()[0]
    aside = file.path.with_name("settings.broken-1.json")
    assert aside.read_bytes() == content
    assert aside.name in notice.advice
    assert not file.path.exists()
    assert file.save(Settings())
    file.path.write_bytes(content)
    file.load()
    assert file.path.with_name("settings.broken-2.json").exists()


def test_values_of_the_wrong_type_are_defaults_and_the_rest_holds(file):
    file.path.parent.mkdir()
    file.path.write_text(json.dumps({"version": 1, "agent": 5, "speaker": "none", "screen": []}))
    settings = file.load()
    assert (settings.agent, settings.speaker, settings.screen) == ("demo", "none", {})


def test_what_another_version_wrote_is_kept(file):
    file.path.parent.mkdir()
    file.path.write_text(json.dumps({"version": 7, "agent": "demo", "theme": {"accent": 3}}))
    settings = file.load()
    settings.speaker = "none"
    file.save(settings)
    saved = json.loads(file.path.read_text())
    assert saved["theme"] == {"accent": 3}
    assert (saved["version"], saved["speaker"]) == (7, "none")


def test_an_old_file_is_brought_up_step_by_step(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"mic": "Headset"}))
    migrations = {
        0: lambda data: {"micro": data["mic"]},
        1: lambda data: {"microphone": data["micro"]},
    }
    file = SettingsFile(path, version=2, migrations=migrations)
    settings = file.load()
    assert settings.microphone == "Headset"
    assert not settings.unknown
    file.save(settings)
    assert json.loads(path.read_text())["version"] == 2


def test_a_migration_that_fails_sets_the_file_aside(tmp_path, notices):
    path = tmp_path / "settings.json"
    path.write_text("{}")
    SettingsFile(path, notices, version=1, migrations={0: lambda data: data["gone"]}).load()
    assert len(notices.read()[0]) == 1
    assert path.with_name("settings.broken-1.json").exists()


def test_a_place_that_cannot_be_written_is_told_once(tmp_path, notices):
    (tmp_path / "deep").write_text("a file is in the way")
    file = SettingsFile(tmp_path / "deep" / "settings.json", notices)
    assert not file.save(Settings())
    assert not file.save(Settings())
    (notice,) = notices.read()[0]
    assert "settings" in notice.sentence
    (tmp_path / "deep").unlink()
    assert file.save(Settings())


def test_recordings_go_where_the_person_wants_them():
    assert Settings(recordings="/data/calls").recordings_folder.as_posix() == "/data/calls"
    assert Settings().recordings_folder.name == "Turnscope"


@pytest.mark.parametrize("version", [-1, -(10**15)])
def test_a_version_before_the_first_is_no_version(file, notices, version):
    file.path.parent.mkdir()
    file.path.write_text(json.dumps({"version": version, "agent_id": "a"}))
    assert file.load() == Settings()
    assert len(notices.read()[0]) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_a_pipe_in_the_place_of_the_settings_is_not_waited_for(file, notices):
    file.path.parent.mkdir()
    os.mkfifo(file.path)
    assert file.load() == Settings()
    assert len(notices.read()[0]) == 1


def test_a_folder_in_the_home_of_nobody_is_not_used():
    folder = Settings(recordings="~nobody-of-that-name/x").recordings_folder
    assert folder == Settings().recordings_folder
