"""Commands of `%ollama` about the models of a server: list, ps, cp, rm, stop MODEL, embed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import CommandContext, CommandResult, command
from ollama_magic.commands.confirmation import YES, confirm
from ollama_magic.display.readable import ago, bytes_text, processor, until
from ollama_magic.display.tables import MOST, BadgeCell, notice, stacked, table
from ollama_magic.errors import InputError, OllamaMagicError
from ollama_magic.foreign import one_line
from ollama_magic.line import value_readers
from ollama_magic.line.options import Argument, Option

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ollama_magic.conversation.server import Server
    from ollama_magic.ollama.embeddings import Embeddings
    from ollama_magic.ollama.protocol import ModelSummary, RunningModel

CLOUD = "cloud: leaves this machine"
_ORDER = ("completion", "tools", "thinking", "vision", "audio", "image", "insert", "embedding")
_FIRST_NUMBERS = 5
LOOK_S = 3.0  # for the capabilities of a whole list
_NONE = "No model is installed: `%ollama pull gemma3:1b` fetches one, or try `%ollama demo`."


@command(
    "list",
    "models",
    "The installed models, newest first.",
    Argument("PREFIX", required=False, kind="model"),
    examples=("list", "list gemma", "models = %ollama list"),
)
def list_models(context: CommandContext, arguments: Any) -> CommandResult:
    """List the installed models, newest first, optionally those whose names begin with a prefix."""
    server, prefix = context.session.server(), arguments.prefix or ""
    models = context.session.call(server.client.tags())
    found = [model for model in models if model.name.lower().startswith(prefix.lower())]
    if not found:
        none = f"No model begins with “{one_line(prefix, 80)}”; `%ollama list` shows all {len(models):,}."
        return CommandResult([], notice(none if models else _NONE))
    found[:MOST] = context.session.call(_with_capabilities(server, found[:MOST]))
    columns = ("name", "id", "size", "modified", "parameters", "can")
    return CommandResult(
        found, table(columns, [_model_row(context, model) for model in found[:MOST]], total=len(found))
    )


@command("ps", "models", "The loaded models, and the processor that they use.")
def ps(context: CommandContext, arguments: Any) -> CommandResult:
    """List the loaded models, their processor and expiry; models with the same weights share a runner."""
    del arguments
    server = context.session.server()
    running = context.session.call(server.client.ps())
    if not running:
        return CommandResult([], notice(f"No model is loaded.{_too_old(context, server)}"))
    rows = [_running_row(model) for model in running]
    shown = table(("name", "id", "size", "processor", "context", "until"), rows)
    shared = _shared(context, server, [model.name for model in running])
    notes = [f"`{name}` shares its runner with {_named(others)}." for name, others in shared.items()]
    return CommandResult(running, stacked(shown, *map(notice, notes)))


@command(
    "cp",
    "models",
    "Copy a model to another name.",
    Argument("SOURCE", kind="model"),
    Argument("DESTINATION"),
    YES,
    examples=("cp gemma3:1b my-gemma",),
)
def cp(context: CommandContext, arguments: Any) -> CommandResult:
    """Copy a model to another name; asks before it replaces another model."""
    session, server = context.session, context.session.server()
    source, destination = valid(arguments.source), valid(arguments.destination)
    session.call(server.catalog.look_up(source, frozenset()))
    old, new = (_digest(context, server, name) for name in (destination, source))
    command_line = f"%ollama cp {source} {destination}"
    lost = f"`{destination}` is another model, and would be replaced."
    if old and old != new and not confirm(lost, arguments.yes, command_line):
        return CommandResult(None, notice("Nothing was copied."))
    session.call(server.client.copy(source, destination))
    server.catalog.forget(destination)
    return CommandResult(destination, notice(f"copied '{source}' to '{destination}'"))


@command(
    "rm",
    "models",
    "Remove models from the server's disk.",
    Argument("MODEL", many=True, kind="model"),
    YES,
    examples=("rm my-gemma", "rm my-gemma old-gemma --yes"),
)
def rm(context: CommandContext, arguments: Any) -> CommandResult:
    """Unload models and remove them from the server's disk; asks first, unless `--yes` is set."""
    session, server = context.session, context.session.server()
    names = list(dict.fromkeys(valid(name) for name in arguments.model))
    for name in names:
        session.call(server.catalog.look_up(name, frozenset()))
    listed = ", ".join(f"`{name}`" for name in names)
    if not confirm(f"Remove {listed} permanently?", arguments.yes, f"%ollama rm {' '.join(names)}"):
        return CommandResult([], notice("Nothing was removed."))
    for name in names:
        session.call(_remove(server, name))
    return CommandResult(names, notice("; ".join(f"deleted '{name}'" for name in names)))


def unload(context: CommandContext, name: str) -> CommandResult:
    """Unload a model, and say which others are unloaded with it."""
    server = context.session.server()
    context.session.call(server.unload(name))
    others = _shared(context, server, [name]).get(name, ())
    one = len(others) == 1
    too = (
        f" {_named(others)} share{'s' * one} its runner, and {'was' if one else 'were'} unloaded too." if others else ""
    )
    return CommandResult(name, notice(f"`{one_line(name, 80)}` is unloaded.{too}"))


