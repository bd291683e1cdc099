"""The index of the library: what is found in it, and what becomes of it when it breaks."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.library import library_index
from app.library.library import Library
from app.library.library_read import TEXT_LIMIT
from tests.app.library_rig import found, only
from tests.rig.bundles import make_bundle

# --- what is found


@pytest.fixture(params=["trigrams", "plain"])
def either_index(request, monkeypatch):
    """The index with SQLite's trigrams, and as it is where SQLite has none."""
    if request.param == "plain":
        layout = "CREATE VIRTUAL TABLE texts USING no_such_module(x)"
        monkeypatch.setattr(library_index, "_TEXTS", layout)


@pytest.mark.usefixtures("either_index")
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("refund", ["a"]),
        ("REFU", ["a"]),
        ("fund", ["a"]),
        ("cafe", ["b"]),
        ("CAFÉ", ["b"]),
        ("strasse", ["b"]),
        ("退款", ["b"]),
        ("款", ["b"]),
        ("echo", ["a", "b"]),
        ("echo refund", ["a"]),
        ("echo nothing-like-it", []),
        ("is", ["a", "b"]),
        ('"refund is late"', ["a"]),
        ('"late refund"', []),
        ('"refund is', ["a"]),
        ('say "hi', ["b"]),
        ('he"llo', ["b"]),
        ("tagged", ["a"]),
        ("marked", ["b"]),
        ("careful", ["a"]),
        ("elevenlabs", ["b"]),
        ("100%", ["b"]),
        ("_", ["b"]),
        ("AND", []),
        ("NEAR(refund late)", []),
        ("refund OR nothing", []),
        ("heading:refund", []),
        ("refund*", []),
        ("-refund", []),
        ("^refund", []),
        ("'; DROP TABLE items; --", []),
        ("(", ["b"]),
        ('""', ["a", "b"]),
        ("\x00", ["a", "b"]),
        ("\ud83d", ["a", "b"]),
        ("  ", ["a", "b"]),
    ],
)
def test_words_are_found_wherever_they_stand_and_are_never_operators(library, folder, text, names):
    make_bundle(
        folder,
        name="a",
        user_says="My refund is late.",
        notes={"title": "Echo", "tags": ["tagged"], "notes": "Careful!", "markers": []},
    )
    make_bundle(
        folder,
        name="b",
        agent_says='Café in der Straße_7 (100%): 我要退款, say "hi" is he"llo.',
        agent={"kind": "elevenlabs", "label": "ElevenLabs x", "id": "x"},
        notes={"title": "", "markers": [{"t": 1.0, "text": "marked echo"}]},
    )
    assert found(library, text) == names


def test_nothing_that_can_be_typed_breaks_the_index(library, folder):
    make_bundle(folder, name="s")
    library.refresh()
    dice = random.Random(1)
    pieces = ['"', "'", "*", "(", ")", "AND ", " OR ", "NOT ", "^", "-", ":", "+", "{", "}", ","]
    pieces += ["order", "ord", "é", "\u0301", "\x00", "\ud800", "退款", " ", "%", "_", "\\", "\n"]
    for _ in range(500):
        library.search("".join(dice.choices(pieces, k=dice.randrange(1, 9))))
    assert library.index.begun == 1
    assert library.search("order") == {"s"}


def test_a_transcript_is_searched_as_far_as_its_limit(library, folder):
    make_bundle(folder, name="long", user_says="blah " * 60_000 + "needle", exchanges=1)
    make_bundle(folder, name="too long", user_says="x" * TEXT_LIMIT + "needle", exchanges=1)
    assert found(library, "needle") == ["long"]


# --- an index that breaks


def spoil_bytes(path):
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 50_000)


def spoil_middle(path):
    content = bytearray(path.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    path.write_bytes(content)


def spoil_end(path):
    path.write_bytes(path.read_bytes()[:5000])


def spoil_layout(path):
    path.unlink()
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE items(other)")
    base.execute(f"PRAGMA user_version={library_index.VERSION}")
    base.commit()
    base.close()


def spoil_kind(path):
    path.write_text("these are my notes")


def spoil_half(path):
    base = sqlite3.connect(path)
    base.execute("DELETE FROM texts WHERE rowid > 20")
    base.commit()
    base.close()


def spoil_away(path):
    path.unlink()


SPOILERS = [
    *(spoil_bytes, spoil_middle, spoil_end, spoil_layout, spoil_kind, spoil_half, spoil_away)
]


@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_spoilt_index_is_built_anew(library, folder, tmp_path, spoil):
    for number in range(40):
        make_bundle(folder, number, exchanges=1)
    library.refresh()
    spoil(library.index.path)
    again = Library(folder, tmp_path / "cache")
    again.entries()
    again.search("order")
    assert len(found(again, "order")) == 40
    assert len(again.entries()) == 40
    third = Library(folder, tmp_path / "cache")
    assert len(third.entries()) == 40  # it is a file again


def test_an_index_that_goes_away_in_the_middle_is_whole_in_the_end(library, folder):
    for number in range(250):
        make_bundle(folder, number, exchanges=1)
    library.refresh()
    for number in range(250, 500):
        make_bundle(folder, number, exchanges=1)
    gone = []

    def lose_it(_progress):
        if not gone:
            gone.append(library.index.path.unlink())

    library.refresh(lose_it)
    assert len(library.entries()) == 500
    assert len(library.search("order")) == 500


def test_without_a_place_for_a_file_the_index_is_kept_in_memory(folder, tmp_path):
    make_bundle(folder, name="s")
    (tmp_path / "no folder").write_text("")
    library = Library(folder, tmp_path / "no folder" / "cache")
    assert found(library, "order") == ["s"]
    library.rename("s", "kept")
    assert only(library).title == "kept"


def test_an_index_that_somebody_holds_is_not_waited_for_for_ever(
    library, folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(library_index, "LOCKED_S", 0.1)
    make_bundle(folder, name="s")
    library.refresh()
    file = library.index.path.stat().st_ino
    holder = sqlite3.connect(library.index.path)
    holder.execute("BEGIN EXCLUSIVE")
    other = Library(folder, tmp_path / "cache")
    assert found(other, "order") == ["s"]
    holder.close()
    assert library.index.path.stat().st_ino == file  # and is not thrown away
    assert found(library, "order") == ["s"]


CHILD = """
import sys
from pathlib import Path
from app.library.library import Library
library = Library(Path(sys.argv[1]), Path(sys.argv[2]))
library.refresh()
print(len(library.entries()), len(library.search("order")))
"""


def test_several_processes_and_threads_may_use_it_at_once(library, folder, tmp_path):
    for number in range(300):
        make_bundle(folder, number, exchanges=1)
    command = [sys.executable, "-c", CHILD, str(folder), str(tmp_path / "cache")]
    root = Path(__file__).parents[3]
    others = [
        subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, text=True) for _ in range(2)
    ]
    threads = [threading.Thread(target=library.refresh) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.communicate(timeout=30)[0].split() for other in others] == [["300", "300"]] * 2
    assert len(library.entries()) == len(library.search("order")) == 300
    assert library.index.path.exists()
