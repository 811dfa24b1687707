"""What runs batches elsewhere: any `concurrent.futures.Executor`, and what it is asked for beyond that."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor


def executor_from(executor: Any) -> Executor | None:
    """Return an executor, also that of a client of Dask; raise InputError for what cannot run anything."""
    if callable(getattr(executor, "get_executor", None)):
        executor = executor.get_executor()
    if executor is not None and not callable(getattr(executor, "submit", None)):
        kind = one_line(type(executor).__name__, 40)
        raise InputError(
            f"executor is a concurrent.futures.Executor, such as Dask's client.get_executor(), not {kind}."
        )
    found: Executor | None = executor
    return found


def run_in_workers(executor: Executor, function: Callable[..., object], *arguments: Sequence[str]) -> None:
    """Run a function in every worker process, also in those that are busy, if the executor has a way to: Dask has."""
    run = getattr(getattr(executor, "_client", None), "run", None)
    if callable(run):
        with suppress(Exception):  # then what was begun ends by itself
            run(function, *arguments)
