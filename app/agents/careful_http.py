"""The HTTP client for the signed URL: it follows no redirect and reads no endless answer.

Used by the link's thread.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx

TIMEOUT_S = 10.0
LONGEST_ANSWER = 1024 * 1024
"""In bytes; a signed URL takes some hundred."""


class AnswerTooLong(httpx.ProtocolError):
    """A server's answer goes on and on."""


class _BoundedStream(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        count = 0
        for piece in self._stream:
            count += len(piece)
            if count > LONGEST_ANSWER:
                raise AnswerTooLong("The answer is too long.")
            yield piece

    def close(self) -> None:
        self._stream.close()


def _bound(response: httpx.Response) -> None:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        # none was asked for, and a small one may unfold to gigabytes
        raise AnswerTooLong("The answer is packed.")
    if isinstance(response.stream, httpx.SyncByteStream):
        response.stream = _BoundedStream(response.stream)


def make_client() -> httpx.Client:
    """Return a client that is careful; whoever asked for it closes it."""
    return httpx.Client(
        timeout=TIMEOUT_S,
        # the key must not follow a redirect to another host
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},
        event_hooks={"response": [_bound]},
    )
