"""Text as it is searched: without what makes no difference to a person who looks for it. Pure."""

from __future__ import annotations

import re
import unicodedata

_QUERY = re.compile(r'"([^"]+)"|(\S+)')


def query_words(text: str) -> list[str]:
    """Return what is to be searched for: words, and texts in quotes, folded."""
    found = [fold(quoted or word.strip('"')) for quoted, word in _QUERY.findall(text)]
    return [word for word in found if word.strip()]


def fold(text: str) -> str:
    """Return ``text`` as it is searched: small letters, no accents, no control characters."""
    text = text.lower() if text.isascii() else _plain_letters(text)
    return text if text.isprintable() else "".join(map(_or_blank, text))


def _plain_letters(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char))


def _or_blank(char: str) -> str:
    return char if char.isprintable() else " "
