"""What was checked, as JUnit XML: a suite for each session, a case for each limit. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from app.report.checking import Outcome, moment_text

_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Checked:
    """A session and what became of each limit; ``error`` is why it could not be read."""

    name: str
    outcomes: tuple[Outcome, ...] = ()
    error: str = ""
    began_utc: str = ""
    duration_s: float = 0.0


def to_junit(sessions: Sequence[Checked], *, need_figures: bool = False) -> bytes:
    """Return the whole document; with ``need_figures`` a missing figure is a failure."""
    root = ElementTree.Element("testsuites", name="turnscope check")
    for session in sessions:
        root.append(_suite(session, need_figures))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def valid(text: str) -> str:
    """Return ``text`` without the characters that XML has no place for."""
    return _NOT_XML.sub("", text)


def _suite(session: Checked, need_figures: bool) -> ElementTree.Element:
    name = valid(session.name) or "session"
    suite = ElementTree.Element("testsuite", name=name)
    if session.error:
        case = ElementTree.SubElement(suite, "testcase", classname=name, name="can be read")
        ElementTree.SubElement(case, "error", message=valid(session.error))
    for outcome in session.outcomes:
        suite.append(_case(outcome, name, need_figures))
    suite.set("tests", str(len(suite)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    if session.began_utc:
        suite.set("timestamp", valid(session.began_utc.removesuffix("Z")))
    suite.set("time", f"{session.duration_s:.3f}")
    return suite


def _case(outcome: Outcome, session: str, need_figures: bool) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=session, name=valid(outcome.rule.text))
    message = valid(outcome.sentence)
    if outcome.fails(need_figures=need_figures):
        kind = "limit" if outcome.state == "broken" else "figure"
        failure = ElementTree.SubElement(case, "failure", message=message, type=kind)
        failure.text = valid("\n".join(moment_text(outcome, each) for each in outcome.moments))
    elif outcome.state == "unknown":
        ElementTree.SubElement(case, "skipped", message=message)
    return case
