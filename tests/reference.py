"""Writes docs/reference.md from the tables of the code: `make reference`, or python -m tests.reference."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollama_magic import cli, log
from ollama_magic.commands.command_table import COMMANDS
from ollama_magic.commands.help import FAMILIES, option_rows
from ollama_magic.demo.engine.limits import THREADS_VARIABLE
from ollama_magic.demo.engine.weights import CACHE_VARIABLE
from ollama_magic.line.map_options import MAP
from ollama_magic.line.model_options import MODEL_OPTIONS
from ollama_magic.magics.magics import OllamaMagic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ollama_magic.commands.command import Command

PAGE = Path(__file__).parent.parent / "docs" / "reference.md"
_TOP = """# Reference: options, commands, settings

Written by `make reference` from the tables of the code; a test compares the two. What it is all for: the
[README](../README.md).
"""
_VARIABLES = (
    (
        "OLLAMA_HOST",
        "Where the server is, as Ollama itself reads it ([protocol.md §23.1](protocol.md#231-ollama_host)).",
    ),
    (
        "OLLAMA_API_KEY",
        "A key, sent as `Authorization: Bearer …` to the origin that was set when it was read, and to no other.",
    ),
    (
        log.VARIABLE,
        f"The log: {', '.join(f'`{level}`' for level in log.LEVELS)}. Alone to stderr, `debug:FILE` to a file.",
    ),
    (
        THREADS_VARIABLE,
        "How many threads the demo server's real model gets; else what affinity, cgroup and load leave, at most 8.",
    ),
    (CACHE_VARIABLE, "The folder of the weights that the demo server has fetched; else the user's cache folder."),
    ("OLLAMA_MAGIC_BINDER_MODEL", "On a Binder hub of your own: the real model that answers there."),
)


def page() -> str:
    """The whole page."""
    parts = [
        _TOP,
        _options(),
        _map_options(),
        _commands(),
        _settings(),
        _model_options(),
        _environment(),
        _command_line(),
    ]
    return "\n".join(parts)


def _options() -> str:
    rows = [(f"`{usage}`", f"`{of}`" if of else "both", meaning) for usage, of, meaning in option_rows()]
    return _section("Options of `%%chat` and `%%generate`", ("option", "of", "meaning"), rows)


def _map_options() -> str:
    rows = [(f"`{usage}`", meaning) for usage, meaning in MAP.rows]
    return _section("`%%map`", ("word", "meaning"), rows)


def _commands() -> str:
    parts = ["## Commands\n"]
    for family, title in FAMILIES.items():
        parts.append(f"### {title}\n")
        found = [_command(command) for command in COMMANDS.values() if command.family == family]
        parts.append("\n".join(found) + "\n")
    return "\n".join(parts)


def _command(command: Command) -> str:
    lines = [f"- `{command.spec.usage}`: {command.spec.summary}"]
    for word in (*(command.spec.arguments or ()), *command.spec.options):
        if word.help and word.usage != "-h, --help":
            lines.append(f"  - `{word.usage}`: {word.help}")
    return "\n".join(lines)


def _settings() -> str:
    traits = sorted(OllamaMagic.class_traits(config=True).items())
    own = [(name, trait) for name, trait in traits if trait.this_class.__module__.startswith("ollama_magic")]
    rows = [(f"`OllamaMagic.{name}`", f"`{_default(trait)}`", trait.help + _choices(trait)) for name, trait in own]
    return _section("Settings", ("setting", "default", "meaning"), rows)


def _default(trait: Any) -> str:
    value = trait.default()
    return repr(value) if type(value).__module__ == "builtins" else "–"


def _choices(trait: Any) -> str:
    values = getattr(trait, "values", None)
    return f" One of {', '.join(f'`{value!r}`' for value in values)}." if values else ""


def _model_options() -> str:
    rows = [(f"`{name}`", option.kind, option.help) for name, option in MODEL_OPTIONS.items()]
    return _section("Model options: `-o KEY=VALUE`", ("key", "kind", "meaning"), rows)


def _environment() -> str:
    return _section("Environment", ("variable", "meaning"), [(f"`{name}`", meaning) for name, meaning in _VARIABLES])


def _command_line() -> str:
    parts = ["## The command line\n"]
    for command, parser in _parsers():
        rows = [
            (f"`{', '.join(action.option_strings)}{_metavar(action)}`", (action.help or "") % vars(action))
            for action in parser._actions
            if action.option_strings and action.dest not in ("help", "version")
        ]
        parts.append(_section(f"`{command}`", ("option", "meaning"), rows, level=3))
    return "\n".join(parts)


def _parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    parser = cli._parser()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield f"ollama-magic {name}", command


def _metavar(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    return f" {action.metavar or action.dest.upper()}"


def _section(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], level: int = 2) -> str:
    lines = [f"{'#' * level} {title}\n", _row(heads), _row(("---",) * len(heads)), *map(_row, rows)]
    return "\n".join(lines) + "\n"


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return re.sub(r"(?<!`)\{\{name\}\}(?!`)", "`{{name}}`", text.replace("|", "\\|"))


def main() -> None:
    PAGE.write_text(page(), "utf8")
    print(f"Wrote {PAGE.name}.")


if __name__ == "__main__":
    main()
