"""Who is heard, and how loud."""

from __future__ import annotations

import numpy as np

from app.playing.mixing import mix
from app.recordings.sources import sources_of
from tests.app.played import Track


def test_who_is_mixed() -> None:
    loud, soft = Track(np.full(10, 30_000)), Track(np.full(5, 5000))
    both = sources_of(loud, soft)
    assert mix(both, 3, 7).tolist() == [32767, 32767, 30_000, 30_000]
    assert mix(both, 3, 7, user=False).tolist() == [5000, 5000, 0, 0]
    assert mix(both, 3, 7, agent=False).tolist() == [30_000] * 4
    assert mix(both, 3, 7, user=False, agent=False).tolist() == [0] * 4
    assert mix(sources_of(None, soft), 0, 2).tolist() == [5000, 5000]