@command(
    "embed",
    "models",
    "A vector for a text; put each of several texts in quotes.",
    Argument("TEXT", rest=True, many=True, prose=True),
    Option("--model", "a model for embeddings", short="-m", metavar="NAME", read=value_readers.name, kind="model"),
    Option("--dimensions", "cut the vectors to N numbers", metavar="N", read=value_readers.whole),
    Option("--no-truncate", "refuse a text that is too long instead of cutting it", const=False, dest="truncate"),
    notes="The result is a list of numbers, or a list of lists for several texts.",
    examples=("embed -m embeddinggemma why is the sky blue", 'vectors = %ollama embed "one text" "another"'),
)
def embed(context: CommandContext, arguments: Any) -> CommandResult:
    """Embed one or several texts; shows the size and first numbers of the vectors."""
    texts = arguments.text
    server = context.session.server()
    name = context.session.call(server.embedding_model(arguments.model))
    found: Embeddings = context.session.call(
        server.client.embed(name, texts, truncate=arguments.truncate, dimensions=arguments.dimensions)
    )
    vectors = found.vectors
    rows = [(one_line(text, 60), len(v), _numbers(v)) for text, v in zip(texts, vectors, strict=False)]
    shown = stacked(table(("text", "numbers", "first"), rows), notice(f"Vectors of `{one_line(name, 80)}`."))
    return CommandResult(vectors[0] if len(texts) == 1 and vectors else vectors, shown)


def valid(name: str) -> str:
    """Return a model's name, NFKC-normalised; raise InputError for an invalid one (protocol.md §3)."""
    from ollama_magic.ollama.model_names import valid_name

    name = value_readers.name(name)
    if not valid_name(name):
        raise InputError(
            f"“{one_line(name, 80)}” is not a model name: it has letters, digits and - _ . only, such as gemma3:1b."
        )
    return name


def badges(capabilities: Iterable[str] | None, *, cloud: bool) -> BadgeCell:
    """Return the badges of a model's capabilities in a fixed order, and a loud one for the cloud."""
    words = set(capabilities or ())
    ordered = [word for word in _ORDER if word in words] + sorted(words.difference(_ORDER))
    return BadgeCell(tuple(ordered), (CLOUD,) if cloud else ())


def _model_row(context: CommandContext, model: ModelSummary) -> tuple[object, ...]:
    size = "-" if model.remote_host else bytes_text(model.size)
    can = badges(model.capabilities, cloud=in_cloud(context, model))
    return model.name, model.digest[:12], size, ago(model.modified_at), model.parameter_size, can


def in_cloud(context: CommandContext, model: str | ModelSummary) -> bool:
    """Whether prompts to this model are sent to Ollama's cloud."""
    from ollama_magic.ollama.model_names import is_cloud

    return is_cloud(model) or context.session.address().host in ("ollama.com", "www.ollama.com")


def _running_row(model: RunningModel) -> tuple[object, ...]:
    window = "" if model.context_length is None else model.context_length
    device = processor(model.size, model.size_vram)
    return model.name, model.digest[:12], bytes_text(model.size), device, window, until(model.expires_at)


def _too_old(context: CommandContext, server: Server) -> str:
    from ollama_magic.ollama.versions import older

    try:
        number = context.session.call(server.client.version())
    except OllamaMagicError:
        return ""
    return f" Or Ollama {number} is too old to tell: 0.1.38 and newer list them." if older(number, "0.1.38") else ""


async def _with_capabilities(server: Server, models: Sequence[ModelSummary]) -> list[ModelSummary]:
    """Return the models with capabilities that the list lacks (protocol.md §15.1), unless the server is slow."""
    look = asyncio.ensure_future(server.catalog.capabilities(models))
    try:
        await asyncio.wait({look}, timeout=LOOK_S)
        known = look.result() if look.done() else {}
    except OllamaMagicError:
        known = {}
    finally:
        look.cancel()
    return [replace(model, capabilities=known.get(model.name, model.capabilities)) for model in models]


def _shared(context: CommandContext, server: Server, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the other models of each model's runner, without raising errors."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        with suppress(OllamaMagicError):
            found[name] = context.session.call(server.catalog.sharing(name))
    return {name: others for name, others in found.items() if others}


def _named(names: Sequence[str]) -> str:
    ticked = [f"`{one_line(name, 80)}`" for name in names[:5]]
    if len(names) > len(ticked):
        return f"{', '.join(ticked)} and {len(names) - len(ticked):,} more"
    return " and ".join(filter(None, [", ".join(ticked[:-1]), ticked[-1]]))


def _digest(context: CommandContext, server: Server, name: str) -> str:
    return context.session.call(server.digest(name, fresh=True))


async def _remove(server: Server, name: str) -> None:
    """Remove a model, unloading it only if it is listed: else another one with the same weights would be unloaded."""
    from ollama_magic.ollama.model_names import same_model

    if any(same_model(name, running.name) for running in await server.client.ps()):
        await server.client.unload(name)
    await server.client.delete(name)
    server.catalog.forget(name)


def _numbers(vector: Sequence[float]) -> str:
    first = ", ".join(f"{number:.4f}" for number in vector[:_FIRST_NUMBERS])
    return f"{first}, …" if len(vector) > _FIRST_NUMBERS else first
