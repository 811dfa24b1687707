"""Loading and unloading are a pair: the magics, the line hook and the session's end go in and come out together."""

from __future__ import annotations

import atexit
from typing import Any

from traitlets import TraitError

from ollama_magic.completion import completion
from ollama_magic.errors import InputError
from ollama_magic.line.hook import install, uninstall
from ollama_magic.line.loaded import NAME
from ollama_magic.magics.keeping import greet
from ollama_magic.magics.magics import OllamaMagic


def load(shell: Any) -> None:
    """Register the magics and put the hook in; a magic of another extension by our name is replaced, and told.

    Loading again says again what was found.
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
    magics.cell_events.follow(magics.order)
    magics.observe(lambda change: magics.cell_events.follow(change.new), "order")
    magics.begin_keeping()
    atexit.register(magics.session.close)
    for line in _told(magics.displaced):
        print(line)


def unload(shell: Any) -> None:
    """Stop what runs, take the magics and the hook out, and give back what was displaced."""
    magics = shell.magics_manager.registry.pop(NAME, None)
    if magics is None:
        return
    uninstall(shell)
    completion.uninstall(shell)
    magics.cell_events.unregister()
    for names in shell.magics_manager.magics.values():
        for name in [name for name, function in names.items() if getattr(function, "__self__", None) is magics]:
            del names[name]
    for (kind, name), function in magics.displaced.items():
        shell.magics_manager.magics[kind][name] = function
    if magics in shell.configurables:
        shell.configurables.remove(magics)
    atexit.unregister(magics.session.close)
    magics.session.close()


def _told(displaced: dict[tuple[str, str], Any]) -> list[str]:
    """A line for each name that was another's; a magic may be of the line and of the cell at once."""
    lines = []
    for name in dict.fromkeys(name for _, name in displaced):
        kinds = {kind: function for (kind, own), function in displaced.items() if own == name}
        mark = "%%" if "cell" in kinds else "%"
        owner = next(iter(kinds.values())).__module__
        lines.append(
            f"{mark}{name} was {owner}'s; it is ollama_magic's now, and `%unload_ext ollama_magic` gives it back."
        )
    return lines
