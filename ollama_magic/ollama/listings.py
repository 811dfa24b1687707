"""The answers of tags, ps and show as values; every field may be missing or of a wrong type (dossier §15)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import one_line, printable
from ollama_magic.ollama.protocol import ModelFacts, ModelSummary, RunningModel, count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST = 10_000


def read_tags(body: Mapping[str, Any]) -> list[ModelSummary]:
    """Return the models of `/api/tags` in the server's order, those without a name left out."""
    return [_summary(item) for item in _models(body)]


def read_ps(body: Mapping[str, Any]) -> list[RunningModel]:
    """Return the loaded models of `/api/ps`, the one that stays longest first."""
    return [
        RunningModel(
            name=_name(item),
            size=count(item.get("size")) or 0,
            size_vram=count(item.get("size_vram")) or 0,
            expires_at=_line(item, "expires_at"),
            context_length=count(item.get("context_length")),
            digest=_line(item, "digest"),
        )
        for item in _models(body)
    ]


def read_show(body: Mapping[str, Any]) -> ModelFacts:
    """Return what `/api/show` says of a model."""
    details = _object(body, "details")
    return ModelFacts(
        capabilities=_capabilities(body),
        context_length=_trained_length(_object(body, "model_info")),
        parameters=_text(body, "parameters"),
        template=_text(body, "template"),
        system=_text(body, "system"),
        license=_text(body, "license"),
        family=_line(details, "family"),
        families=_families(details),
        parameter_size=_line(details, "parameter_size"),
        quantization=_line(details, "quantization_level"),
        format=_line(details, "format"),
        parent_model=_line(details, "parent_model"),
        modified_at=_line(body, "modified_at"),
        remote_host=_line(body, "remote_host"),
        remote_model=_line(body, "remote_model"),
    )


def _summary(item: Mapping[str, Any]) -> ModelSummary:
    details = _object(item, "details")
    return ModelSummary(
        name=_name(item),
        size=count(item.get("size")) or 0,
        modified_at=_line(item, "modified_at"),
        digest=_line(item, "digest"),
        family=_line(details, "family"),
        families=_families(details),
        parameter_size=_line(details, "parameter_size"),
        quantization=_line(details, "quantization_level"),
        capabilities=_capabilities(item),
        context_length=count(details.get("context_length")),
        remote_host=_line(item, "remote_host"),
    )


def _models(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    models = body.get("models")
    for item in models[:_MOST] if isinstance(models, list) else []:
        if isinstance(item, dict) and _name(item):
            yield item


def _name(item: Mapping[str, Any]) -> str:
    return _line(item, "name") or _line(item, "model")


def _line(value: Mapping[str, Any], field: str) -> str:
    text = value.get(field)
    return one_line(text).strip() if isinstance(text, str) else ""


def _text(value: Mapping[str, Any], field: str) -> str:
    text = value.get(field)
    if isinstance(text, list):  # some old servers send the licences as a list
        text = "\n\n".join(part for part in text if isinstance(part, str))
    return printable(text) if isinstance(text, str) else ""


def _object(value: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    inner = value.get(field)
    return inner if isinstance(inner, dict) else {}


def _words(value: object) -> list[str]:
    return [one_line(word, 60) for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _capabilities(value: Mapping[str, Any]) -> frozenset[str] | None:
    """None where the server does not tell, which is not the same as none at all."""
    words = _words(value.get("capabilities"))
    return frozenset(words) if words else None


def _families(details: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_words(details.get("families")))


def _trained_length(info: Mapping[str, Any]) -> int | None:
    return count(info.get(f"{info.get('general.architecture')}.context_length"))
