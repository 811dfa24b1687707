"""`%ollama start`: an installed Ollama is started on request, waited for, and ends with this kernel."""

from __future__ import annotations

import asyncio
import time
from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import Answer, Here
from ollama_magic.commands.server_process import ServerProcess, find_ollama
from ollama_magic.commands.watch import watch
from ollama_magic.commands.words import command, reads
from ollama_magic.display.tables import Shown, notice
from ollama_magic.errors import InputError, ServerError, ServerUnreachable
from ollama_magic.foreign import one_line, printable
from ollama_magic.line.options import Option

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ollama_magic.conversation.session import Session
    from ollama_magic.display.transfer import Transfer
    from ollama_magic.ollama.address import Address
    from ollama_magic.ollama.requests import Progress

KEPT = "ollama serve"
POLL_S = 0.2
LONGEST_S = 90.0
TAIL = 40  # lines
NOT_INSTALLED = (
    "No `ollama` is installed on this machine; https://ollama.com/download has it, "
    "`%ollama demo` needs none, and `%ollama host URL` names a server elsewhere."
)


@reads(
    command(
        "start",
        "Start the Ollama that is installed on this machine; it ends with this kernel.",
        Option("--log", "show the last lines of what it wrote", absent=False),
        Option("--end", "end the one that was started here", absent=False),
        notes="A server that answers already is left as it is. ■ stops waiting, not the server.",
    )
)
def start(here: Here, asked: Any) -> Answer:
    """Start an installed server of our own, unless one answers already."""
    session = here.session
    if asked.log or asked.end:
        return _ended(session) if asked.end else _log(session)
    address = session.address()
    found = session.call(_answers(session))
    if found is not None:
        return Answer(address.url, notice(f"Ollama {found} answers at {address.url} already."))
    own = _running(session) or _started(session, address)
    from ollama_magic.display.transfer import Transfer

    transfer = Transfer(KEPT, "is started")
    watch(here, transfer, _starting(session, own, transfer), "the server goes on starting; `%ollama start` looks again")
    return Answer(address.url)


def _started(session: Session, address: Address) -> ServerProcess:
    """A new process; InputError where there cannot be one."""
    if not address.loopback or address.scheme != "http" or address.path:
        raise InputError(
            f"Nobody answers at {address.url}, and a server is started on this machine only; start it there, "
            "or `%ollama host 127.0.0.1:11434` first."
        )
    environ = session.settings().environ
    program = find_ollama(environ)
    if program is None:
        raise InputError(NOT_INSTALLED)
    if KEPT in session.kept:  # it has ended by itself
        session.kept.pop(KEPT).stop()
    own = ServerProcess(program, address.origin.removeprefix("http://"), environ)
    session.kept[KEPT] = own
    return own


def _running(session: Session) -> ServerProcess | None:
    own = session.kept.get(KEPT)
    return own if isinstance(own, ServerProcess) and own.status is None else None


async def _answers(session: Session) -> str | None:
    """The version of the server that answers; None if nobody does. What answers and is no Ollama is a ServerError."""
    try:
        return await session.server().client.version()
    except ServerUnreachable:
        return None


async def _starting(session: Session, own: ServerProcess, transfer: Transfer) -> AsyncGenerator[Progress, None]:
    """Look until it answers, told as the lines of a pull are; raise what it said if it ends instead."""
    from ollama_magic.ollama.requests import Progress

    yield Progress("starting")
    end = time.monotonic() + LONGEST_S
    while (version := await _answers(session)) is None:
        if own.status is not None:
            raise ServerError(_why(own))
        if time.monotonic() > end:
            raise ServerUnreachable(f"`ollama serve` runs and does not answer yet; `{LOG}` shows what it writes.")
        await asyncio.sleep(POLL_S)
    models = len(await session.server().client.tags())
    has = f"{models:,} model{'s' * (models != 1)}" if models else "no model yet: `%ollama pull gemma3:1b` fetches one"
    transfer.done = f"is started: Ollama {version} at {session.address().url}, {has}; it ends with this kernel"
    yield Progress("success")


def _why(own: ServerProcess) -> str:
    said = next((line for line in reversed(own.tail(TAIL)) if line.strip()), "it wrote nothing")
    return f"`ollama serve` ended at once: {one_line(said, 200)}. `{LOG}` shows all it wrote."


LOG = "%ollama start --log"


def _log(session: Session) -> Answer:
    own = session.kept.get(KEPT)
    if not isinstance(own, ServerProcess):
        raise InputError("No server was started here, so there is no log; `%ollama start` starts one.")
    text = session.secrets().mask(printable("\n".join(own.tail(TAIL)))) or "It wrote nothing yet."
    return Answer(text, Shown(f"<pre>{escape(text)}</pre>", text))


def _ended(session: Session) -> Answer:
    own = session.kept.pop(KEPT, None)
    if own is None:
        raise InputError("No server was started here; one that runs by itself is ended where it was started.")
    own.stop()
    return Answer(None, notice("The server that was started here has ended."))
