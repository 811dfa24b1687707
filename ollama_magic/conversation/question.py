"""A question that a turn asks its user before it goes on; views with buttons show it, and a click answers it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop


class Question:
    """Made on the loop; it may be answered from any thread, and only the first answer counts."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._loop: AbstractEventLoop = asyncio.get_running_loop()
        self._answered: asyncio.Future[bool] = self._loop.create_future()

    def answer(self, yes: bool) -> None:
        """Answer it."""
        self._loop.call_soon_threadsafe(self._set, yes)

    async def answered(self) -> bool:
        """Wait for the answer."""
        return await self._answered

    def _set(self, yes: bool) -> None:
        if not self._answered.done():
            self._answered.set_result(yes)
