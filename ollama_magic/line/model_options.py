"""The model options that servers know, with types and ranges (protocol.md §5), and the parser of `-o KEY=VALUE`."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError
from ollama_magic.line import value_readers
from ollama_magic.line.shell_words import folded, unquoted
from ollama_magic.line.value_readers import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

_KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false"}
_OTHER_NAMES = {
    **dict.fromkeys(
        (
            "max_tokens",
            "max_new_tokens",
            "max_completion_tokens",
            "max_output_tokens",
            "max_length",
            "n_predict",
            "num_tokens",
            "tokens",
        ),
        "num_predict",
    ),
    **dict.fromkeys(("context", "ctx", "ctx_size", "n_ctx", "context_length", "context_window"), "num_ctx"),
    **dict.fromkeys(("threads", "n_threads"), "num_thread"),
    **dict.fromkeys(("gpu_layers", "n_gpu_layers", "ngl"), "num_gpu"),
    **dict.fromkeys(("batch_size", "n_batch"), "num_batch"),
    **dict.fromkeys(("repetition_penalty", "rep_penalty"), "repeat_penalty"),
    **dict.fromkeys(("stop_sequences", "stop_words", "stops"), "stop"),
    "temp": "temperature",
    "random_seed": "seed",
}
# What is not a model option, and how to set it for a turn and for a conversation; `{}` is the value.
_ALTERNATIVES = {
    "keep_alive": ("--keep-alive {}", "`%config OllamaMagic.keep_alive = '{}'`"),
    "model": ("-m {}", "`%ollama model {}`"),
    "system": ('-s "{}"', "`%ollama system {}`"),
    "host": ("--host {}", "`%ollama host {}`"),
    "format": ("-f {}", "`%chat -f {}`"),
    "conversation": ("-c {}", "`%ollama switch {}`"),
    "turns": ("--turns {}", "`%config OllamaMagic.turns = {}`"),
    "once": ("--once", "`%chat --once`"),
    "verbatim": ("--verbatim", "`%chat --verbatim`"),
    "background": ("-b", "`%chat -b`"),
    "raw": ("`%generate --raw`", "`%generate --raw`"),
    "suffix": ("`%generate --suffix {}`", "`%generate --suffix {}`"),
    "template": ("`%generate --template {}`", "`%generate --template {}`"),
}
_ESCAPED = re.compile(r"[^\s'\"\\]*\\[^\s'\"]*")


@dataclass(frozen=True)
class ModelOption:
    """One option: its kind (int, float, bool, list), its description, and its range, if any."""

    kind: str
    help: str
    least: float | None = None
    most: float | None = None


MODEL_OPTIONS = {
    "temperature": ModelOption("float", "how freely the model chooses; 0 always takes the likeliest word", 0),
    "top_k": ModelOption("int", "choose among the k likeliest; 0 is among all", 0),
    "top_p": ModelOption("float", "choose among the likeliest that make up this share", 0, 1),
    "min_p": ModelOption("float", "leave out what is less likely than this share of the likeliest", 0, 1),
    "typical_p": ModelOption("float", "keep what is about as surprising as expected", 0, 1),
    "seed": ModelOption("int", "the same seed gives the same answer; -1 is random"),
    "num_predict": ModelOption("int", "most tokens of the answer; -1 is no limit"),
    "num_keep": ModelOption("int", "tokens to keep at the front when the context is full"),
    "stop": ModelOption("list", "text that ends the answer; may be used more than once"),
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

OBSOLETE = (
    "numa", "low_vram", "f16_kv", "logits_all", "vocab_only", "use_mlock", "embedding_only", "tfs_z", "mirostat",
    "mirostat_tau", "mirostat_eta", "penalize_newline",
)  # fmt: skip


def read_model_option(text: str) -> tuple[str, object]:
    """Parse `KEY=VALUE`; raise InputError for an unknown name or an invalid value."""
    match = re.fullmatch(r"\s*([^=＝﹦]*?)\s*[=＝﹦](.*)", text, re.DOTALL)
    if match is None:
        raise InputError(f"-o takes KEY=VALUE, such as num_ctx=8192; {quoted(text)} has no =.")
    name = known_name(folded(match[1]), match[2])
    return name, typed_value(name, match[2])


def read_raw_model_option(line: str, start: int) -> tuple[tuple[str, object], int] | None:
    r"""Parse a `stop=` whose value is JSON or has escapes (`stop=["A", "B"]`, `stop=\n`); return it and its end."""
    match = re.compile(r"stop\s*[=＝﹦]").match(line, start)
    found = _raw_texts(line, match.end()) if match else None
    return (("stop", _checked_texts("stop", found[0])), found[1]) if found else None


def read_option_setting(text: str) -> tuple[str, object]:
    """Parse `KEY VALUE` or `KEY=VALUE`, without the quotes around a value."""
    match = re.fullmatch(r"([^\s=＝﹦]+)(?:\s*[=＝﹦]\s*|\s+)(\S.*?)\s*", text, re.DOTALL)
    if match is None:
        known_name(folded(text.strip()), command=True)
        raise InputError("`%ollama set` needs a name and a value, such as `%ollama set temperature 0.2`.")
    name = known_name(folded(match[1]), match[2], command=True)
    found = _raw_texts(match[2], 0) if name == "stop" else None
    if found is not None and found[1] == len(match[2]):
        return name, _checked_texts(name, found[0])
    return name, typed_value(name, unquoted(match[2]))


def known_name(name: str, value: str = "", *, command: bool = False) -> str:
    """Return the name if servers know it; else raise InputError with what to use (`command`: for `%ollama set`)."""
    if name in MODEL_OPTIONS:
        return name
    plain = name.lower().replace("-", "_")
    if plain == "think":
        off = value_readers.SWITCH.get(value.strip().lower())
        instead = "--no-think" if off is False else f"--think {value}" if value and off is None else "--think"
        raise InputError(f"think is not a model option: use {instead} for a turn, or the setting OllamaMagic.think.")
    if plain == "stream":
        raise InputError("stream is not a model option: an answer always streams; leave it out.")
    if plain in _ALTERNATIVES:
        instead = _ALTERNATIVES[plain][command].format(value or "…")
        raise InputError(f"{name} is not a model option: {instead} sets it.")
    if plain in _OTHER_NAMES:
        raise InputError(f"There is no model option {quoted(name)}; did you mean {_OTHER_NAMES[plain]}?")
    if name in OBSOLETE:
        raise InputError(f"{name} has no effect: current servers ignore this model option.")
    near = get_close_matches(name.lower().replace("-", "_"), MODEL_OPTIONS, 1, 0.5)
    rest = f"did you mean {near[0]}?" if near else f"there are {', '.join(MODEL_OPTIONS)}."
    raise InputError(f"There is no model option {quoted(name)}; {rest}")


def other_name(name: str) -> str:
    """Return the model option of a name, including names of other programs; empty for none."""
    return name if name in MODEL_OPTIONS else _OTHER_NAMES.get(name, "")


def typed_value(name: str, text: str) -> object:
    """Return the value with the type that the server takes; `stop` is always a list."""
    option = MODEL_OPTIONS[name]
    if option.kind == "list":
        return _texts(name, text)
    plain = folded(text).strip()
    value = value_readers.SWITCH.get(plain.lower()) if option.kind == "bool" else _number(option.kind, plain)
    if value is None:
        raise InputError(f"{name} is {_KINDS[option.kind]}, not {quoted(text)}.")
    if option.least is not None and value < option.least:
        raise InputError(f"{name} is {option.least:g} or more, not {text.strip()}.")
    if option.most is not None and value > option.most:
        raise InputError(f"{name} is between {option.least:g} and {option.most:g}, not {text.strip()}.")
    return value


def merge_model_options(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Merge pairs: the last value of a name counts, but each `stop` is added to the earlier ones."""
    merged: dict[str, object] = {}
    for name, value in pairs:
        before = merged.get(name)
        merged[name] = [*before, *value] if isinstance(before, list) and isinstance(value, list) else value
    return merged


