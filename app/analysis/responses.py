"""The agent's turns: how each came about, and how its audio came. Pure logic.

A turn's figures come from the pieces of playout that make it up: how far ahead of playout each of
their chunks arrived, and the silences within them and between them. The pieces of the latest turns
are kept, for a turn may yet turn out to be two, or two of them one.

An underrun is a silence in the middle of one reply, whose audio had not come: neither a pause of
the device, which has audio that waits, nor the pause between two replies. To which reply audio
belongs may be told after it was heard, so silences are judged when they are read.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from app.analysis.growing import Growing
from app.analysis.turn_records import Refused, Response, Turn
from app.timeline.events import AgentChunkReceived, AgentHeard, MessageReceived, Trouble
from audio.pcm import SAMPLE_RATE

_BYTES_A_SECOND = {
    "pcm_8000": 16_000,
    "pcm_16000": 32_000,
    "pcm_22050": 44_100,
    "pcm_24000": 48_000,
    "pcm_44100": 88_200,
    "pcm_48000": 96_000,
    "ulaw_8000": 8_000,
}
"""Of the agent protocol's audio formats."""
_USUAL = _BYTES_A_SECOND["pcm_16000"]


def underruns_in(responses: Iterable[Response]) -> tuple[int, float]:
    """Return how often the playout queue ran dry inside these turns, and for how many ms."""
    count, ms = 0, 0.0
    for each in responses:
        count, ms = count + each.underruns, ms + each.underrun_ms
    return count, ms


class _Silence(NamedTuple):
    """A silence of ``s`` seconds from ``at`` on; audio from received ``position`` ended it."""

    at: float
    s: float
    position: int


class _Arrival(NamedTuple):
    """When received samples ``[start, stop)`` came."""

    start: int
    stop: int
    t: float


@dataclass(slots=True)
class _Piece:
    """Playout in ``[start, stop)`` with no silence of `ResponseKeeper.BREAK_S` in it."""

    start: float
    stop: float
    position: int = 0
    """Its first sample's, of the received audio."""
    first_chunk_at: float | None = None
    first_lead_ms: float | None = None
    """That of the chunk that it begins with, where it begins with a whole chunk."""
    leads_ms: list[float] = field(default_factory=list)
    """Those of its other chunks, in ascending order."""
    is_late: bool = False
    """Whether its audio had not arrived when the piece before it ended."""
    silences: list[_Silence] = field(default_factory=list)
    """Those in it whose audio had not come, the latest."""
    dry: int = 0
    dry_s: float = 0.0
    """Older ones that were underruns."""
    estimated: bool = False


