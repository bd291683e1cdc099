"""What is closed at the end of a ``with``. Any thread; it is as safe as the ``close`` it calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Closing(ABC):
    """Gives itself to a ``with`` statement, and closes itself at its end, whatever happened."""

    __slots__ = ()

    @abstractmethod
    def close(self) -> None:
        """Let go of what is held; harmless twice."""

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it; what was raised goes on."""
        self.close()
