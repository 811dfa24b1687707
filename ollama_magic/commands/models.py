"""Commands of `%ollama` about the models of a server: list, ps, cp, rm, load, stop with a name, embed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import Answer, Here, alone
from ollama_magic.commands.words import YES, agreed, command, reads
from ollama_magic.display.readable import ago, bytes_text, processor, until
from ollama_magic.display.tables import MOST, Badges, notice, stacked, table
from ollama_magic.errors import InputError, ModelNotFound, OllamaMagicError
from ollama_magic.foreign import one_line
from ollama_magic.line import values
from ollama_magic.line.options import Argument, Option
from ollama_magic.line.words import read_word, skip_space

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ollama_magic.conversation.server import Server
    from ollama_magic.ollama.protocol import ModelSummary, RunningModel
    from ollama_magic.ollama.requests import Embeddings

CLOUD = "cloud: leaves this machine"
_ORDER = ("completion", "tools", "thinking", "vision", "audio", "image", "insert", "embedding")
_FIRST_NUMBERS = 5
LOOK_S = 3.0  # for the badges of a whole list
_NONE = "No model is installed: `%ollama pull gemma3:1b` fetches one, or try `%ollama demo`."


@reads(command("list", "The installed models, newest first.", Argument("PREFIX", required=False)))
def list_models(here: Here, asked: Any) -> Answer:
    """The installed models, newest first; a word keeps those whose names begin with it."""
    server, prefix = here.session.server(), asked.prefix or ""
    models = here.session.call(server.client.tags())
    found = [model for model in models if model.name.lower().startswith(prefix.lower())]
    if not found:
        none = f"No model begins with “{one_line(prefix, 80)}”; `%ollama list` shows all {len(models):,}."
        return Answer([], notice(none if models else _NONE))
    found[:MOST] = here.session.call(_with_capabilities(server, found[:MOST]))
    columns = ("name", "id", "size", "modified", "parameters", "can")
    return Answer(found, table(columns, [_model_row(here, model) for model in found[:MOST]], total=len(found)))


def ps(here: Here, rest: str) -> Answer:
    """The loaded models, where they are computed and until when; models made of one weights file share a runner."""
    alone("ps", rest)
    server = here.session.server()
    running = here.session.call(server.client.ps())
    if not running:
        return Answer([], notice(f"No model is loaded.{_too_old(here, server)}"))
    rows = [_running_row(model) for model in running]
    shown = table(("name", "id", "size", "processor", "context", "until"), rows)
    shared = _shared(here, server, [model.name for model in running])
    notes = [f"`{name}` shares its runner with {_named(others)}." for name, others in shared.items()]
    return Answer(running, stacked(shown, *map(notice, notes)))


@reads(command("cp", "Give a model a second name.", Argument("SOURCE"), Argument("DESTINATION"), YES))
def cp(here: Here, asked: Any) -> Answer:
    """Give a model a second name; it asks before another model of that name is lost."""
    session, server = here.session, here.session.server()
    source, destination = valid(asked.source), valid(asked.destination)
    session.call(server.book.look_up(source, frozenset()))
    old, new = (_digest(here, server, name) for name in (destination, source))
    again = f"%ollama cp {source} {destination}"
    if old and old != new and not agreed(f"`{destination}` is another model, and would be lost.", asked.yes, again):
        return Answer(None, notice("Nothing was copied."))
    session.call(server.client.copy(source, destination))
    server.book.forget(destination)
    return Answer(destination, notice(f"copied '{source}' to '{destination}'"))


@reads(command("rm", "Remove models from the server's disk.", Argument("MODEL", many=True), YES))
def rm(here: Here, asked: Any) -> Answer:
    """Remove models from the server's disk, out of memory first; it asks before, unless told `--yes`."""
    session, server = here.session, here.session.server()
    names = list(dict.fromkeys(valid(name) for name in asked.model))
    for name in names:
        session.call(server.book.look_up(name, frozenset()))
    listed = ", ".join(f"`{name}`" for name in names)
    if not agreed(f"Remove {listed} for good?", asked.yes, f"%ollama rm {' '.join(names)}"):
        return Answer([], notice("Nothing was removed."))
    for name in names:
        session.call(_remove(server, name))
    return Answer(names, notice("; ".join(f"deleted '{name}'" for name in names)))


def unload(here: Here, name: str) -> Answer:
    """Free the memory that a model takes, and say which others go with it."""
    server = here.session.server()
    here.session.call(server.unload(name))
    others = _shared(here, server, [name]).get(name, ())
    too = f" {_named(others)} share{'s' * (len(others) == 1)} its runner, and went with it." if others else ""
    return Answer(name, notice(f"`{one_line(name, 80)}` is unloaded.{too}"))


@reads(
    command(
        "embed",
        "A vector for a text; several texts stand between quotes each.",
        Argument("TEXT", rest=True),
        Option("--model", "a model for embeddings", short="-m", metavar="NAME", read=values.name),
        Option("--dimensions", "cut the vectors to N numbers", metavar="N", read=values.whole),
        Option("--no-truncate", "refuse a text that is too long instead of cutting it", const=False, dest="truncate"),
        notes="Assigned, it is a list of numbers, or of several texts a list of lists.",
    )
)
def embed(here: Here, asked: Any) -> Answer:
    """Vectors of one text or several; shows their size and first numbers."""
    texts = _texts(asked.text)
    server = here.session.server()
    name = here.session.call(_embedding_model(server, asked.model))
    found: Embeddings = here.session.call(
        server.client.embed(name, texts, truncate=asked.truncate, dimensions=asked.dimensions)
    )
    vectors = found.vectors
    rows = [(one_line(text, 60), len(v), _numbers(v)) for text, v in zip(texts, vectors, strict=False)]
    shown = stacked(table(("text", "numbers", "first"), rows), notice(f"Vectors of `{one_line(name, 80)}`."))
    return Answer(vectors[0] if len(texts) == 1 and vectors else vectors, shown)


