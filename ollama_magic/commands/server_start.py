"""`%ollama start`: starts an installed Ollama, which ends with this kernel."""

from __future__ import annotations

import asyncio
import time
from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import CommandContext, CommandResult, command
from ollama_magic.commands.server_process import ServerProcess, find_ollama
from ollama_magic.commands.watch import watch
from ollama_magic.display.tables import Shown, notice
from ollama_magic.errors import InputError, ServerError, ServerUnreachable
from ollama_magic.foreign import one_line, printable
from ollama_magic.line.options import Option
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ollama_magic.conversation.session import Session
    from ollama_magic.display.transfer import Transfer
    from ollama_magic.ollama.address import Address
    from ollama_magic.ollama.protocol import Progress

RESOURCE = "ollama serve"  # its key in the session's owned resources
POLL_S = 0.2
LONGEST_S = 90.0
TAIL = 40  # lines
NOT_INSTALLED = (
    "No `ollama` is installed on this machine; https://ollama.com/download has it, "
    "`%ollama demo` needs none, and `%ollama host URL` sets a server on another machine."
)


@command(
    "start",
    "server",
    "Start the Ollama that is installed on this machine; it ends with this kernel.",
    Option("--log", "show the last lines of its log", default=False),
    Option("--end", "end the server that `%ollama start` has started", default=False),
    notes="A server that already runs is not changed. ■ stops waiting, not the server.",
    examples=("start", "start --log"),
)
def start(context: CommandContext, arguments: Any) -> CommandResult:
    """Start an installed server, unless one already answers."""
    session = context.session
    if arguments.log or arguments.end:
        return _ended(session) if arguments.end else _log(session)
    address = session.address()
    found = session.call(_answers(session))
    if found is not None:
        return CommandResult(address.url, notice(f"Ollama {found} already answers at {address.url}."))
    own = _running(session) or _started(session, address)
    from ollama_magic.display.transfer import Transfer

    transfer = Transfer(RESOURCE, "is started")
    watch(
        context,
        transfer,
        _starting(session, own, transfer),
        "the server is still starting; `%ollama start` waits for it again",
    )
    return CommandResult(address.url)


def _started(session: Session, address: Address) -> ServerProcess:
    """Start a new process; raise InputError if that is not possible."""
    if not address.loopback or address.scheme != "http" or address.path:
        raise InputError(
            f"No server answers at {address.url}, and one can be started on this machine only; start it there, "
            "or run `%ollama host 127.0.0.1:11434` first."
        )
    environ = session.settings().environ
    program = find_ollama(environ)
    if program is None:
        raise InputError(NOT_INSTALLED)
    if RESOURCE in session.owned_resources:  # it has ended by itself
        session.owned_resources.pop(RESOURCE).stop()
    own = ServerProcess(program, address.origin.removeprefix("http://"), environ)
    session.owned_resources[RESOURCE] = own
    return own


def _running(session: Session) -> ServerProcess | None:
    own = session.owned_resources.get(RESOURCE)
    return own if isinstance(own, ServerProcess) and own.status is None else None


async def _answers(session: Session) -> str | None:
    """Return the version of the server, None if none answers; raise ServerError if it is not Ollama."""
    try:
        return await session.server().client.version()
    except ServerUnreachable:
        return None


async def _starting(session: Session, own: ServerProcess, transfer: Transfer) -> AsyncGenerator[Progress, None]:
    """Wait until the server answers, with progress like a pull; raise its last message if it ends instead."""
    from ollama_magic.ollama.protocol import Progress

    yield Progress("starting")
    end = time.monotonic() + LONGEST_S
    while (version := await _answers(session)) is None:
        if own.status is not None:
            raise ServerError(_why(own))
        if time.monotonic() > end:
            raise ServerUnreachable(f"`ollama serve` runs but does not answer yet; `{LOG}` shows its log.")
        await asyncio.sleep(POLL_S)
    models = len(await session.server().client.tags())
    has = counted(models, "model") if models else "no model yet: `%ollama pull gemma3:1b` fetches one"
    transfer.done = f"is started: Ollama {version} at {session.address().url}, {has}; it ends with this kernel"
    yield Progress("success")


def _why(own: ServerProcess) -> str:
    said = next((line for line in reversed(own.tail(TAIL)) if line.strip()), "its log is empty")
    return f"`ollama serve` ended at once: {one_line(said, 200)}. `{LOG}` shows its log."


LOG = "%ollama start --log"


def _log(session: Session) -> CommandResult:
    own = session.owned_resources.get(RESOURCE)
    if not isinstance(own, ServerProcess):
        raise InputError("This kernel has not started a server, so there is no log; `%ollama start` starts one.")
    text = session.secrets().mask(printable("\n".join(own.tail(TAIL)))) or "The log is empty."
    return CommandResult(text, Shown(f"<pre>{escape(text)}</pre>", text))


def _ended(session: Session) -> CommandResult:
    own = session.owned_resources.pop(RESOURCE, None)
    if own is None:
        raise InputError("This kernel has not started a server; end another one where it was started.")
    own.stop()
    return CommandResult(None, notice("The server has ended."))
