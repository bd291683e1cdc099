"""What there is to know of a recording beside what was said in it, for a person to read.

No state; any thread that may wait for the disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from app.bundles.bundle import BundleFacts, moment_of, read_facts
from app.library.library_entry import length_text, size_text
from app.plain import one_line
from app.recordings.audio_form import examine
from audio.pcm import samples_to_seconds

UNKNOWN = "–"
_TRACKS = (
    ("user.wav", "User track"),
    ("agent.wav", "Agent track"),
    ("received.wav", "Received audio"),
    ("events.jsonl", "Events"),
)


class Fact(NamedTuple):
    """Something known of a recording: what it is, and what it says."""

    label: str
    value: str


def describe(path: Path) -> list[Fact]:
    """Return what is known of the bundle in the folder ``path``, or of an audio file.

    Raises:
        BundleError: the folder is no bundle.
        FileError: the file is not audio, or cannot be read.

    """
    facts = _of_bundle(read_facts(path)) if path.is_dir() else _of_file(path)
    return [Fact(label, one_line(value) or UNKNOWN) for label, value in facts]


def _of_bundle(bundle: BundleFacts) -> Iterator[tuple[str, str]]:
    info = bundle.info
    yield "Agent", info.agent_label or info.agent_kind
    if info.agent_id:
        yield "Agent id", info.agent_id
    yield "Conversation", info.conversation_id
    yield "Began", _moment_text(bundle.began_utc)
    yield "Duration", length_text(bundle.duration_s)
    yield "Ended", _text(bundle.end, "sentence") or _text(bundle.end, "reason")
    yield "Microphone", info.microphone
    yield "Speaker", info.speaker
    yield "Playout times", "estimated" if info.is_estimated else "from the device"
    for name, label in (("user_input", "Format to the agent"), ("agent_output", "Format from it")):
        if name in info.formats:
            yield label, str(info.formats[name])
    if info.replays:
        yield "Replays", info.replays
    yield "Recovered", _recovered_text(bundle)
    yield from _sizes(bundle.path)
    for name, version in info.versions.items():
        yield f"Version of {name}", str(version)
    yield "Folder", str(bundle.path)


def _of_file(path: Path) -> Iterator[tuple[str, str]]:
    form = examine(path)
    channels = {1: "1, shown as one lane", 2: "2: left is the user, right the agent"}
    yield "Format", form.name
    yield "Sample rate", f"{form.rate} Hz"
    yield "Channels", channels.get(form.channels, f"{form.channels}, of which two are shown")
    known = form.frames is not None
    yield "Duration", length_text(samples_to_seconds(form.duration_samples) if known else None)
    yield "Size", size_text(path.stat().st_size)
    yield "File", str(path)


def _sizes(folder: Path) -> Iterator[tuple[str, str]]:
    sizes = dict(_files(folder))
    for name, label in _TRACKS:
        if name in sizes:
            yield label, size_text(sizes[name])
    yield "On disk", size_text(sum(sizes.values()))


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the files in ``folder`` and those a level below, with their sizes in bytes."""
    for place in (folder, folder / "peaks"):
        try:
            with os.scandir(place) as found:
                for item in found:
                    if item.is_file(follow_symlinks=False):
                        yield item.name, item.stat(follow_symlinks=False).st_size
        except OSError:
            continue  # what cannot be looked into has no size to tell


def _recovered_text(bundle: BundleFacts) -> str:
    recovered = bundle.facts.get("recovered")
    if isinstance(recovered, dict):
        moment = _moment_text(moment_of(recovered.get("utc")))
        return f"yes, {moment}" if moment else "yes"
    return "no" if bundle.end is not None else "no: it has no end"


def _moment_text(moment: datetime | None) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment is not None else ""


def _text(facts: Mapping[str, Any] | None, name: str) -> str:
    value = (facts or {}).get(name)
    return value if isinstance(value, str) else ""
