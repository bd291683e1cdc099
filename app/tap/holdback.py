"""Which agent chunks a manual interrupt holds back. Pure logic, guarded by the tap's lock.

The protocol has no message that says "I interrupted": the server goes on sending the reply, and
whatever of it still comes must not be played. What begins the next reply is its text, an
``agent_response``. Where all audio of one reply has one event id, the next reply's is higher, which
tells as well; elsewhere the id grows from chunk to chunk, and tells nothing. Which of the two it is
can be seen after a few chunks. Some agents send no text at all: then a higher id has to do.
"""

from __future__ import annotations

from typing import Literal


class HoldBack:
    """Follows event ids and texts, and knows while a reply is held back.

    A hold ends with the next reply, and with the server's own ``interruption``, for then the server
    has stopped the reply itself. In doubt it goes on: the person pressed the button.
    """

    _GROWING_WITH_TEXT = 2
    _GROWING_WITHOUT_TEXT = 3
    """So many different ids with no text between them, but the text's own, are of one reply."""

    def __init__(self) -> None:
        """Hold nothing."""
        self.active = False
        self.last_id: int | None = None
        self._held_through: int | None = None
        # what an id stands for, as far as has been seen
        self._ids_of: Literal["unknown", "replies", "chunks"] = "unknown"
        self._ids_since_text = 0
        self._text_id: int | None = None
        self._texts_come = False
        self._has_text = False
        self._awaits_own_text = False
        self._text_came_since = False

    def begin(self) -> bool:
        """Hold back the rest of the present reply; False where that is so already."""
        if self.active:
            return False
        self.active = True
        self._held_through = self.last_id
        self._awaits_own_text = not self._has_text
        self._text_came_since = False
        return True

    def chunk(self, event_id: int | None) -> bool:
        """Note an agent chunk, and say whether it is held back."""
        self._learn(event_id)
        if self.active and self._is_next_reply(event_id):
            self._release()
            self._has_text = event_id == self._text_id
        return self.active

    def response(self, event_id: int | None) -> None:
        """Note an ``agent_response``: the text of a reply, the present one's or the next one's."""
        if self.active and not self._is_own_text(event_id):
            self._release()
        self._texts_come = self._has_text = self._text_came_since = True
        self._awaits_own_text = False
        self._text_id = event_id
        self._ids_since_text = 0

    def interruption(self) -> None:
        """Note that the server has interrupted the reply itself."""
        self._release()
        self._has_text = False

    def _learn(self, event_id: int | None) -> None:
        if event_id is None:
            return
        if event_id == self.last_id:
            self._ids_of = "replies"
        elif event_id != self._text_id:
            self._ids_since_text += 1
            least = self._GROWING_WITH_TEXT if self._texts_come else self._GROWING_WITHOUT_TEXT
            if self._ids_of == "unknown" and self._ids_since_text >= least:
                self._ids_of = "chunks"
        self.last_id = event_id

    def _is_own_text(self, event_id: int | None) -> bool:
        if event_id is not None and self._held_through is not None:
            if event_id <= self._held_through:
                return True
            if self._ids_of == "replies":
                return False
        return self._awaits_own_text

    def _is_next_reply(self, event_id: int | None) -> bool:
        held_through = self._held_through
        if event_id is None or held_through is None or event_id <= held_through:
            return False
        if self._ids_of == "unknown" and self._texts_come:
            return self._text_came_since and event_id == self._text_id
        return self._ids_of != "chunks"

    def _release(self) -> None:
        self.active = False
        self._held_through = None
