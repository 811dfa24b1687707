"""`%ollama show`: what a model is, in sections that unfold, or one of its texts alone."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import Answer, Here
from ollama_magic.commands.models import badges, in_cloud, valid
from ollama_magic.commands.words import command, reads
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


@reads(
    command(
        "show",
        "What a model is; without a name the model of this conversation, and what it was told.",
        Argument("MODEL", required=False),
        *(Option(f"--{part}", f"its {part} alone, as text", const=part, dest="part") for part in PARTS),
        Option("--verbose", "its metadata and tensors too", short="-v", absent=False),
    )
)
def show(here: Here, asked: Any) -> Answer:
    """What a model is, in sections; with an option one of its texts alone."""
    session, server = here.session, here.session.server()
    name = valid(asked.model) if asked.model else _current(here)
    facts = session.call(server.book.look_up(name, frozenset()))
    if asked.verbose or facts is None:
        facts = session.call(server.client.show(name, verbose=asked.verbose))
    if asked.part:
        text = getattr(facts, asked.part)
        if not text:
            raise InputError(f"`{one_line(name, 80)}` has no {asked.part} of its own.")
        html = f'<div class="{IGNORE_TEX}"><pre>{escape(printable(text))}</pre></div>'
        return Answer(text, Shown(html, printable(text)))
    parts = _sections(here, name, facts, verbose=asked.verbose)
    if not asked.model:
        parts += _told(here)
    return Answer(facts, stacked(*parts))


def _current(here: Here) -> str:
    """The model of this conversation: told, set, begun with, or of the newest turn; else the one chosen unasked."""
    session, talk = here.session, here.session.conversation()
    if talk.told("began_with") or talk.told("model"):
        plan = Plan("", default_model=session.settings().model or None)
        return session.call(model_for(plan, talk, session.server(), frozenset()))
    name = session.settings().model or (session.last.model if session.last else "")
    return str(name) if name else session.call(session.server().book.choose())


def _sections(here: Here, name: str, facts: ModelFacts, *, verbose: bool) -> list[Shown]:
    can = badges(facts.capabilities, cloud=bool(facts.remote_host) or in_cloud(here, name))
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
    """Servers mix up the lines (dossier §15.3), and a notebook's file should not change with each run."""
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


def _told(here: Here) -> list[Shown]:
    """What this conversation adds to the model's own."""
    session, talk = here.session, here.session.conversation()
    options = {**session.settings().options, **(talk.told("options") or {})}
    rows = [("system", talk.told("system") or session.settings().system), *options.items()]
    rows = [(key, value) for key, value in rows if value not in ("", None)]
    return [card("This conversation", rows)] if rows else []
