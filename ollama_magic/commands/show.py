"""`%ollama show`: the facts of a model in sections, or one of its texts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import CommandContext, CommandResult, command
from ollama_magic.commands.model_commands import badges, in_cloud, valid
from ollama_magic.conversation.request import Plan, model_for
from ollama_magic.display.readable import count_text
from ollama_magic.display.settled import IGNORE_TEX
from ollama_magic.display.tables import Shown, card, folded, folded_table, stacked
from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line, printable
from ollama_magic.line.options import Argument, Option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollama_magic.ollama.protocol import ModelFacts

PARTS = ("modelfile", "parameters", "system", "template", "license")
LINES = 2  # of a licence in a terminal, as the command-line tool shows it
ITEMS = 5  # of a list in the metadata


@command(
    "show",
    "models",
    "Describe a model; without a name the model of this conversation, with its settings.",
    Argument("MODEL", required=False, kind="model"),
    *(Option(f"--{part}", f"its {part} alone, as text", const=part, dest="part") for part in PARTS),
    Option("--verbose", "its metadata and tensors too", short="-v", default=False),
    examples=("show gemma3:1b", "show gemma3:1b --parameters"),
)
def show(context: CommandContext, arguments: Any) -> CommandResult:
    """Show the facts of a model in sections, or one of its texts."""
    session, server = context.session, context.session.server()
    name = valid(arguments.model) if arguments.model else _current(context)
    facts = session.call(server.catalog.look_up(name, frozenset()))
    if arguments.verbose or facts is None:
        facts = session.call(server.client.show(name, verbose=arguments.verbose))
    if arguments.part:
        text = getattr(facts, arguments.part)
        if not text:
            raise InputError(f"`{one_line(name, 80)}` has no {arguments.part} of its own.")
        html = f'<div class="{IGNORE_TEX}"><pre>{escape(printable(text))}</pre></div>'
        return CommandResult(text, Shown(html, printable(text)))
    parts = _sections(context, name, facts, verbose=arguments.verbose)
    if not arguments.model:
        parts += _own_settings(context)
    return CommandResult(facts, stacked(*parts))


def _current(context: CommandContext) -> str:
    """Return the model of this conversation, else that of the settings, the newest turn, or the default."""
    session, conversation = context.session, context.session.conversation()
    if conversation.setting("began_with") or conversation.setting("model"):
        plan = Plan("", default_model=session.settings().model or None)
        return session.call(model_for(plan, conversation, session.server(), frozenset()))
    name = session.settings().model or (session.last.model if session.last else "")
    return str(name) if name else session.call(session.server().catalog.choose())


def _sections(context: CommandContext, name: str, facts: ModelFacts, *, verbose: bool) -> list[Shown]:
    can = badges(facts.capabilities, cloud=bool(facts.remote_host) or in_cloud(context, name))
    rows = [*_model_rows(facts), *([("can", can)] if can.words or can.loud else [])]
    parts = [card(name, rows)]
    if facts.projector:
        parts.append(card("Projector", _projector_rows(facts.projector)))
    if facts.parameters:
        parts.append(folded("Parameters", _in_order(facts.parameters), unfolded=True))
    parts += [
        folded(title, text, lines=LINES)
        for title, text in (("System", facts.system), ("Template", facts.template), ("License", facts.license))
        if text
    ]
    return parts + (_metadata(facts) if verbose else [])


def _model_rows(facts: ModelFacts) -> list[tuple[str, object]]:
    size = facts.parameter_size or (count_text(facts.parameter_count) if facts.parameter_count else "")
    rows = [
        ("remote model", facts.remote_model),
        ("remote URL", facts.remote_host),
        ("architecture", facts.info.get("general.architecture") or facts.family),
        ("parameters", size),
        ("context length", facts.context_length),
        ("embedding length", facts.embedding_length),
        ("quantization", facts.quantization),
        ("requires", facts.requires),
    ]
    return [(key, value) for key, value in rows if value]


def _projector_rows(info: Mapping[str, object]) -> list[tuple[str, object]]:
    architecture, count = info.get("general.architecture"), info.get("general.parameter_count")
    rows = [("architecture", architecture), ("parameters", count_text(count) if isinstance(count, int) else None)]
    for title, suffix in (("embedding length", "embedding_length"), ("dimensions", "projection_dim")):
        keys = [f"{architecture}.{sense}.{suffix}" for sense in ("vision", "audio")]
        rows.append((title, next((info[key] for key in keys if key in info), None)))
    return [(key, value) for key, value in rows if value]


def _in_order(parameters: str) -> str:
    """Sort the lines, which servers shuffle (protocol.md §15.3): a notebook should not change with each run."""
    return "\n".join(
        sorted((line for line in parameters.splitlines() if line.strip()), key=lambda line: line.split()[0])
    )


def _metadata(facts: ModelFacts) -> list[Shown]:
    info = [(key, _value(value)) for key, value in sorted(facts.info.items())]
    tensors = [(one.name, one.type, list(one.shape)) for one in facts.tensors]
    parts = [folded_table("Metadata", ("key", "value"), info)] if info else []
    return parts + ([folded_table("Tensors", ("name", "type", "shape"), tensors)] if tensors else [])


def _value(value: object) -> object:
    if isinstance(value, list) and len(value) > ITEMS:
        return f"{', '.join(str(one) for one in value[:ITEMS])}, … {len(value) - ITEMS:,} more"
    return value


def _own_settings(context: CommandContext) -> list[Shown]:
    """Return the settings of this conversation."""
    session, conversation = context.session, context.session.conversation()
    options = {**session.settings().options, **(conversation.setting("options") or {})}
    system = conversation.setting("system")
    system = session.settings().system if system is None else system
    rows = [("system", system), *options.items()]
    rows = [(key, value) for key, value in rows if value not in ("", None)]
    return [card("This conversation", rows)] if rows else []
