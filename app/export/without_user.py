"""What of a recording's events are the user's words. Pure.

What the agent said stays, even where it says the user's words again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KINDS = ("user_", "tentative_user_", "multimodal_message")


def is_users_words(record: Mapping[str, Any]) -> bool:
    """Whether a record of ``events.jsonl`` may hold what the user said or typed."""
    is_message = record.get("type") in {"message_received", "message_sent"}
    return is_message and str(record.get("kind")).startswith(_KINDS)
