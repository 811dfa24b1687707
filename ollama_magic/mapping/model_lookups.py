"""Looks a model up on every host of a map: who has it, and whether it is the same one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from ollama_magic.errors import InputError, ModelNotFound, OllamaMagicError, ServerUnreachable
from ollama_magic.foreign import one_line
from ollama_magic.mapping.asking import now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ollama_magic.conversation.server import Server
    from ollama_magic.display.map_progress import MapProgress
    from ollama_magic.mapping.hosts import Host

T = TypeVar("T")


class ModelLookups:
    """One model on the hosts of a map; `hosts` are those that are not known to lack it."""

    def __init__(self, hosts: Sequence[Host], progress: MapProgress, needs: frozenset[str]) -> None:
        self.hosts = list(hosts)
        self.model = ""
        self.digest = ""
        self.progress, self._needs = progress, needs

    async def begin(self, model: str, first: Host) -> str:
        """Look the model up on every host, of which `first` has it; return its digest."""
        self.model = model
        self.digest = await first.server.digest(model, fresh=True)
        first.checked = True
        others = [host for host in self.hosts if host is not first]
        await asyncio.gather(*(self._try(host) for host in others))
        return self.digest

    async def check(self, host: Host) -> None:
        """Look the model up on a host that could not be reached before; raises what the look-up raises."""
        if host.checked:
            return
        await host.server.model_for(self.model, self._needs)
        own = await host.server.digest(self.model, fresh=True)
        if own and self.digest and own != self.digest:
            raise InputError(f"its {one_line(self.model, 80)} is another one; pull it there")
        host.checked = True

    async def has_model(self, host: Host) -> bool:
        """Whether a host has the model; one that turns out to lack it is left out. Raises if it cannot be reached."""
        try:
            await self.check(host)
        except (ModelNotFound, InputError) as error:
            self.leave_out(host, error)
            return False
        return True

    def leave_out(self, host: Host, error: OllamaMagicError) -> None:
        """Leave a host out for good: it lacks the model."""
        if host in self.hosts:
            self.hosts.remove(host)
        self.progress.lines.append(f"{host.name} is left out: {one_line(str(error), 200)}")

    async def _try(self, host: Host) -> None:
        try:
            await self.check(host)
        except (ModelNotFound, InputError) as error:
            self.leave_out(host, error)
        except ServerUnreachable as error:
            host.unreachable(now(), error)
            self.progress.problems[host.name] = host.problem
        except OllamaMagicError as error:
            self.leave_out(host, error)


async def first_that_can(hosts: Sequence[Host], look_up: Callable[[Server], Awaitable[T]]) -> tuple[T, Host]:
    """Return what a look-up finds on the first host that is there and has what is asked for.

    Raises:
        OllamaMagicError: None of them can.
    """
    problem: OllamaMagicError | None = None
    for host in hosts:
        try:
            return await look_up(host.server), host
        except (ModelNotFound, ServerUnreachable) as error:
            problem = problem if isinstance(problem, ModelNotFound) else error
    raise problem or OllamaMagicError("This needs a server; name one with hosts=[…].")
