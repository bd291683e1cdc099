"""A recording as a program would have made it that measured nothing of the tracks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from app.timeline.events import EchoHeard, SoundBefore

EVIDENCE = frozenset({EchoHeard.type, SoundBefore.type})


def without_evidence(bundle: Path, target: Path) -> Path:
    """Copy ``bundle`` to ``target``, which is replaced, without what was measured of its tracks."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(bundle, target, ignore=shutil.ignore_patterns("peaks"))
    events = target / "events.jsonl"
    lines = events.read_text().splitlines(keepends=True)
    events.write_text("".join(line for line in lines if json.loads(line)["type"] not in EVIDENCE))
    _forget_listening(target / "session.json")
    return target


def _forget_listening(path: Path) -> None:
    """Let the recording say that nobody listened to its tracks."""
    session = json.loads(path.read_text())
    found = [each for each in (session, *session.values()) if _has_versions(each)]
    assert found, "the recording does not say what it was made by"
    for each in found:
        each["versions"].pop("listening", None)
    path.write_text(json.dumps(session))


def _has_versions(part: object) -> bool:
    return isinstance(part, dict) and isinstance(part.get("versions"), dict)
