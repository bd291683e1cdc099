"""What changes while the library reads it: the index says what was written last."""

from __future__ import annotations

import os
from contextlib import contextmanager

import pytest

from app.bundles.notes import Notes, save_notes
from app.library import library as library_module
from app.library import library_look
from app.library.library import Library
from app.library.library_look import Look, look_at, look_at_all
from tests.app.library_rig import only
from tests.rig.bundles import make_bundle


@pytest.fixture
def meanwhile(monkeypatch):
    """What is done once, at a moment of somebody's choice, while the library reads an item."""
    read_entry, do = library_module.read_entry, {}

    def reading(look):
        do.pop("before", int)()
        facts = read_entry(look)
        do.pop("after", int)()
        return facts

    monkeypatch.setattr(library_module, "read_entry", reading)
    return do


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("look", [lambda library: library.update(["s"]), Library.refresh])
def test_of_two_titles_the_one_that_was_written_last_is_listed(library, meanwhile, moment, look):
    """A title is changed while the item is read, and is in the index before what was read."""
    folder, cache = library.folder, library.index.path.parent
    make_bundle(folder, name="s", notes={"title": "One"})
    library.refresh()
    save_notes(folder / "s", Notes("Two"))
    meanwhile[moment] = lambda: Library(folder, cache).rename("s", "Six")
    look(library)
    assert [entry.title for entry in library.entries()] == ["Six"]
    assert (library.search("six"), library.search("two")) == ({"s"}, set())
    assert library.search("order") == {"s"}


def test_what_is_moved_away_while_it_is_read_is_not_listed(library, folder, meanwhile):
    library.refresh()
    bundle = make_bundle(folder, name="s")

    def move_away():
        bundle.rename(folder.parent / "away")
        library.forget(["s"])

    meanwhile["after"] = move_away
    library.refresh()
    assert library.entries() == []


def test_what_never_holds_still_is_listed_as_it_was_seen(library, folder, monkeypatch):
    monkeypatch.setattr(Look, "still_holds", lambda _look: False)
    make_bundle(folder, name="s", notes={"title": "One"})
    assert only(library).title == "One"


def test_a_recording_that_begins_while_the_folder_is_looked_at_stays_listed(
    library, folder, monkeypatch
):
    library.refresh()
    look_at_all = library_module.look_at_all

    def looking(*args):
        looks = look_at_all(*args)
        make_bundle(folder, name="new")
        library.update(["new"])
        return looks

    monkeypatch.setattr(library_module, "look_at_all", looking)
    library.refresh()
    assert [entry.name for entry in library.entries()] == ["new"]


def test_figures_that_are_read_meanwhile_stay(library, folder, tmp_path, meanwhile):
    """A refresh that reads no events takes nothing of what another has read of them."""
    make_bundle(folder, name="s")
    meanwhile["after"] = lambda: Library(folder, tmp_path / "cache").update(["s"])
    library.refresh(with_events=False)
    assert [entry.interruptions for entry in library.entries()] == [1]
    assert library.search("order") == {"s"}


@pytest.fixture
def listed_before(monkeypatch):
    """What is done once a folder was listed, before what is in it is looked at."""
    scandir, do = os.scandir, []

    @contextmanager
    def scanning(path):
        with scandir(path) as items:
            found = list(items)
        for act in do:
            act()
        yield iter(found)

    monkeypatch.setattr(library_look.os, "scandir", scanning)
    return do


def test_a_draft_that_takes_its_place_meanwhile_does_not_hide_the_recording(
    library, folder, listed_before
):
    bundle = make_bundle(folder, name="s")
    (bundle / "peaks").mkdir()
    drafts = [bundle / ".notes.json.1.draft", bundle / "peaks" / ".abc.draft"]
    for draft in drafts:
        draft.touch()
    library.refresh()
    listed_before.append(lambda: [draft.unlink(missing_ok=True) for draft in drafts])
    assert look_at(bundle).kind == "bundle"
    for draft in drafts:
        draft.touch()
    library.update(["s"])
    assert [entry.name for entry in library.entries()] == ["s"]
    drafts[0].touch()
    assert [look.path.name for look in look_at_all(folder)] == ["s"]
    drafts[0].touch()
    assert library.removable("s") == bundle


def test_a_folder_that_is_moved_away_while_it_is_looked_at_is_gone(folder, listed_before):
    bundle = make_bundle(folder, name="s")
    listed_before.append(lambda: bundle.exists() and bundle.rename(folder.parent / "away"))
    assert look_at(bundle) is None
