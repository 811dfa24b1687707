"""Ollama's options and format as llama.cpp's server wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Ollama's names and defaults, and llama.cpp's names where they differ.
_DEFAULTS: dict[str, Any] = {
    "temperature": 0.8,
    "top_k": 40,
    "top_p": 0.9,
    "min_p": 0.0,
    "typical_p": 1.0,
    "seed": -1,
    "num_keep": 4,
    "repeat_last_n": 64,
    "repeat_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
}
_RENAMED = {"num_keep": "n_keep"}
# What only llama.cpp has, under its own names.
_MORE = (
    "mirostat", "mirostat_tau", "mirostat_eta", "dynatemp_range", "dynatemp_exponent", "xtc_probability",
    "xtc_threshold", "top_n_sigma", "dry_multiplier", "dry_base", "dry_allowed_length", "dry_penalty_last_n",
)  # fmt: skip
_LONGEST = 10  # windows; an answer without an end stops here, as Ollama's does


def sampling_fields(
    options: Mapping[str, Any], answer_format: str | Mapping[str, Any] | None, context_length: int
) -> dict[str, Any]:
    """The fields of a completion request.

    Args:
        options: Ollama's options; what is missing gets Ollama's default.
        answer_format: None, `"json"`, or a JSON schema.
        context_length: The window in tokens; it bounds the length of the answer.
    """
    fields = {_RENAMED.get(name, name): _set(options, name, default) for name, default in _DEFAULTS.items()}
    fields |= {name: options[name] for name in _MORE if isinstance(options.get(name), (int, float))}
    fields["n_predict"] = _answer_length(_set(options, "num_predict", -1), _LONGEST * context_length)
    fields["stop"] = list(_set(options, "stop", []))
    if answer_format is not None:
        fields["json_schema"] = {"type": "object"} if isinstance(answer_format, str) else dict(answer_format)
    return fields


def _set(options: Mapping[str, Any], name: str, default: Any) -> Any:
    found = options.get(name)
    return default if found is None else found


def _answer_length(wanted: int, longest: int) -> int:
    return longest if wanted <= 0 else min(int(wanted), longest)
