"""Sessions whose truth is known, and how near to it the program comes.

A scenario (``scenarios.py``) says what is played into a virtual microphone and what a scripted
agent sends, and when. It is played through the real parts, in a process and on a sound card of its
own (``playing.py``); what really happened is heard at the card's monitors. ``judging.py`` lays the
program's records beside that, ``python -m tests.benchmarks.interruptions`` does so for all of them.
"""