class ResponseKeeper:
    """Builds ``responses``, one for each of the agent's turns, when they are read."""

    BREAK_S = 0.1
    DRY_S = 0.02
    """A shorter silence is the jitter of the device's clock."""
    ENDPOINT_S = 0.1
    """The transcript may come so long before the end of speech: VAD puts that a little late."""
    PIECES = 64
    SILENCES = 32
    NEAR_S = 0.1
    """An underrun that is told of is dated this near to the silence that is seen."""
    OF_TURN = 32
    """So many pieces of one turn are kept apart."""
    LEADS = 2048
    """Of a piece with more chunks every second one is let go of, which leaves the median."""

    def __init__(self, begins_reply: Callable[[int], bool]) -> None:
        """Begin with nothing heard; ``begins_reply`` says it of a received position."""
        self._begins_reply = begins_reply
        self._responses: list[Response] = []
        self._pieces: deque[_Piece] = deque(maxlen=self.PIECES)
        self._arrivals: deque[_Arrival] = deque()
        self._transcripts: deque[float] = deque(maxlen=self.PIECES)
        self._underruns: deque[tuple[float, int, float]] = deque(maxlen=self.PIECES)
        self._in_turn = 0
        self._dirty = 0

    # -- what is noted ---------------------------------------------------------------------------

    def receive(self, chunk: AgentChunkReceived) -> None:
        """Note a chunk's arrival."""
        if not chunk.held_back and chunk.stop > chunk.start:
            self._arrivals.append(_Arrival(chunk.start, chunk.stop, chunk.t))

    def discard(self, stop: int) -> None:
        """Note that all before received position ``stop`` was heard or lost."""
        while self._arrivals and self._arrivals[0].stop <= stop:
            self._arrivals.popleft()

    def breaks(self, at: float) -> bool:
        """Whether audio at ``at`` may begin a piece; responses are to be read before it does."""
        return not self._pieces or at - self._pieces[-1].stop >= self.BREAK_S

    def hear(self, heard: AgentHeard, until: float, *, begins: bool) -> None:
        """Note agent audio up to ``until``; ``begins`` says that it begins a turn."""
        self.discard(heard.start)
        piece = self._pieces[-1] if self._pieces else None
        gap_s = 0.0 if piece is None else heard.at - piece.stop
        self._in_turn = 0 if begins else self._in_turn
        if piece is None or begins or (gap_s >= self.BREAK_S and self._in_turn < self.OF_TURN):
            self._in_turn += 1
            is_late = piece is not None and not self.had_come(heard.start, piece.stop)
            piece = _Piece(heard.at, until, heard.start, is_late=is_late)
            self._pieces.append(piece)
        elif gap_s >= self.DRY_S and not self.had_come(heard.start, piece.stop):
            self._note_silence(piece, _Silence(piece.stop, gap_s, heard.start))
        piece.stop = until
        piece.estimated = piece.estimated or heard.estimated
        self._note_leads(piece, heard, is_first=piece.start == heard.at)

    def _note_silence(self, piece: _Piece, silence: _Silence) -> None:
        piece.silences.append(silence)
        if len(piece.silences) > self.SILENCES:
            oldest = piece.silences.pop(0)
            if not self._begins_reply(oldest.position):
                piece.dry, piece.dry_s = piece.dry + 1, piece.dry_s + oldest.s

    def had_come(self, position: int, at: float) -> bool:
        """Whether received ``position``, which plays now, was there at ``at``.

        Then the device has paused where there is a silence since, and not the agent.
        """
        self.discard(position)
        return (
            bool(self._arrivals)
            and self._arrivals[0].start <= position
            and (self._arrivals[0].t <= at)
        )

    def _note_leads(self, piece: _Piece, heard: AgentHeard, *, is_first: bool) -> None:
        for chunk in self._arrivals:
            if chunk.start >= heard.stop:
                break
            into_s = (chunk.start - heard.start) / SAMPLE_RATE
            lead_ms = (heard.at + into_s - chunk.t) * 1000
            if is_first and into_s <= 0:
                piece.first_chunk_at = chunk.t
                piece.first_lead_ms = lead_ms if into_s == 0 else None
            elif into_s >= 0:
                insort(piece.leads_ms, lead_ms)
        if len(piece.leads_ms) > self.LEADS:
            del piece.leads_ms[1::2]

    def user_is_understood(self, t: float) -> None:
        """Note the agent's final transcript of what the user said."""
        self._transcripts.append(t)

    def ran_dry(self, trouble: Trouble) -> None:
        """Note an underrun."""
        count, ms = trouble.data.get("count", 1), trouble.data.get("ms", 0.0)
        if type(count) is int and type(ms) in {int, float}:
            self._underruns.append((trouble.t, count, float(ms)))

    def touch(self, number: int) -> None:
        """Note that turn ``number``, from 0, and what follows it may be another than before."""
        self._dirty = min(self._dirty, max(number, 0))

    # -- what is read ----------------------------------------------------------------------------

    def responses(self, turns: Sequence[Turn], answered: Sequence[float | None]) -> list[Response]:
        """Return all responses, given the agent's turns and which user speech each answers."""
        del self._responses[len(turns) :]
        for number in range(min(self._dirty, len(self._responses)), len(turns)):
            following = turns[number + 1].start if number + 1 < len(turns) else None
            response = self._respond(turns[number], following, answered[number])
            self._responses[number : number + 1] = [response]
        self._dirty = len(turns)
        return self._responses

    def _respond(self, turn: Turn, following: float | None, user_stop: float | None) -> Response:
        pieces = self._pieces_of(turn, following)
        first = pieces[0] if pieces and pieces[0].start == turn.start else None
        dry, dry_ms = self._underruns_in(turn, pieces)
        leads = self._leads_of(pieces)
        return Response(
            heard_at=turn.start,
            user_stop=user_stop,
            endpointed_at=self._endpointed(user_stop, turn.start),
            first_chunk_at=None if first is None else first.first_chunk_at,
            latency_ms=None if user_stop is None else (turn.start - user_stop) * 1000,
            underruns=dry,
            underrun_ms=dry_ms,
            least_lead_ms=min(leads, default=None),
            median_lead_ms=median(leads) if leads else None,
            estimated=any(piece.estimated for piece in pieces),
        )

    def _underruns_in(self, turn: Turn, pieces: list[_Piece]) -> tuple[int, float]:
        """Return how often the queue ran dry in the middle of a reply, and for how many ms."""
        silences = [
            _Silence(before.stop, after.start - before.stop, after.position)
            for before, after in pairwise(pieces)
            if after.is_late and after.start - before.stop >= self.DRY_S
        ]
        silences += [silence for piece in pieces for silence in piece.silences]
        between = [each.at for each in silences if self._begins_reply(each.position)]
        dry = [each.s for each in silences if not self._begins_reply(each.position)]
        count = len(dry) + sum(piece.dry for piece in pieces)
        dry_ms = (sum(dry) + sum(piece.dry_s for piece in pieces)) * 1000
        stop = pieces[-1].stop if pieces else turn.start
        told_count, told_ms = 0, 0.0
        for at, told, ms in self._underruns:
            if not turn.start <= at <= stop + self.DRY_S:
                continue
            if told == 1 and any(abs(at - each) < self.NEAR_S for each in between):
                continue  # of a version that told of the pause between two replies as well
            told_count, told_ms = told_count + told, told_ms + ms
        return max(count, told_count), max(dry_ms, told_ms)

    def _pieces_of(self, turn: Turn, following: float | None) -> list[_Piece]:
        pieces: list[_Piece] = []
        for piece in reversed(self._pieces):
            if piece.start < turn.start:
                break
            if following is None or piece.start < following:
                pieces.append(piece)
        return pieces[::-1]

    @staticmethod
    def _leads_of(pieces: list[_Piece]) -> list[float]:
        if len(pieces) == 1:
            return pieces[0].leads_ms
        leads = [ms for piece in pieces for ms in piece.leads_ms]
        first = [piece.first_lead_ms for piece in pieces[1:] if piece.first_lead_ms is not None]
        return leads + first

    def _endpointed(self, user_stop: float | None, heard_at: float) -> float | None:
        if user_stop is None:
            return None
        times = list(self._transcripts)
        place = bisect_right(times, heard_at) - 1
        if place < 0 or times[place] < user_stop - self.ENDPOINT_S:
            return None
        return times[place]


