"""Which agent chunks a manual interrupt holds back. Pure logic, guarded by the tap's lock.

The protocol has no message that says "I interrupted": the server goes on sending the reply, and
whatever of it still comes must not be played. Where all audio of one reply has one event id, the
next reply's is higher; elsewhere the id may grow from chunk to chunk. Which of the two it is can be
seen, and decides whether a higher id means a new reply or more of the old one.
"""

from __future__ import annotations


class HoldBack:
    """Follows event ids, and knows while a reply is held back.

    A hold ends with the next reply: an ``agent_response`` or, where ids stand for replies, audio
    with a higher id. It ends as well with the server's own ``interruption``, for then the server
    has stopped the reply itself.
    """

    _IDS_OF_A_GROWING_REPLY = 3

    def __init__(self) -> None:
        """Hold nothing."""
        self.active = False
        self._held_through: int | None = None
        self.last_id: int | None = None
        self._ids_since_response = 0
        self._ids_grow_within_reply = False

    def begin(self) -> bool:
        """Hold back the rest of the present reply; False where that is so already."""
        if self.active:
            return False
        self.active = True
        self._held_through = self.last_id
        return True

    def chunk(self, event_id: int | None) -> bool:
        """Note an agent chunk, and say whether it is held back."""
        self._follow(event_id)
        if self.active and self._is_next_reply(event_id):
            self._release()
        return self.active

    def response(self, event_id: int | None) -> None:
        """Note an ``agent_response``: the text of a reply, the present one's or the next one's."""
        self._ids_since_response = 0
        if event_id is None or self._held_through is None or event_id > self._held_through:
            self._release()

    def interruption(self) -> None:
        """Note that the server has interrupted the reply itself."""
        self._release()

    def _follow(self, event_id: int | None) -> None:
        if event_id is None or event_id == self.last_id:
            return
        self.last_id = event_id
        self._ids_since_response += 1
        if self._ids_since_response >= self._IDS_OF_A_GROWING_REPLY:
            self._ids_grow_within_reply = True

    def _is_next_reply(self, event_id: int | None) -> bool:
        if event_id is None or self._held_through is None or self._ids_grow_within_reply:
            return False
        return event_id > self._held_through

    def _release(self) -> None:
        self.active = False
        self._held_through = None
