"""The clock of the local SES, which a test can move."""

from __future__ import annotations

import time

from ..state.model import World


class Clock:
    """Real time plus the offset of the world."""

    def __init__(self, world_of):
        self._world_of = world_of

    def now(self) -> float:
        world: World = self._world_of()
        return time.time() + world.clock_offset

    def advance(self, seconds: float) -> None:
        self._world_of().clock_offset += seconds

    def set(self, seconds_since_1970: float) -> None:
        self._world_of().clock_offset = seconds_since_1970 - time.time()
