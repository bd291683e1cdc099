"""Timing, measured beside a rival in the same run on the virtual sound card.

``python -m tests.benchmarks`` (``make bench``) runs them all, prints a table and writes JSON;
``python -m tests.benchmarks.soak`` (``make soak``) runs for ten minutes.
"""
