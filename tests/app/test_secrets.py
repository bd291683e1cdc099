"""Keys that are found, kept, and shown to nobody."""

from __future__ import annotations

import json
import logging
import pickle
import time

import keyring
import pytest
from keyring.backend import KeyringBackend

from app.logs import set_up_logs, take_down_logs
from app.notices import explain
from app.secrets import (
    ApiKey,
    KeyringUnavailable,
    find_api_key,
    forget_api_key,
    remember,
    scrub,
    scrub_text,
    store_api_key,
)

KEY = "sk_" + "0fedcba987654321" * 3


class MemoryKeyring(KeyringBackend):
    priority = 1

    def __init__(self):
        super().__init__()
        self.values = {}

    def get_password(self, service, username):
        return self.values.get((service, username))

    def set_password(self, service, username, password):
        self.values[service, username] = password

    def delete_password(self, service, username):
        if (service, username) not in self.values:
            raise keyring.errors.PasswordDeleteError("none")
        del self.values[service, username]


class BrokenKeyring(KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        raise RuntimeError("locked")

    def set_password(self, service, username, password):
        raise RuntimeError(f"cannot keep {password}")

    def delete_password(self, service, username):
        raise RuntimeError("locked")


@pytest.fixture
def use_keyring():
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def test_the_keyring_comes_first_and_the_environment_second(use_keyring, monkeypatch):
    use_keyring(MemoryKeyring())
    assert find_api_key() is None
    monkeypatch.setenv("ELEVENLABS_API_KEY", " from-environment ")
    assert (find_api_key().reveal(), find_api_key().source) == ("from-environment", "environment")
    store_api_key(ApiKey(KEY))
    assert (find_api_key().reveal(), find_api_key().source) == (KEY, "keyring")
    forget_api_key()
    forget_api_key()
    assert find_api_key().source == "environment"


def test_a_keyring_that_does_not_work_is_passed_over_and_said_when_it_is_needed(
    use_keyring, monkeypatch
):
    use_keyring(BrokenKeyring())
    monkeypatch.setenv("ELEVENLABS_API_KEY", "from-environment")
    assert find_api_key().source == "environment"
    with pytest.raises(KeyringUnavailable) as caught:
        store_api_key(ApiKey(KEY))
    notice = explain(caught.value)
    assert "ELEVENLABS_API_KEY" in notice.advice
    assert KEY not in notice.details + str(caught.value)
    with pytest.raises(KeyringUnavailable):
        forget_api_key()


def test_a_key_shows_itself_to_nobody():
    key = ApiKey(KEY, "keyring")
    for text in (repr(key), str(key), f"{key}", f"{[key]}", "%s" % key):  # noqa: UP031
        assert KEY not in text
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        json.dumps(key)
    assert key == ApiKey(KEY)
    assert not ApiKey(" ")


@pytest.mark.parametrize(
    "text",
    [
        "wss://h/v1?agent_id=a&conversation_signature={0}&x=1",
        "GET /?token={0}",
        "xi-api-key: {0}",
        "{{'xi-api-key': '{0}'}}",
        '"api_key": "{0}"',
        "Authorization: Bearer {0}",
    ],
)
def test_what_looks_like_a_secret_is_hidden_even_if_nobody_named_it(text):
    assert "q7H-never-seen_before.81" not in scrub_text(text.format("q7H-never-seen_before.81"))


def test_ordinary_text_is_left_as_it_is():
    text = "The token economy: a key, a bearer of news, and context_tokens 512."
    assert scrub_text(text).endswith("and context_tokens 512.")
    assert "a bearer of news" in scrub_text(text)
    payload = {"event_id": 5, "chars": ["s", "k"], "alignment": None, "tokens": 7, "ok": True}
    assert scrub(payload) == payload


def test_telling_fields_are_hidden_at_any_depth():
    scrubbed = scrub({"a": [{"Xi-Api-Key": "short", "b": ({"signed_url": "wss://x"},)}]})
    assert scrubbed == {"a": [{"Xi-Api-Key": "•••", "b": [{"signed_url": "•••"}]}]}


def test_scrubbing_is_quick():
    remember("a-secret-of-some-length")
    record = {"t": 1.0, "type": "agent_chunk", "alignment": {"chars": ["a"] * 300}}
    before = time.thread_time()
    for _ in range(100):
        scrub(record)
    assert (time.thread_time() - before) / 100 < 0.002


def test_logs_and_tracebacks_hold_no_key(tmp_path):
    key = ApiKey(KEY)
    root = logging.getLogger()
    level = root.level
    path = set_up_logs(tmp_path)
    try:
        logging.getLogger("elevenlabs").info("headers: %s", {"xi-api-key": key.reveal()})
        try:
            raise ValueError(f"refused {key.reveal()}")
        except ValueError:
            logging.getLogger("app").warning("It failed", exc_info=True)
    finally:
        take_down_logs()
        root.setLevel(level)
    text = path.read_text()
    assert "Traceback" in text
    assert "elevenlabs" in text
    assert KEY not in text


def test_the_log_rotates_and_a_folder_that_cannot_be_written_is_no_end(tmp_path, capsys):
    root = logging.getLogger()
    level = root.level
    try:
        path = set_up_logs(tmp_path, max_bytes=2000, backups=2)
        for number in range(100):
            logging.getLogger("app").info("line %d of a log that grows", number)
        assert sorted(item.name for item in tmp_path.iterdir()) == [
            "turnscope.log",
            "turnscope.log.1",
            "turnscope.log.2",
        ]
        assert "line 99" in path.read_text()
        assert "line" not in capsys.readouterr().err
        (tmp_path / "file").write_text("")
        assert set_up_logs(tmp_path / "file" / "logs") is None
        assert "No log file" in capsys.readouterr().err
    finally:
        take_down_logs()
        root.setLevel(level)


def test_the_secrets_of_sessions_long_over_cost_nothing():
    key = "a-key-that-is-kept-in-the-keyring"
    ApiKey(key, "keyring")

    def cost():
        began = time.thread_time()
        for _ in range(300):
            scrub_text("An ordinary sentence of some length")
        return time.thread_time() - began

    before = min(cost() for _ in range(5))
    for number in range(3000):
        remember(f"signed-url-of-session-{number:05}", lasting=False)
    assert scrub_text("signed-url-of-session-02999") == "•••"
    assert scrub_text(key) == "•••"
    assert min(cost() for _ in range(5)) < 4 * before + 0.001
