"""The figures of the one format of the contract, for who needs no array of samples. Pure.

Beside them ``audio.pcm`` has the conversions, and numpy.
"""

SAMPLE_RATE = 16_000
"""Samples a second of the contract."""

SAMPLE_WIDTH = 2
"""Bytes of one sample of the contract."""
