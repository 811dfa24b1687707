"""Registers Tab completion with the public matchers of IPython 8.6 and later. `tab` finds the completions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollama_magic.completion.tab import Tab
    from ollama_magic.conversation.session import Session

BELONGS_TO = "ollama_magic"


def install(shell: Any, session: Session) -> None:
    """Register our matcher; does nothing before IPython 8.6, or without a completer."""
    uninstall(shell)
    matchers = getattr(getattr(shell, "Completer", None), "custom_matchers", None)
    if matchers is None:
        return
    try:
        from IPython.core.completer import SimpleCompletion, context_matcher
    except ImportError:
        return
    made_once: list[Tab] = []  # created at the first Tab, which then imports it

    def matcher(context: Any) -> dict[str, Any]:
        if not made_once:
            from ollama_magic.completion.tab import Tab

            made_once.append(Tab(shell, session))
        found = made_once[0].found(context.full_text, context.cursor_line, context.cursor_position)
        if found is None:
            return {"completions": []}
        typed, words = found
        offers: Any = [SimpleCompletion(text, type=kind) for text, kind in words] or Nothing()
        return {"completions": offers, "matched_fragment": typed, "suppress": True, "ordered": True}

    made: Any = context_matcher(identifier=BELONGS_TO)(matcher)
    made.belongs_to = BELONGS_TO
    matchers.append(made)


def uninstall(shell: Any) -> None:
    """Remove our matcher."""
    matchers = getattr(getattr(shell, "Completer", None), "custom_matchers", None)
    if matchers is not None:
        matchers[:] = [one for one in matchers if getattr(one, "belongs_to", None) != BELONGS_TO]


class Nothing:
    """An empty list with length 1: IPython honours `suppress` only from a matcher that has completions.

    The word itself would do too, but JupyterLab would show it as a menu.
    """

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Any]:
        return iter(())