def valid(name: str) -> str:
    """The name, NFKC-normalised; InputError if no model can be called that (dossier §3)."""
    from ollama_magic.ollama.models import valid_name

    name = values.name(name)
    if not valid_name(name):
        raise InputError(
            f"“{one_line(name, 80)}” is no name of a model: letters, digits, and - _ . within, such as gemma3:1b."
        )
    return name


def badges(capabilities: Iterable[str] | None, *, cloud: bool) -> Badges:
    """What a model can do, in one order; and, loudly, that it runs on somebody else's machine."""
    words = set(capabilities or ())
    ordered = [word for word in _ORDER if word in words] + sorted(words.difference(_ORDER))
    return Badges(tuple(ordered), (CLOUD,) if cloud else ())


def _model_row(here: Here, model: ModelSummary) -> tuple[object, ...]:
    size = "-" if model.remote_host else bytes_text(model.size)
    can = badges(model.capabilities, cloud=in_cloud(here, model))
    return model.name, model.digest[:12], size, ago(model.modified_at), model.parameter_size, can


def in_cloud(here: Here, model: str | ModelSummary) -> bool:
    """Whether what is said to this model leaves the machine for Ollama's cloud."""
    from ollama_magic.ollama.models import is_cloud

    return is_cloud(model) or here.session.address().host in ("ollama.com", "www.ollama.com")


def _running_row(model: RunningModel) -> tuple[object, ...]:
    window = "" if model.context_length is None else model.context_length
    where = processor(model.size, model.size_vram)
    return model.name, model.digest[:12], bytes_text(model.size), where, window, until(model.expires_at)


def _too_old(here: Here, server: Server) -> str:
    from ollama_magic.ollama.versions import older

    try:
        number = here.session.call(server.client.version())
    except OllamaMagicError:
        return ""
    return f" Or Ollama {number} is too old to tell: 0.1.38 and newer do." if older(number, "0.1.38") else ""


async def _with_capabilities(server: Server, models: Sequence[ModelSummary]) -> list[ModelSummary]:
    """The models, with what show tells where the list does not (dossier §15.1); a slow server is not waited for."""
    look = asyncio.ensure_future(server.book.capabilities(models))
    try:
        await asyncio.wait({look}, timeout=LOOK_S)
        known = look.result() if look.done() else {}
    except OllamaMagicError:
        known = {}
    finally:
        look.cancel()
    return [replace(model, capabilities=known.get(model.name, model.capabilities)) for model in models]


def _shared(here: Here, server: Server, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """For each name the other models of its runner: worth a line, but never an error."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        with suppress(OllamaMagicError):
            found[name] = here.session.call(server.book.sharing(name))
    return {name: others for name, others in found.items() if others}


def _named(names: Sequence[str]) -> str:
    ticked = [f"`{one_line(name, 80)}`" for name in names[:5]]
    if len(names) > len(ticked):
        return f"{', '.join(ticked)} and {len(names) - len(ticked):,} more"
    return " and ".join(filter(None, [", ".join(ticked[:-1]), ticked[-1]]))


def _digest(here: Here, server: Server, name: str) -> str:
    return here.session.call(server.digest(name, fresh=True))


async def _remove(server: Server, name: str) -> None:
    """Unload only what is listed as loaded: unloading another model of the same weights would take that along."""
    from ollama_magic.ollama.models import same_model

    if any(same_model(name, running.name) for running in await server.client.ps()):
        await server.client.unload(name)
    await server.client.delete(name)
    server.book.forget(name)


def _texts(typed: str) -> list[str]:
    """One text as it was typed; or, where it begins with a quote, one for each word."""
    typed = typed.strip()
    if not typed.startswith(("'", '"')):
        return [typed]
    texts, at = [], 0
    while at < len(typed):
        word = read_word(typed, at)
        texts.append(word.value)
        at = skip_space(typed, word.end)
    return texts


def _numbers(vector: Sequence[float]) -> str:
    first = ", ".join(f"{number:.4f}" for number in vector[:_FIRST_NUMBERS])
    return f"{first}, …" if len(vector) > _FIRST_NUMBERS else first


async def _embedding_model(server: Server, name: str | None) -> str:
    """The model that was named, else the newest that is known to make embeddings."""
    from ollama_magic.ollama.models import is_cloud, newest_first

    if name:
        await server.book.look_up(name, frozenset())
        return name
    models = newest_first([model for model in await server.client.tags() if not is_cloud(model)])
    for model in await _with_capabilities(server, models[:MOST]):
        if "embedding" in (model.capabilities or ()) or "embed" in model.name:
            return model.name
    raise ModelNotFound("No model here makes embeddings; `%ollama pull nomic-embed-text` fetches one, or name one: -m.")
