"""What was said: the agent's replies with their words, and the transcript. Pure logic.

What words an event changes is worked out when they are next read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.analysis.cut import Cut, CutWords
from app.analysis.replies import Division, Replies
from app.analysis.spans import SpanKeeper
from app.analysis.transcript import Transcript
from app.analysis.turn_records import Turn
from app.timeline.events import AgentChunkReceived, AgentHeard, MessageReceived
from audio.pcm import SAMPLE_RATE


class Said:
    """Keeps replies, lines, and which cuts speak of which reply.

    ``spans`` are the tracker's: what was heard and what is gone of the received audio.
    """

    OPEN_CUTS = 8
    """Of the cuts of one reply so many follow its words as they change; older ones are settled."""

    def __init__(self, spans: SpanKeeper, user_turns: Sequence[Turn]) -> None:
        """Begin with nothing said; ``user_turns`` are in order, and grow."""
        self.replies = Replies()
        self.transcript = Transcript(user_turns)
        self._spans = spans
        self._cuts_of_reply: dict[int, list[int]] = {}
        self._changed: set[int] = set()
        self._divisions: dict[int, Division] = {}
        self._chat: dict[int, str] = {}

    # -- the agent's audio -----------------------------------------------------------------------

    def add_chunk(self, chunk: AgentChunkReceived) -> int:
        """Note a chunk's arrival; return the number of its reply."""
        before = len(self.replies.all)
        number = self.replies.add_chunk(chunk)
        self._changed.add(number)
        self._settle(before)
        if chunk.alignment is not None and chunk.alignment.chars:
            self.transcript.open_reply(number, chunk.t)
        return number

    def hear(self, heard: AgentHeard) -> None:
        """Note that samples were played."""
        for number in self.replies_in(heard.start, heard.stop):
            reply = self.replies.all[number]
            if reply.heard_at is None:
                into = max((reply.start or 0) - heard.start, 0)
                reply.heard_at = heard.at + into / SAMPLE_RATE
            self._changed.add(number)

    def lose(self, start: int, stop: int) -> None:
        """Note that ``[start, stop)`` will not be played."""
        self._changed.update(self.replies_in(start, stop))

    def replies_in(self, start: int, stop: int) -> range:
        """Return the numbers of the replies that received ``[start, stop)`` belongs to."""
        first, last = self.replies.at(start), self.replies.at(stop - 1)
        return range(first or 0, last + 1) if last is not None else range(0)

    def link(self, cut: Cut, reply: int) -> None:
        """Note that ``cut`` met ``reply``."""
        self.replies.all[reply].was_cut = True
        cut.replies.add(reply)
        cuts = self._cuts_of_reply.setdefault(reply, [])
        if cut.number not in cuts:
            cuts.append(cut.number)
            del cuts[: -self.OPEN_CUTS]
        self._changed.add(reply)

    def silence(self, cut: Cut) -> None:
        """Note that ``cut`` silenced the agent behind what was heard last."""
        last = self._spans.last_heard or 0
        reply = self.replies.at(last)
        if reply is not None:
            cut.stopped_in = reply, last + 1
            self.replies.all[reply].stop_at(last + 1)
            self.link(cut, reply)

    def end(self) -> None:
        """Note that no more is heard."""
        self._changed.update(self.replies.cut_last())

    def _settle(self, before: int) -> None:
        """Let go of what is past, if there are more replies than the ``before`` there were."""
        if len(self.replies.all) > before:
            spans = self._spans
            self.replies.settle(spans.heard, spans.gone, spans.last_heard or 0)

    # -- messages ------------------------------------------------------------------------------

    def set_text(self, t: float, text: str, event_id: int | None) -> None:
        """Note a reply's whole text, which came at ``t``."""
        before = len(self.replies.all)
        number = self.replies.add_text(t, text, event_id)
        self.transcript.open_reply(number, t)
        # audio may have moved over from the reply before
        self._changed.update({number, max(min(before, number) - 1, 0)})
        self._settle(before)

    def add_chat(self, message: MessageReceived, body: dict[str, Any]) -> None:
        """Note a piece of a written reply; where there is audio, the whole text comes as well."""
        if message.event_id is not None and not self._spans.received_samples:
            text = self._chat.get(message.event_id, "") + text_in(body, "text")
            self._chat = {message.event_id: text}
            if text:
                self.set_text(message.t, text, message.event_id)

    def correct(self, message: MessageReceived, body: dict[str, Any]) -> None:
        """Note the agent's own account of what was heard of a reply."""
        original = text_in(body, "original_agent_response")
        number = self.replies.find(original, message.event_id)
        if number is not None:
            self.replies.all[number].corrected = text_in(body, "corrected_agent_response")
            self._changed.add(number)

    # -- what is worked out when it is read ------------------------------------------------------

    def refresh(self) -> set[int]:
        """Bring lines up to date; return the numbers of the cuts whose words that concerns."""
        cuts: set[int] = set()
        for number in sorted(self._changed):
            if number < len(self.replies.all):
                self._refresh_reply(number)
                cuts.update(self._cuts_of_reply.get(number, ()))
        self._changed.clear()
        self.transcript.refresh()
        return cuts

    def words_of(self, cut: Cut) -> CutWords:
        """Return what the audio speaks of that ``cut`` met; after `refresh`."""
        numbers = sorted(cut.replies)
        divisions = [self._divisions[number] for number in numbers]
        corrections = [self.replies.all[number].corrected for number in numbers]
        cut_word = ""
        if cut.stopped_in is not None:
            reply, position = cut.stopped_in
            cut_word = self.replies.all[reply].word_at(position)
        return CutWords(
            " ".join(division.heard for division in divisions if division.heard),
            " ".join(division.unheard for division in divisions if division.unheard),
            cut_word,
            next((text for text in corrections if text is not None), None),
            any(division.estimated for division in divisions),
        )

    def _refresh_reply(self, number: int) -> None:
        reply = self.replies.all[number]
        division = reply.divide(self._spans.heard, self._spans.gone)
        self._divisions[number] = division
        self.transcript.set_reply(number, reply, division)


def text_in(body: dict[str, Any], name: str) -> str:
    """Return the text under ``name``, empty where there is none."""
    value = body.get(name)
    return value if isinstance(value, str) else ""
