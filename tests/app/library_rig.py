"""The library of a folder, asked in a word."""

from __future__ import annotations


def listed(library):
    library.refresh()
    return {entry.name: entry for entry in library.entries()}


def only(library):
    (entry,) = listed(library).values()
    return entry


def found(library, text):
    library.refresh()
    return sorted(library.search(text))
