"""The page of help, the page of one command, and the README's tables: all made from a table of commands."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ollama_magic.commands import examples
from ollama_magic.commands.command import Answer, find
from ollama_magic.display.tables import Shown, folded_table, marked, stacked, table
from ollama_magic.line.turn_options import CHAT, GENERATE

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
    ("%%chat", "begins a cell: what stands below it is asked, and the answer streams in"),
    ("%chat TEXT", "the same on one line; `r = %chat TEXT` gives the reply"),
    ("%%generate", "one answer to one prompt: nothing before it is sent, nothing is remembered"),
    ("%ollama", "server, model, conversation and context at a glance"),
    ("%ollama list", "the models that can be asked; `%ollama demo` needs none"),
    ("%ollama status --check", "when something does not work: what it is, and the cure"),
)
MAGICS = {"chat": CHAT, "generate": GENERATE}


def help_page(commands: Mapping[str, Command], rest: str) -> Answer:
    """What can be typed, by families; with a name, what that command or magic is told."""
    name = rest.strip()
    if not name:
        return Answer(rows(commands), everything(commands))
    magic = MAGICS.get(name.lstrip("%"))
    shown = page_of_magic(magic) if magic is not None else page_of(find(name, commands))
    return Answer(shown.text, shown)


def rows(commands: Mapping[str, Command]) -> list[tuple[str, str]]:
    """What can be typed, and what it does: the magics, then every command."""
    magics = [(spec.usage, spec.summary) for spec in MAGICS.values()]
    return [*magics, *((usage_of(command), command.help) for command in commands.values())]


def everything(commands: Mapping[str, Command]) -> Shown:
    """The whole page: what to type first, then each family, folded in a notebook."""
    families = [
        folded_table(
            f"{title}: {', '.join(command.name for command in found)}",
            ("type", "and it does"),
            [(usage_of(command), command.help) for command in found],
        )
        for title, found in by_family(commands).items()
    ]
    both = folded_table(f"Options of {CHAT.name} and {GENERATE.name}", ("option", "of", "meaning"), option_rows())
    more = "`%ollama help COMMAND` has examples, `%ollama help chat` tells of the magic; Tab completes all of it."
    last = Shown(f"<p>{marked(more)}</p>", more)
    return stacked(
        _block("What to type first", [examples.QUESTION]), table(("type", "and it does"), FIRST), *families, both, last
    )


def page_of(command: Command) -> Shown:
    """How one command is used."""
    given = command.examples or examples.COMMANDS[command.name]
    typed = [one if "%ollama" in one else f"%ollama {one}" for one in given]
    spec = command.spec
    words = _words(spec) if spec is not None else []
    summary = spec.summary if spec is not None else f"{command.help[:1].upper()}{command.help[1:]}."
    return _page(usage_of(command), summary, words, spec.notes if spec is not None else "", typed)


def page_of_magic(spec: Spec) -> Shown:
    """How %%chat or %%generate is used."""
    return _page(spec.usage, spec.summary, _words(spec), spec.notes, examples.MAGICS[spec.name])


def usage_of(command: Command) -> str:
    """The command as it is typed: `%ollama list [PREFIX]`."""
    return f"%ollama {command.name} {command.usage}".strip()


def by_family(commands: Mapping[str, Command]) -> dict[str, list[Command]]:
    """The commands under the titles of their families."""
    return {
        title: [command for command in commands.values() if command.family == family]
        for family, title in FAMILIES.items()
    }


def docstring(commands: Mapping[str, Command]) -> str:
    """The docstring of `%ollama`, for `%ollama?`."""
    lines = ["%ollama [COMMAND]: everything beside chatting; alone, a status card."]
    for title, found in by_family(commands).items():
        lines += ["", title]
        lines += [f"  {f'{command.name} {command.usage}'.strip():<32}  {command.help}" for command in found]
    return "\n".join(lines)


def option_rows() -> list[tuple[str, str, str]]:
    """The options of the magics: how each is written, of which magic it is if not of both, and what it means."""
    own = {spec.name: {option.name for option in spec.options} for spec in (CHAT, GENERATE)}
    known = {option.name: option for option in (*CHAT.options, *GENERATE.options)}
    found = []
    for name, option in known.items():
        of = [spec for spec, names in own.items() if name in names]
        found.append((option.usage, "" if len(of) > 1 else of[0], option.help))
    return found


def readme_families(commands: Mapping[str, Command]) -> str:
    """The README's table of commands."""
    lines = ["| family | commands of `%ollama` |", "| --- | --- |"]
    for family in FAMILIES:
        names = " ".join(f"`{command.name}`" for command in commands.values() if command.family == family)
        lines.append(f"| {family} | {names} |")
    return "\n".join(lines)


def readme_options() -> str:
    """The README's table of options."""
    lines = ["| option of `%%chat` and `%%generate` | meaning |", "| --- | --- |"]
    for usage, of, meaning in option_rows():
        only = f" (`{of}` only)" if of else ""
        lines.append(f"| `{usage}` | {meaning}{only} |".replace("{{name}}", "`{{name}}`"))
    return "\n".join(_with_bars(line) for line in lines)


def _words(spec: Spec) -> list[tuple[str, str]]:
    """The arguments that need a word, and the options."""
    told = [(one.usage, one.help) for one in spec.arguments or () if one.help]
    return told + [(one.usage, one.help) for one in spec.options if one.name != "--help"]


def _page(usage: str, summary: str, words: Sequence[tuple[str, str]], notes: str, typed: Sequence[str]) -> Shown:
    parts = [Shown(f"<p><strong>{marked(f'`{usage}`')}</strong></p><p>{marked(summary)}</p>", f"{usage}\n\n{summary}")]
    parts += [table(("word", "meaning"), words)] * bool(words)
    parts += [Shown(f"<p>{marked(notes)}</p>", notes)] * bool(notes)
    parts += [_block("Examples" if len(typed) > 1 else "Example", typed)]
    return stacked(*parts)


def _block(title: str, texts: Sequence[str]) -> Shown:
    """A title and lines to be copied."""
    html = "".join(f"<pre>{escape(text.rstrip())}</pre>" for text in texts)
    body = "\n\n".join(texts) if any("\n" in text.rstrip() for text in texts) else "\n".join(texts)
    text = "\n".join([title, *(f"  {line}".rstrip() for line in body.rstrip().split("\n"))])
    return Shown(f"<p><strong>{escape(title)}</strong></p>{html}", text)


def _with_bars(line: str) -> str:
    r"""A bar within backticks is `\|` in a table."""
    parts = line.split("`")
    return "`".join(part.replace("|", "\\|") if place % 2 else part for place, part in enumerate(parts))
