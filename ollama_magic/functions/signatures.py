"""A call with wrong arguments raises one line that says what to write, instead of a TypeError."""

from __future__ import annotations

from functools import wraps
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.ollama.model_names import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

P = ParamSpec("P")
R = TypeVar("R")

# What users of ollama-python write, and what this package has instead.
_INSTEAD = {
    ("chat", "stream"): "`stream(…)` streams the answer.",
    ("generate", "stream"): "`stream(…)` streams an answer.",
    ("stream", "stream"): "it streams by itself; leave `stream` out.",
    ("embed", "input"): "the texts come first: `embed(texts, model=…)`.",
    ("chat", "prompt"): "the prompt comes first: `chat(prompt)`.",
    ("stream", "prompt"): "the prompt comes first: `stream(prompt)`.",
    **{(name, "images"): "`attach=[…]` attaches images." for name in ("chat", "stream", "generate")},
}


def checked_call(function: Callable[P, R]) -> Callable[P, R]:
    """Make wrong arguments raise InputError, which names the argument and what to write."""
    expected = signature(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            expected.bind(*args, **kwargs)
        except TypeError as error:
            # `map` is published under its first word, an `__init__` is its class
            name = function.__name__.partition("_")[0] or function.__qualname__.partition(".")[0]
            line = _hint(name, args, list(map(str, kwargs)), expected, str(error))
        else:
            return function(*args, **kwargs)
        raise InputError(line)

    return call


def with_arguments_of(other: Callable[..., Any]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function's `**settings` read as the named arguments of another one, for help and for checks."""

    def documented(function: Callable[P, R]) -> Callable[P, R]:
        own = [one for one in signature(function).parameters.values() if one.kind is not Parameter.VAR_KEYWORD]
        known = {one.name for one in own}
        more = [one for one in signature(other).parameters.values() if one.name not in known]
        function.__signature__ = Signature([*own, *more])  # type: ignore[attr-defined]
        return function

    return documented


def _hint(name: str, args: Sequence[object], names: list[str], expected: Signature, why: str) -> str:
    parameters = [one for one in expected.parameters.values() if one.name != "self"]
    known = [one.name for one in parameters]
    unnamed = [one.name for one in parameters if one.kind is Parameter.POSITIONAL_OR_KEYWORD]
    named = [one.name for one in parameters if one.kind is Parameter.KEYWORD_ONLY] or known
    if len(args) > len(unnamed) + ("self" in expected.parameters):
        if unnamed == known:
            return f"`{name}` takes at most {len(known)} values: {', '.join(known)}."
        first = f"only the {' and the '.join(unnamed)}" if unnamed else "nothing"
        return f"`{name}` takes {first} without a name; write `{name}({', '.join([*unnamed, f'{named[0]}=…'])})`."
    for word in names:
        if (name, word) in _INSTEAD:
            return f"`{name}` has no `{word}=`: {_INSTEAD[name, word]}"
        if word not in known:
            return f"`{name}` has no `{one_line(word, 40)}=`; {_near(word, known, named)}"
    return f"`{name}` cannot be called like this: {one_line(why, 100)}."


def _near(word: str, known: list[str], named: list[str]) -> str:
    from ollama_magic.line.model_options import MODEL_OPTIONS

    if word in MODEL_OPTIONS:
        return f"a model option goes into `options={{'{word}': …}}`."
    near = nearest(word, known, 1)
    return f"did you mean `{near[0]}=`?" if near else f"it has {', '.join(named)}."
