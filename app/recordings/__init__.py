"""Recordings that are opened, from a bundle, a zip or an audio file: tracks, events, turns."""
