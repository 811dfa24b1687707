"""Commands of `%ollama` that take their time: pull, create, load. How that is followed stands in `watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import Answer, Here
from ollama_magic.commands.models import valid
from ollama_magic.commands.watch import watch
from ollama_magic.commands.words import command, reads
from ollama_magic.display.readable import bytes_text, processor
from ollama_magic.errors import InputError
from ollama_magic.line import values
from ollama_magic.line.model_options import merge_model_options, read_model_option
from ollama_magic.line.options import Argument, Option

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ollama_magic.conversation.server import Server
    from ollama_magic.display.transfer import Transfer
    from ollama_magic.ollama.requests import Progress

LOADED = Option(
    "--keep-alive",
    "how long the model stays loaded: 300, 1h30m, or -1 for ever",
    metavar="D",
    read=values.duration,
)


@reads(
    command(
        "pull",
        "Download a model, or what is new of it.",
        Argument("MODEL"),
        Option("--insecure", "take it from a registry without TLS", absent=False),
        notes="■ or Stop pauses it: run it again, and it goes on from what has come.",
    )
)
def pull(here: Here, asked: Any) -> Answer:
    """Download a model, with a bar for each of its layers; the cell ends with it."""
    from ollama_magic.display.transfer import Transfer

    name, server = valid(asked.model), here.session.server()
    lines = server.client.stream_pull(name, insecure=asked.insecure)
    again = f"`%ollama pull {name}{' --insecure' * asked.insecure}` goes on from what has come"
    try:
        watch(here, Transfer(name), lines, again)
    finally:
        server.book.forget(name)
    return Answer(name)


@reads(
    command(
        "create",
        "Make a model from another one; an existing model of that name is replaced.",
        Argument("NAME"),
        Option("--from", "the model it is made from; a missing one is pulled", metavar="BASE", dest="base"),
        Option("--system", "its system text", short="-s", metavar="TEXT", absent=""),
        Option("--template", "its template", metavar="TEXT", absent=""),
        Option(
            "--option",
            "one of its parameters, such as num_ctx=8192; may be given more than once",
            short="-o",
            metavar="KEY=VALUE",
            read=read_model_option,
            gather=merge_model_options,
        ),
    )
)
def create(here: Here, asked: Any) -> Answer:
    """Make a model from another one: with a system text, parameters, a template of its own."""
    from ollama_magic.display.transfer import Transfer
    from ollama_magic.ollama.requests import CreateRequest

    if not asked.base:
        raise InputError(f"`%ollama create {asked.name}` needs the model it is made from: --from gemma3:1b.")
    name, base, server = valid(asked.name), valid(asked.base), here.session.server()
    request = CreateRequest(name, base, asked.system, asked.template, asked.option or {})
    try:
        watch(here, Transfer(name, "is made"), server.client.stream_create(request), "run the cell again")
    finally:
        server.book.forget(name)
    return Answer(name)


@reads(command("load", "Bring a model into memory, so that its first answer comes at once.", Argument("MODEL"), LOADED))
def load(here: Here, asked: Any) -> Answer:
    """Bring a model into memory, with a clock, for that can take minutes."""
    from ollama_magic.display.transfer import Transfer

    name, server = valid(asked.model), here.session.server()
    here.session.call(server.book.look_up(name, frozenset()))
    transfer = Transfer(name, "is loaded")
    watch(here, transfer, _loading(server, transfer, asked.keep_alive), "the server may go on loading it")
    return Answer(name)


async def _loading(server: Server, transfer: Transfer, keep: float | str | None) -> AsyncGenerator[Progress, None]:
    """A load, told as the lines of a pull are; its end says where the model is computed."""
    from ollama_magic.ollama.models import same_model
    from ollama_magic.ollama.requests import Progress

    yield Progress("loading it into memory")
    await server.client.load(transfer.name, keep)
    for running in await server.client.ps():
        if same_model(transfer.name, running.name):
            where = processor(running.size, running.size_vram)
            window = f", {running.context_length:,} tokens of context" if running.context_length else ""
            transfer.done = f"is loaded: {bytes_text(running.size)}, {where}{window}"
    yield Progress("success")
