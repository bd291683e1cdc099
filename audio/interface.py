"""The contract: what an ElevenLabs conversation asks of whatever carries its audio.

Audio in both directions is 16-bit little-endian PCM, mono, 16,000 samples a second.

======================  ================================================================
call                    who calls it, and what it may do
======================  ================================================================
``start(callback)``     the conversation's thread; may block while devices open, raises if they fail
``callback(audio)``     a thread of the interface's own; may block, raise, and call ``stop()``
``output(audio)``       the conversation's receive thread; returns at once
``interrupt()``         any thread; acts at once
``stop()``              any thread, the callback's included; also before ``start()``, and twice
======================  ================================================================

After ``stop()`` no callback begins, ``output()`` and ``interrupt()`` do nothing, and ``start()``
may be called again. The ElevenLabs SDK calls by these names and signatures; its own base classes
need not be inherited.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

InputCallback = Callable[[bytes], None]
AsyncInputCallback = Callable[[bytes], Awaitable[None]]


class AudioInterface(ABC):
    """Carries audio between a person, or a file, and an agent."""

    @abstractmethod
    def start(self, input_callback: InputCallback) -> None:
        """Open both sides and begin to call ``input_callback`` with mic chunks.

        Chunks are whole samples in the contract's format; 4,000 samples (250 ms) is what the SDK
        recommends. Raises when a side cannot be opened, and then leaves nothing open.
        """

    @abstractmethod
    def stop(self) -> None:
        """Close both sides; safe before ``start`` and twice. No callback begins after it."""

    @abstractmethod
    def output(self, audio: bytes) -> None:
        """Queue an agent chunk of any length for playout, and return at once."""

    @abstractmethod
    def interrupt(self) -> None:
        """Empty the playout queue at once: nothing queued before this call is heard after it."""


class AsyncAudioInterface(ABC):
    """The same contract for an event loop: each call is awaited, and so is the callback.

    The callback is awaited on the loop that called ``start()``, one chunk at a time and in order.
    No method holds the loop for longer than a few milliseconds.
    """

    @abstractmethod
    async def start(self, input_callback: AsyncInputCallback) -> None:
        """Open both sides and begin to await ``input_callback`` with mic chunks."""

    @abstractmethod
    async def stop(self) -> None:
        """Close both sides; safe before ``start`` and twice. No callback begins after it."""

    @abstractmethod
    async def output(self, audio: bytes) -> None:
        """Queue an agent chunk of any length for playout, and return at once."""

    @abstractmethod
    async def interrupt(self) -> None:
        """Empty the playout queue at once: nothing queued before this call is heard after it."""
