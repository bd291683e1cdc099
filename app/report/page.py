"""A report as one HTML file that needs nothing else: no script, no other file, no network. Pure.

What agents and files say is text and never markup. The page asks of a browser that it load nothing
and run nothing: its policy lets in one style, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape

from app.analysis.finding import UNKNOWN, counted, duration
from app.analysis.findings import nothing_found
from app.analysis.limits import class_of
from app.analysis.turn_records import Interruption
from app.plain import one_line
from app.report.figures import Figures, figures_of
from app.report.gather import Examined, Unreadable
from app.report.pictures import Drawing, Marked, mark_cut, mark_overlap
from app.report.records import Words, overlap_record, response_record
from app.report.text import clock, counts_text, head_of, milliseconds
from app.secrets import scrub_text

PICTURES_BYTES = 8 * 1024 * 1024
ROWS_BYTES = 8 * 1024 * 1024
"""So much all pictures, and all tables and words, may take; what is left out is told of."""
LONGEST_TEXT = 600

STYLE = """
:root{color-scheme:light dark;--ground:#fff;--raised:#f3f4f6;--line:#d0d5db;--text:#1b1f24;
--muted:#56606b;--user:#0b62b0;--agent:#b35005;--cut:#bd0f35}
@media(prefers-color-scheme:dark){:root{--ground:#14171b;--raised:#1f2329;--line:#3a414b;
--text:#e6e9ed;--muted:#9aa4b0;--user:#5cb3f5;--agent:#ffb347;--cut:#ff6b5e}}
body{margin:0 auto;padding:24px;max-width:1040px;background:var(--ground);color:var(--text);
font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:24px;margin:0 0 4px}h2{font-size:20px;margin:40px 0 4px;border-top:1px solid
var(--line);padding-top:24px}h3{font-size:16px;margin:24px 0 8px}h4{font-size:15px;margin:0}
p{margin:0 0 8px}.muted,figcaption,caption{color:var(--muted)}
ol{padding-left:24px}li{margin-bottom:12px}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin-bottom:8px}
th,td{padding:3px 12px 3px 0;text-align:right;border-bottom:1px solid var(--line);
vertical-align:top}th{font-weight:600;color:var(--muted)}.l{text-align:left}.in{padding-left:16px}
.wide{overflow-x:auto}article{background:var(--raised);border:1px solid var(--line);
border-radius:6px;padding:12px 16px;margin:0 0 16px;break-inside:avoid}
.words del{color:var(--muted)}.words{margin:8px 0 0}.late{color:var(--cut)}
svg{display:block;width:100%;height:auto;margin-top:8px}
svg text{font:13px system-ui,sans-serif;fill:var(--text)}svg .small{font-size:12px;
fill:var(--muted)}svg .name{font-weight:600}
svg .lane{fill:var(--ground)}svg .tick{stroke:var(--line);fill:none}
svg .user{fill:var(--user)}svg .agent{fill:var(--agent)}
svg .band{fill:var(--cut);fill-opacity:.16}svg .ghost{fill:var(--agent);fill-opacity:.1}
svg .lost{fill:var(--agent);fill-opacity:.4}svg .moment{stroke:var(--cut);fill:none}
svg .part{fill:var(--cut)}
"""


class Page:
    """Collects sessions and turns them into a page; what it takes up is bounded."""

    def __init__(self, words: Words) -> None:
        """Begin with none; ``words`` says whose words may be in it."""
        self._words = words
        self._sections: list[str] = []
        self._drawing: Drawing | None = None
        self._pictures_left, self._rows_left = PICTURES_BYTES, ROWS_BYTES

    def add(self, session: Examined) -> None:
        """Add a session, while it is open: its samples are read for the pictures."""
        figures = figures_of(session.turns, session.limits)
        self._drawing = None
        self._sections.append("".join(self._section(session, figures)))

    def render(self, whole: Figures, failed: Sequence[Unreadable]) -> str:
        """Return the page; ``whole`` is what all sessions come to together."""
        count = len(self._sections)
        sessions = counted(count, "session")
        pieces = [
            _HEAD.format(policy=_policy(), style=STYLE),
            f"<h1>Turnscope report</h1><p class=muted>{sessions}</p>",
            *_unreadable(failed),
        ]
        if self._pictures_left < PICTURES_BYTES:
            pieces.append(f"<p class=muted>{_LEGEND}</p>")
        if count > 1:
            pieces += ["<h3>All sessions together</h3>", *_figures_table(whole)]
        return "".join((*pieces, *self._sections, "</body></html>\n"))

    # -- a session -----------------------------------------------------------------------------

    def _section(self, session: Examined, figures: Figures) -> Iterator[str]:
        yield f"<section><h2>{_text(session.name)}</h2>"
        yield f"<p class=muted>{_text(head_of(session))}</p>"
        for warning in session.warnings:
            yield f"<p class=muted>Note: {_text(warning)}</p>"
        yield from _findings(session)
        if figures.statistics:
            yield "<h3>Figures</h3>"
            yield from _figures_table(figures)
        yield from self._interruptions(session)
        yield from self._bounded("Responses", _response_rows(session))
        yield from self._bounded("Both at once", _overlap_rows(session))
        yield from self._overlaps(session)
        yield from self._bounded("Audio that was refused", _refused_rows(session))
        yield from self._lines(session)
        yield "</section>"

    def _interruptions(self, session: Examined) -> Iterator[str]:
        cuts = session.turns.interruptions
        if not cuts:
            return
        yield "<h3>Interruptions</h3>"
        pictures_left_out = 0
        for number, cut in enumerate(cuts):
            article = self._article(session, cut)
            if not self._fits(article):
                yield _left_out(len(cuts) - number, "interruption")
                break
            title = f"Interruption {cut.number} at {clock(cut.at, 3)}"
            picture = self._picture(session, mark_cut(cut, title))
            pictures_left_out += not picture
            yield f"<article>{article}{picture}</article>"
        if pictures_left_out:
            yield _left_out(pictures_left_out, "picture")

    def _overlaps(self, session: Examined) -> Iterator[str]:
        """Yield pictures of those overlaps that ought not to be."""
        left_out = 0
        for overlap in session.turns.overlaps:
            kind = class_of(overlap, session.limits)
            if kind not in _BAD_OVERLAPS:
                continue
            name = f"{_BAD_OVERLAPS[kind]} · {clock(overlap.start, 3)}"
            picture = self._picture(session, mark_overlap(overlap, name))
            left_out += not picture
            if picture:
                yield f"<article><h4>{_text(name)}</h4>{picture}</article>"
        if left_out:
            yield _left_out(left_out, "picture")

    def _picture(self, session: Examined, marked: Marked) -> str:
        """Return the picture of what is marked; nothing where there is no room for it."""
        if self._pictures_left <= 0:
            return ""
        if self._drawing is None:
            self._drawing = Drawing(session.turns, session.recording.sources)
        picture = self._drawing.draw(marked)
        self._pictures_left -= len(picture)
        return picture

    def _article(self, session: Examined, cut: Interruption) -> str:
        name = class_of(cut, session.limits) or "not certain"
        kind = f"<span class=late>{name}</span>" if name in ("late", "false") else _text(name)
        silence = milliseconds(cut.time_to_silence_ms, cut.estimated)
        facts = [
            f"source {cut.source}",
            f"mouth to silence {milliseconds(cut.mouth_to_silence_ms, cut.estimated)}",
            "already silent" if cut.was_silent else f"time to silence {silence}",
            f"{duration(cut.discarded_ms)} discarded",
        ]
        if cut.sound is not None and cut.kind == "false":
            facts.append(f"the user track held {cut.sound.kind}")
        head = f"<h4>#{cut.number} · {clock(cut.at, 3)} · {kind}</h4>"
        return f"{head}<p class=muted>{_text(' · '.join(facts))}</p>{self._cut_words(cut)}"

    def _cut_words(self, cut: Interruption) -> str:
        if not self._words.agent or not (cut.heard_text or cut.unheard_text):
            return ""
        estimated = " (estimated)" if cut.words_estimated else ""
        lost = f" <del>{_text(cut.unheard_text)}</del>" if cut.unheard_text else ""
        said = f"<p class=words>Heard{estimated}: {_text(cut.heard_text) or UNKNOWN}{lost}</p>"
        if cut.corrected_text is None:
            return said
        return f"{said}<p class=muted>The agent’s own account: {_text(cut.corrected_text)}</p>"

    def _lines(self, session: Examined) -> Iterator[str]:
        lines = [
            line
            for line in session.turns.transcript
            if (self._words.user if line.who == "user" else self._words.agent)
        ]
        if not lines:
            return
        yield "<h3>Transcript</h3>"
        for number, line in enumerate(lines):
            heard = line.heard_text if line.who == "agent" else line.text
            lost = f" <del>{_text(line.unheard_text)}</del>" if line.unheard_text else ""
            who = "Agent" if line.who == "agent" else "User"
            moment = f"<span class=muted>{clock(line.at)}</span>"
            piece = f"<p class=words>{moment} <b>{who}</b> {_text(heard)}{lost}</p>"
            if not self._fits(piece):
                yield _left_out(len(lines) - number, "line")
                return
            yield piece

    def _bounded(self, title: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
        """Yield a table, its first row the headings; as many rows as there is room for."""
        if len(rows) < 2:
            return
        yield f"<h3>{title}</h3><div class=wide><table>{_row(rows[0], 'th')}"
        fitting = 1
        for cells in rows[1:]:
            row = _row(cells)
            if not self._fits(row):
                break
            fitting += 1
            yield row
        yield "</table></div>"
        if fitting < len(rows):
            yield _left_out(len(rows) - fitting, "row")

    def _fits(self, piece: str) -> bool:
        self._rows_left -= len(piece)
        return self._rows_left >= 0


_HEAD = (
    "<!DOCTYPE html>\n"
    '<html lang="en"><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" content="{policy}">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="referrer" content="no-referrer">'
    "<title>Turnscope report</title><style>{style}</style></head><body>"
)


_BAD_OVERLAPS = {"missed": "Missed interruption", "talked over": "The agent talked over the user"}

_LEGEND = (
    "In the pictures, red: from the onset of the user’s speech, or the interrupt, to silence, or "
    "as long as both spoke. Pale: what was discarded, where it would have been heard. Each "
    "waveform is scaled to its own peak, which stands beside it. Below, the chain to scale."
)


def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _text(text: str) -> str:
    """Return what others wrote as text of the page: on one line, bounded, never markup."""
    line = scrub_text(one_line(text))
    return escape(line if len(line) <= LONGEST_TEXT else f"{line[:LONGEST_TEXT]}…")


def _left_out(count: int, what: str) -> str:
    return f"<p class=muted>{counted(count, what)} left out, to keep this file small.</p>"


def _unreadable(failed: Iterable[Unreadable]) -> Iterator[str]:
    for each in failed:
        yield f"<p>Not read: {_text(each.name)}. {_text(each.sentence)}</p>"


def _findings(session: Examined) -> Iterator[str]:
    yield "<h3>Findings</h3>"
    if not session.findings:
        yield f"<p>{_text(nothing_found(session.turns))}</p>"
        return
    yield "<ol>"
    for finding in session.findings:
        seen = ", ".join(clock(moment) for moment in finding.moments[:20])
        more = len(finding.moments) - 20
        seen = f"{seen} and {more} more" if more > 0 else seen
        at = f"<br><span class=muted>Seen at {seen}</span>" if seen else ""
        yield f"<li><b>{_text(finding.sentence)}</b><br>{_text(finding.advice)}{at}</li>"
    yield "</ol>"


def _figures_table(figures: Figures) -> Iterator[str]:
    yield "<table><tr><th class=l>figure<th>count<th>p50<th>p95<th>worst</tr>"
    for statistic in figures.statistics:
        of = statistic.spread
        indent = " in" if statistic.name.startswith(" ") else ""
        values = "".join(f"<td>{milliseconds(ms)}" for ms in (of.p50, of.p95, of.greatest))
        name = _text(statistic.name.strip())
        yield f'<tr><td class="l{indent}">{name}<td>{of.count}{values}</tr>'
    yield "</table>"
    if counted_text := counts_text(figures):
        yield f"<p class=muted>{_text(counted_text)}</p>"


def _row(cells: Sequence[str], tag: str = "td") -> str:
    return f"<tr>{''.join(f'<{tag}>{_text(cell)}' for cell in cells)}</tr>"


Rows = list[list[str]]


def _moment(t: float | None) -> str:
    return UNKNOWN if t is None else clock(t, 3)


_RESPONSE_COLUMNS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("response latency", "response_latency_ms", milliseconds),
    ("endpointing", "endpointing_ms", milliseconds),
    ("agent", "agent_ms", milliseconds),
    ("audio", "audio_ms", milliseconds),
    ("underruns", "underruns", lambda count: f"{count:.0f}"),
    ("least lead", "least_lead_ms", milliseconds),
)


def _response_rows(session: Examined) -> Rows:
    rows = [["heard at", *(heading for heading, _, _ in _RESPONSE_COLUMNS)]]
    for response in session.turns.responses:
        record = response_record(response)
        if record["agent_ms"] is None:  # no event tells endpointing from it
            record["agent_ms"] = record["agent_and_endpointing_ms"]
        values = [(record[name], show) for _, name, show in _RESPONSE_COLUMNS]
        cells = [UNKNOWN if value is None else show(value) for value, show in values]
        rows.append([_moment(response.heard_at), *cells])
    return rows


def _overlap_rows(session: Examined) -> Rows:
    rows = [["from", "for", "class", "interruption"]]
    for overlap in session.turns.overlaps:
        record = overlap_record(overlap, session.limits)
        length = UNKNOWN if overlap.stop is None else duration((overlap.stop - overlap.start) * 1e3)
        number = overlap.interruption
        rows.append(
            [
                _moment(overlap.start),
                length,
                record["class"] or UNKNOWN,
                UNKNOWN if number is None else f"#{number}",
            ]
        )
    return rows


def _refused_rows(session: Examined) -> Rows:
    rows = [["from", "length", "of", "event id", "why"]]
    for each in session.turns.refused:
        event_id = UNKNOWN if each.event_id is None else str(each.event_id)
        of = "a new reply" if each.of_new_reply else "the interrupted reply"
        rows.append([_moment(each.at), duration(each.ms), of, event_id, each.reason])
    return rows