class RefusedKeeper:
    """Builds ``refused`` from the audio messages of which it was told that nobody plays them."""

    JOIN_S = 2.0

    def __init__(self) -> None:
        """Begin with none, in the format that an agent has that names no other."""
        self.refused: Growing[Refused] = Growing()
        self._bytes_a_second = _USUAL
        self._of_new_reply = True
        self._goes_on = False

    def take_format(self, name: object) -> None:
        """Note which format the agent sends."""
        if isinstance(name, str):
            self._bytes_a_second = _BYTES_A_SECOND.get(name, _USUAL)

    def agent_interrupts(self) -> None:
        """Note the agent's message of an interruption: what comes late is of the reply before."""
        self._of_new_reply = self._goes_on = False

    def agent_responds(self) -> None:
        """Note the text of a reply: what comes from now on belongs to that."""
        if not self._of_new_reply:
            self._of_new_reply, self._goes_on = True, False

    def take_audio(self, message: MessageReceived) -> None:
        """Note an audio message."""
        if not message.dropped:
            self._goes_on = False
            return
        ms = message.bytes * 1000 / self._bytes_a_second
        last = self.refused[-1] if self.refused else None
        if last is not None and self._goes_on and message.t - last.until < self.JOIN_S:
            joined = Refused(
                last.at,
                message.t,
                last.ms + ms,
                last.event_id,
                last.reason,
                last.of_new_reply,
            )
            self.refused.put(-1, joined)
            return
        self._goes_on = True
        t, of_new = message.t, self._of_new_reply
        self.refused.append(Refused(t, t, ms, message.event_id, message.dropped, of_new))
