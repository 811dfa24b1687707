"""Commands of `%ollama` that show progress: pull, create, load."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import CommandContext, CommandResult, command
from ollama_magic.commands.model_commands import valid
from ollama_magic.commands.watch import watch
from ollama_magic.display.readable import bytes_text, processor
from ollama_magic.errors import InputError
from ollama_magic.line import value_readers
from ollama_magic.line.options import Argument, Option
from ollama_magic.line.turn_options import MODEL_OPTION

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ollama_magic.conversation.server import Server
    from ollama_magic.display.transfer import Transfer
    from ollama_magic.ollama.protocol import Progress


@command(
    "pull",
    "models",
    "Download or update a model.",
    Argument("MODEL", kind="model"),
    Option("--insecure", "allow a registry without TLS", default=False),
    notes="■ or Stop pauses it; run it again to resume it.",
    examples=("pull gemma3:1b",),
)
def pull(context: CommandContext, arguments: Any) -> CommandResult:
    """Download a model, with a progress bar for each layer."""
    from ollama_magic.display.transfer import Transfer

    name, server = valid(arguments.model), context.session.server()
    lines = server.client.stream_pull(name, insecure=arguments.insecure)
    on_retry = f"`%ollama pull {name}{' --insecure' * arguments.insecure}` resumes it"
    try:
        watch(context, Transfer(name), lines, on_retry)
    finally:
        server.catalog.forget(name)
    return CommandResult(name)


@command(
    "create",
    "models",
    "Create a model from another one; an existing model of that name is replaced.",
    Argument("NAME"),
    Option("--from", "the model it is made from; a missing one is pulled", metavar="BASE", dest="base", kind="model"),
    Option("--system", "its system text", short="-s", metavar="TEXT", default="", prose=True),
    Option("--template", "its template", metavar="TEXT", default="", prose=True),
    replace(MODEL_OPTION, help="one of its parameters, such as num_ctx=8192; may be used more than once"),
    examples=('create pirate --from gemma3:1b --system "You are a pirate." -o temperature=1.2',),
)
def create(context: CommandContext, arguments: Any) -> CommandResult:
    """Create a model from another one, with its own system text, parameters and template."""
    from ollama_magic.display.transfer import Transfer
    from ollama_magic.ollama.protocol import CreateRequest

    if not arguments.base:
        raise InputError(f"`%ollama create {arguments.name}` needs the model it is made from: --from gemma3:1b.")
    name, base, server = valid(arguments.name), valid(arguments.base), context.session.server()
    request = CreateRequest(name, base, arguments.system, arguments.template, arguments.option or {})
    try:
        watch(context, Transfer(name, "is made"), server.client.stream_create(request), "run the cell again")
    finally:
        server.catalog.forget(name)
    return CommandResult(name)


@command(
    "load",
    "models",
    "Load a model, so that its first answer comes at once.",
    Argument("MODEL", kind="model"),
    Option(
        "--keep-alive",
        "how long the model stays loaded: 300, 1h30m, or -1 forever",
        metavar="D",
        read=value_readers.duration,
        kind="duration",
    ),
    examples=("load gemma3:1b --keep-alive 1h",),
)
def load(context: CommandContext, arguments: Any) -> CommandResult:
    """Load a model and show a clock, because that can take minutes."""
    from ollama_magic.display.transfer import Transfer

    name, server = valid(arguments.model), context.session.server()
    context.session.call(server.catalog.look_up(name, frozenset()))
    transfer = Transfer(name, "is loaded")
    watch(context, transfer, _loading(server, transfer, arguments.keep_alive), "the server may go on loading it")
    return CommandResult(name)


async def _loading(server: Server, transfer: Transfer, keep: float | str | None) -> AsyncGenerator[Progress, None]:
    """Load a model, with progress like a pull; the end says which processor it uses."""
    from ollama_magic.ollama.model_names import same_model
    from ollama_magic.ollama.protocol import Progress

    yield Progress("loading it into memory")
    await server.client.load(transfer.name, keep)
    for running in await server.client.ps():
        if same_model(transfer.name, running.name):
            device = processor(running.size, running.size_vram)
            window = f", {running.context_length:,} tokens of context" if running.context_length else ""
            transfer.done = f"is loaded: {bytes_text(running.size)}, {device}{window}"
    yield Progress("success")
