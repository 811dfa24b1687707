"""Loads and unloads the extension: magics, line hook, Tab, cell events and the session's end."""

from __future__ import annotations

import atexit
import re
from pathlib import Path
from types import MethodType
from typing import Any

from traitlets import TraitError

from ollama_magic.completion import completion
from ollama_magic.errors import InputError
from ollama_magic.line.hook import install, uninstall
from ollama_magic.line.loaded import NAME
from ollama_magic.magics.caller_scope import running_cell, running_script
from ollama_magic.magics.magics import OllamaMagic
from ollama_magic.magics.resume import greet, leave

_QUESTION = re.compile(r"^\s*(?:[\w.\[\], ]+=\s*)?%(?:chat|generate)\b.*\?\s*$", re.MULTILINE)
_LATE = re.compile(r"^\s*%%(?:chat|generate)\b", re.MULTILINE)
_PINFO = re.compile(r"run_line_magic\(\s*['\"]pinfo2?['\"]")


def load(shell: Any) -> None:
    """Register the magics and install the hooks; report replaced magics of other extensions.

    Loading a second time only repeats the greeting.
    """
    if NAME in shell.magics_manager.registry:
        greet(shell.magics_manager.registry[NAME].session, shell)
        return
    try:
        magics = OllamaMagic(shell=shell)
    except TraitError as error:
        raise InputError(f"A setting of OllamaMagic in IPython's configuration cannot be used: {error}") from None
    others = shell.magics_manager.magics
    ours = magics.magics
    magics.displaced = {
        (kind, name): others[kind][name] for kind, names in ours.items() for name in names if name in others[kind]
    }
    shell.register_magics(magics)
    install(shell)
    completion.install(shell, magics.session)
    magics.cell_events.register()
    magics.last_cells.register()
    magics.cell_events.follow(magics.order)
    magics.observe(lambda change: magics.cell_events.follow(change.new), "order")
    magics.resume()
    atexit.register(magics.session.close)
    for line in (*_displaced_names(magics.displaced), *_read_as_help()):
        print(line)


def unload(shell: Any) -> None:
    """Stop running turns, remove the magics and hooks, and restore replaced magics."""
    magics = shell.magics_manager.registry.pop(NAME, None)
    if magics is None:
        return
    uninstall(shell)
    completion.uninstall(shell)
    magics.cell_events.unregister()
    magics.last_cells.unregister()
    for names in shell.magics_manager.magics.values():
        for name in [name for name, function in names.items() if _belongs_to(function, magics)]:
            del names[name]
    for (kind, name), function in magics.displaced.items():
        shell.magics_manager.magics[kind][name] = function
    if magics in shell.configurables:
        shell.configurables.remove(magics)
    atexit.unregister(magics.session.close)
    magics.session.close()
    leave(magics.session, shell)


def _belongs_to(function: Any, magics: OllamaMagic) -> bool:
    """Whether a magic is one of ours; asked of its type first, because IPython loads a lazy magic at any other look."""
    return isinstance(function, MethodType) and function.__self__ is magics


def _displaced_names(displaced: dict[tuple[str, str], Any]) -> list[str]:
    """Return a line for each replaced magic; a name may be a line and a cell magic at once."""
    lines = []
    for name in dict.fromkeys(name for _, name in displaced):
        kinds = {kind: function for (kind, own), function in displaced.items() if own == name}
        mark = "%%" if "cell" in kinds else "%"
        owner = next(iter(kinds.values())).__module__
        lines.append(f"{mark}{name} was {owner}'s; it is ollama_magic's now; `%unload_ext ollama_magic` restores it.")
    return lines


def _read_as_help() -> list[str]:
    """Return a line about questions that IPython read as a call for help before our hook was installed."""
    question = _QUESTION.search(running_cell())
    if question is not None:
        typed = question[0].strip()
        return [f"IPython read `{typed}` as a call for help, before ollama_magic was loaded; run this cell again."]
    late = _LATE.search(running_cell())
    if late is not None:
        return [f"`{late[0].strip()}` must begin its cell; put it into the next one."]
    script = running_script()
    text = Path(script).read_text("utf8", "replace") if script and Path(script).is_file() else ""
    asked = [number for number, line in enumerate(text.splitlines(), 1) if _PINFO.search(line)]
    if not asked:
        return []
    cure = "Write it as a `%%chat` cell, or end it with a full stop."
    return [f"Line {asked[0]} of the script calls for help (pinfo): nbconvert reads a `%chat …?` like this. {cure}"]
