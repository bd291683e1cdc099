"""Where the API key lives, and what keeps keys and tokens out of everything that is written.

The key is kept in the desktop's keyring; ``ELEVENLABS_API_KEY`` is the second choice. Any thread.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Iterable
from typing import Any, Literal, NoReturn

log = logging.getLogger(__name__)

SERVICE = "turnscope"
ACCOUNT = "elevenlabs-api-key"
ENVIRONMENT = "ELEVENLABS_API_KEY"
HIDDEN = "•••"

KeySource = Literal["keyring", "environment", "given"]

_MIN_LENGTH = 6
"""Shorter strings are not looked for: hiding every "a" would hide the text."""

_SESSION_SECRETS = 48
"""What is of use for one session alone (a signed URL, the demo agent's key) is hidden for as many
more as come after it. The latest sixteen sessions are plenty: such a URL is good for minutes."""

# Guards both against two threads that remember at the same moment.
_remembering = threading.Lock()
_lasting: set[str] = set()
_of_sessions: dict[str, None] = {}
# The longest first, for one may be a part of another. Replaced whole: whoever scrubs takes no lock.
_known: tuple[str, ...] = ()

_SECRET_NAMES = frozenset(
    {
        "api_key",
        "apikey",
        "authorization",
        "conversation_signature",
        "conversation_token",
        "password",
        "secret",
        "signed_url",
        "token",
        "x_api_key",
        "xi_api_key",
    }
)
_IN_TEXT = re.compile(
    r"(?i)((?:conversation_signature|conversation_token|token|(?:xi[-_])?api[-_]?key)[\"']?\s*[=:]"
    r"\s*[\"']?)[^\s&\"',;}]+"
    r"|(\bbearer\s+)[\w.~+/=-]{6,}"
)
_KEY_SHAPE = re.compile(r"\bsk_[0-9a-fA-F]{16,}\b")
"""What ElevenLabs keys look like."""


class ApiKey:
    """A key that shows itself to nobody who did not ask for it by name."""

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: KeySource = "given") -> None:
        """Keep ``value``, and hide it from every log and file from now on."""
        self._value = value.strip()
        self.source: KeySource = source
        remember(self._value, lasting=source != "given")

    def reveal(self) -> str:
        """Return the key itself, for the request that needs it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApiKey) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"ApiKey({HIDDEN}, from {self.source})"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("An API key is not to be written anywhere.")


def remember(secret: str, *, lasting: bool = True) -> None:
    """Hide ``secret`` (a key, a token) from every log, notice and recording from now on.

    One that is not ``lasting`` belongs to a session, and is forgotten some sessions later.
    """
    global _known  # noqa: PLW0603 - there is one set of secrets in a process
    if len(secret) < _MIN_LENGTH or secret in _lasting:
        return
    with _remembering:
        _of_sessions.pop(secret, None)
        if lasting:
            _lasting.add(secret)
        else:
            _of_sessions[secret] = None
            while len(_of_sessions) > _SESSION_SECRETS:
                del _of_sessions[next(iter(_of_sessions))]
        _known = tuple(sorted({*_lasting, *_of_sessions}, key=len, reverse=True))


def find_api_key() -> ApiKey | None:
    """Return the key of the keyring, else of ``ELEVENLABS_API_KEY``, else None.

    May wait for the keyring to be unlocked: not for the main thread. A keyring that does not work
    is logged and passed over.
    """
    stored = _read_keyring()
    if stored:
        return ApiKey(stored, "keyring")
    given = os.environ.get(ENVIRONMENT, "").strip()
    return ApiKey(given, "environment") if given else None


def store_api_key(key: ApiKey) -> None:
    """Put ``key`` into the keyring, in place of the one there.

    Raises:
        KeyringUnavailable: there is no keyring, or it refused.

    """
    import keyring  # it takes its time, and most sessions need none

    try:
        keyring.set_password(SERVICE, ACCOUNT, key.reveal())
    except Exception as error:  # noqa: BLE001 - backends raise what they like
        raise KeyringUnavailable(type(error).__name__) from None


def forget_api_key() -> None:
    """Take the key out of the keyring; fine where there is none."""
    import keyring

    try:
        keyring.delete_password(SERVICE, ACCOUNT)
    except keyring.errors.PasswordDeleteError:
        return
    except Exception as error:  # noqa: BLE001 - backends raise what they like
        raise KeyringUnavailable(type(error).__name__) from None


class KeyringUnavailable(Exception):
    """The desktop's keyring cannot be used; ``str()`` is a sentence for a person."""

    def __init__(self, why: str) -> None:
        """``why`` is the name of what the keyring raised, never its text."""
        super().__init__(f"The keyring of this desktop cannot be used ({why}).")


def _read_keyring() -> str:
    try:
        import keyring  # it takes its time, and most sessions need none

        return (keyring.get_password(SERVICE, ACCOUNT) or "").strip()
    except Exception as error:  # noqa: BLE001 - backends raise what they like
        log.info("No keyring to read the API key from: %s", type(error).__name__)
        return ""


def scrub_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return ``text`` with every known secret, and whatever looks like one, made unreadable."""
    secrets = tuple(secrets)
    known = sorted({*_known, *secrets}, key=len, reverse=True) if secrets else _known
    for secret in known:
        if len(secret) >= _MIN_LENGTH and secret in text:
            text = text.replace(secret, HIDDEN)
    if len(text) < _MIN_LENGTH:
        return text
    text = _IN_TEXT.sub(lambda found: f"{found[1] or found[2]}{HIDDEN}", text)
    return _KEY_SHAPE.sub(HIDDEN, text)


def scrub(value: Any, secrets: Iterable[str] = ()) -> Any:
    """Return a copy of JSON-like ``value`` without secrets in its texts, keys or telling fields."""
    if isinstance(value, str):
        return scrub_text(value, secrets) if len(value) >= _MIN_LENGTH else value
    if isinstance(value, dict):
        return {
            scrub(name, secrets): _scrub_field(name, item, secrets) for name, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [scrub(item, secrets) for item in value]
    return value


def _scrub_field(name: object, value: Any, secrets: Iterable[str]) -> Any:
    if isinstance(value, str) and value and _is_telling(name):
        return HIDDEN
    return scrub(value, secrets)


def _is_telling(name: object) -> bool:
    return isinstance(name, str) and name.lower().replace("-", "_") in _SECRET_NAMES
