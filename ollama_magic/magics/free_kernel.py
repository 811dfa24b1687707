"""Calls a function in the main thread when it is free: on the kernel's own loop, else when the next cell has ended."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def when_free(shell: Any) -> Callable[[Callable[[], None]], None]:
    """Return what schedules a function, from any thread."""

    def schedule(serve: Callable[[], None]) -> None:
        loop = getattr(getattr(getattr(shell, "kernel", None), "io_loop", None), "asyncio_loop", None)
        if loop is None:
            _after_a_cell(shell, serve)
            return
        with suppress(RuntimeError):  # the kernel is about to end
            loop.call_soon_threadsafe(serve)

    return schedule


def _after_a_cell(shell: Any, serve: Callable[[], None]) -> None:
    def once(result: object = None) -> None:
        del result
        with suppress(ValueError):
            shell.events.unregister("post_run_cell", once)
        serve()

    shell.events.register("post_run_cell", once)
