"""The model options that servers know, with their types and ranges (dossier §5); `-o KEY=VALUE` is read here."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError
from ollama_magic.line.words import folded

if TYPE_CHECKING:
    from collections.abc import Iterable

_KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false"}
_TRUTH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


@dataclass(frozen=True)
class ModelOption:
    """One option: its kind (int, float, bool, list), what it does, and its range where a value outside is nonsense."""

    kind: str
    help: str
    least: float | None = None
    most: float | None = None


MODEL_OPTIONS = {
    "temperature": ModelOption("float", "how freely the model chooses; 0 is the likeliest word always", 0),
    "top_k": ModelOption("int", "choose among the k likeliest; 0 is among all", 0),
    "top_p": ModelOption("float", "choose among the likeliest that make up this share", 0, 1),
    "min_p": ModelOption("float", "leave out what is less likely than this share of the likeliest", 0, 1),
    "typical_p": ModelOption("float", "keep what is about as surprising as expected", 0, 1),
    "seed": ModelOption("int", "the same seed gives the same answer; -1 is random"),
    "num_predict": ModelOption("int", "at most so many tokens of answer; -1 is no limit"),
    "num_keep": ModelOption("int", "tokens kept at the front when the context is full"),
    "stop": ModelOption("list", "text that ends the answer; may be given more than once"),
    "repeat_last_n": ModelOption("int", "how far back repetition counts; 0 is not at all, -1 the whole context", -1),
    "repeat_penalty": ModelOption("float", "how strongly repetition is avoided; 1 is not at all", 0),
    "presence_penalty": ModelOption("float", "avoid words that were used"),
    "frequency_penalty": ModelOption("float", "avoid words that were used often"),
    "num_ctx": ModelOption("int", "the context window in tokens; another one reloads the model", 4),
    "num_batch": ModelOption("int", "tokens of a prompt that are read at once", 1),
    "num_gpu": ModelOption("int", "layers on the GPU; 0 is none, -1 automatic", -1),
    "main_gpu": ModelOption("int", "the GPU for small tensors", 0),
    "use_mmap": ModelOption("bool", "map the model's file into memory"),
    "num_thread": ModelOption("int", "threads; 0 is automatic", 0),
    "draft_num_predict": ModelOption("int", "tokens that a draft model guesses ahead", 0),
}

GONE = frozenset(
    [
        "numa",
        "low_vram",
        "f16_kv",
        "logits_all",
        "vocab_only",
        "use_mlock",
        "embedding_only",
        "tfs_z",
        "mirostat",
        "mirostat_tau",
        "mirostat_eta",
        "penalize_newline",
    ]
)


def read_model_option(text: str) -> tuple[str, object]:
    """Read `KEY=VALUE`; InputError for an unknown name or a value of another type."""
    match = re.fullmatch(r"\s*([^=＝﹦]*?)\s*[=＝﹦](.*)", text, re.DOTALL)
    if match is None:
        raise InputError(f"-o takes KEY=VALUE, such as num_ctx=8192; {text!r} has no =.")
    name = known_name(folded(match[1]))
    return name, typed_value(name, match[2])


def known_name(name: str) -> str:
    """Return the name if servers know it; else InputError, with the nearest one."""
    if name in MODEL_OPTIONS:
        return name
    if name in GONE:
        raise InputError(f"{name} does nothing: servers of today ignore this model option.")
    near = get_close_matches(name.lower().replace("-", "_"), MODEL_OPTIONS, 1, 0.5)
    rest = f"did you mean {near[0]}?" if near else f"there are {', '.join(MODEL_OPTIONS)}."
    raise InputError(f"There is no model option {name!r}; {rest}")


def typed_value(name: str, text: str) -> object:
    """Return the value in the type that the server takes; `stop` is a list always."""
    option = MODEL_OPTIONS[name]
    if option.kind == "list":
        return _texts(name, text)
    plain = folded(text).strip()
    value = _TRUTH.get(plain.lower()) if option.kind == "bool" else _number(option.kind, plain)
    if value is None:
        raise InputError(f"{name} is {_KINDS[option.kind]}, not {text!r}.")
    if option.least is not None and value < option.least:
        raise InputError(f"{name} is {option.least:g} or more, not {text.strip()}.")
    if option.most is not None and value > option.most:
        raise InputError(f"{name} is between {option.least:g} and {option.most:g}, not {text.strip()}.")
    return value


def merge_model_options(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Put pairs together: the last of a name counts, but each `stop` is added to the ones before."""
    merged: dict[str, object] = {}
    for name, value in pairs:
        before = merged.get(name)
        merged[name] = [*before, *value] if isinstance(before, list) and isinstance(value, list) else value
    return merged


def _number(kind: str, text: str) -> float | None:
    """Return an int or a float, or None for what is neither; 8192.0 is a whole number too."""
    try:
        number: float = int(text) if re.fullmatch(r"[+-]?\d{1,18}", text) else float(text)
    except ValueError:
        return None
    if not math.isfinite(number) or abs(number) >= 2**63:
        return None
    if kind == "float":
        return float(number)
    return int(number) if number == int(number) else None


def _texts(name: str, text: str) -> list[Any]:
    r"""Read a text, a JSON text (`"\n"`), or a JSON list of texts."""
    if text[:1] not in ("[", '"'):
        read: object = text
    else:
        try:
            read = json.loads(text)
        except ValueError:
            read = text
    texts: list[Any] = read if isinstance(read, list) else [read]
    if not all(isinstance(one, str) and one for one in texts):
        raise InputError(f'{name} is a text, or a JSON list of texts such as ["END", "###"], not {text!r}.')
    return texts