def _number(kind: str, text: str) -> float | None:
    """Return an int or a float, None for anything else; 8192.0 is a whole number too."""
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
    r"""Parse a text, a JSON text (`"\n"`), or a JSON list of texts."""
    if text[:1] not in ("[", '"'):
        read: object = text
    else:
        try:
            read = json.loads(text)
        except (ValueError, RecursionError):
            read = text
    return _checked_texts(name, read, text)


def _raw_texts(line: str, at: int) -> tuple[object, int] | None:
    """Parse JSON, or a word with escapes, in a line; return it and its end, None for any other text."""
    if line[at : at + 1] in ("[", '"'):
        try:
            found, end = json.JSONDecoder().raw_decode(line, at)
        except (ValueError, RecursionError):
            found, end = None, at
        if end > at and (end == len(line) or line[end].isspace()):
            return found, end
        word = line[at:].split(maxsplit=1)[0]
        if word.count("[") != word.count("]"):
            raise InputError(f'stop={word[:100]} is not closed; a list of texts is written stop=["END", "###"].')
    match = _ESCAPED.match(line, at)
    if match is None or (match.end() < len(line) and not line[match.end()].isspace()):
        return None
    try:
        return json.loads(f'"{match[0]}"'), match.end()
    except ValueError:
        return None


def _checked_texts(name: str, read: object, text: str = "") -> list[Any]:
    texts: list[Any] = read if isinstance(read, list) else [read]
    if not all(isinstance(one, str) and one for one in texts):
        shown = quoted(text or str(read))
        raise InputError(f'{name} is a text, or a JSON list of texts such as ["END", "###"], not {shown}.')
    return texts
