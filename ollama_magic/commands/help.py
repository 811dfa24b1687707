"""The help page, the help of one command, and the rows of the reference, all from the table of commands."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ollama_magic.commands.command import CommandResult, find
from ollama_magic.display.tables import Shown, folded_table, marked, stacked, table
from ollama_magic.line.map_options import MAP
from ollama_magic.line.turn_options import CHAT, GENERATE, MAGICS, QUESTION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollama_magic.commands.command import Command
    from ollama_magic.line.spec import Spec

FAMILIES = {
    "models": "Models",
    "server": "The server",
    "settings": "Settings of a conversation",
    "conversation": "The conversation",
    "work": "Work",
}
FIRST = (
    ("%%chat", "begins a cell: the text below it is the prompt, and the answer streams in"),
    ("%chat TEXT", "the same on one line; `r = %chat TEXT` gives the reply"),
    ("%%generate", "one answer to one prompt: no history is sent, nothing is stored"),
    ("%ollama", "server, model, conversation and context at a glance"),
    ("%ollama list", "the installed models; `%ollama demo` needs none"),
    ("%ollama status --check", "when something does not work: what is wrong, and how to fix it"),
)


def help_page(commands: Mapping[str, Command], name: str) -> CommandResult:
    """Return the commands and magics by family, or the help of one."""
    if not name:
        return CommandResult(rows(commands), everything(commands))
    magic = {**MAGICS, "map": MAP}.get(name.lstrip("%"))
    shown = page_of(magic if magic is not None else find(name, commands).spec)
    return CommandResult(shown.text, shown)


def rows(commands: Mapping[str, Command]) -> list[tuple[str, str]]:
    """Return the usage and summary of every magic and command."""
    magics = [(spec.usage, spec.summary) for spec in (*MAGICS.values(), MAP)]
    return [*magics, *((command.spec.usage, command.summary) for command in commands.values())]


def everything(commands: Mapping[str, Command]) -> Shown:
    """Return the whole page: what to type first, then each family, folded in a notebook."""
    families = [
        folded_table(
            f"{title}: {', '.join(command.name for command in found)}",
            ("type", "what it does"),
            [(command.spec.usage, command.summary) for command in found],
        )
        for title, found in by_family(commands).items()
    ]
    both = folded_table(f"Options of {CHAT.name} and {GENERATE.name}", ("option", "of", "meaning"), option_rows())
    more = "`%ollama help COMMAND` has examples, `%ollama help chat` explains the magic; Tab completes all of it."
    last = Shown(f"<p>{marked(more)}</p>", more)
    return stacked(
        _block("What to type first", [QUESTION]), table(("type", "what it does"), FIRST), *families, both, last
    )


def page_of(spec: Spec) -> Shown:
    """Return the help of a command or a magic."""
    usage, summary, notes = spec.usage, spec.summary, spec.notes
    parts = [Shown(f"<p><strong>{marked(f'`{usage}`')}</strong></p><p>{marked(summary)}</p>", f"{usage}\n\n{summary}")]
    parts += [table(("word", "meaning"), spec.rows)] * bool(spec.rows)
    parts += [Shown(f"<p>{marked(notes)}</p>", notes)] * bool(notes)
    parts += [_block("Examples" if len(spec.examples) > 1 else "Example", spec.examples)]
    return stacked(*parts)


def by_family(commands: Mapping[str, Command]) -> dict[str, list[Command]]:
    """Return the commands by the titles of their families."""
    return {
        title: [command for command in commands.values() if command.family == family]
        for family, title in FAMILIES.items()
    }


def docstring(commands: Mapping[str, Command]) -> str:
    """Return the docstring of `%ollama`, for `%ollama?`."""
    lines = ["%ollama [COMMAND]: everything except chatting; alone, a status card."]
    for title, found in by_family(commands).items():
        lines += ["", title]
        lines += [f"  {one.spec.usage.removeprefix('%ollama '):<32}  {one.summary}" for one in found]
    return "\n".join(lines)


def option_rows() -> list[tuple[str, str, str]]:
    """Return the usage of each option, the magic that has it if not both, and its meaning."""
    own = {spec.name: {option.name for option in spec.options} for spec in (CHAT, GENERATE)}
    known = {option.name: option for option in (*CHAT.options, *GENERATE.options)}
    found = []
    for name, option in known.items():
        of = [spec for spec, names in own.items() if name in names]
        found.append((option.usage, "" if len(of) > 1 else of[0], option.help))
    return found


def _block(title: str, texts: Sequence[str]) -> Shown:
    """Return a title and lines to copy."""
    html = "".join(f"<pre>{escape(text.rstrip())}</pre>" for text in texts)
    body = "\n\n".join(texts) if any("\n" in text.rstrip() for text in texts) else "\n".join(texts)
    text = "\n".join([title, *(f"  {line}".rstrip() for line in body.rstrip().split("\n"))])
    return Shown(f"<p><strong>{escape(title)}</strong></p>{html}", text)
