"""Reads the answers of version, tags, ps and show; fields may be missing or invalid (protocol.md §15)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import one_line, printable
from ollama_magic.ollama.protocol import ModelFacts, ModelSummary, RunningModel, Tensor
from ollama_magic.ollama.stats import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST = 10_000
_BLOB = re.compile(r"^FROM\s.*sha256[-:]([0-9a-f]{64})\s*$", re.MULTILINE)


def read_version(body: Mapping[str, Any]) -> str:
    """Return the version of `/api/version`, such as "0.24.0"; "" if it has none."""
    return _line(body, "version")[:60]


def read_tags(body: Mapping[str, Any]) -> list[ModelSummary]:
    """Return the models of `/api/tags` in the server's order, without nameless ones."""
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


def read_show(body: Mapping[str, Any], *, verbose: bool = False) -> ModelFacts:
    """Return the facts of `/api/show`, with tensors only if verbose: some servers always send them."""
    details, info = _object(body, "details"), _object(body, "model_info")
    modelfile = _text(body, "modelfile")
    return ModelFacts(
        capabilities=_capabilities(body),
        context_length=_of_architecture(info, "context_length"),
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
        modelfile=modelfile,
        requires=_line(body, "requires"),
        weights=_weights(modelfile),
        parameter_count=count(info.get("general.parameter_count")),
        embedding_length=_of_architecture(info, "embedding_length"),
        info=_plain(info),
        projector=_plain(_object(body, "projector_info")),
        tensors=_tensors(body.get("tensors")) if verbose else (),
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
    return _fit(text).strip() if isinstance(text, str) else ""


def _fit(text: str) -> str:
    """Return the text on one line, quickly for ordinary names: a list may have 10,000."""
    if len(text) <= 80 and text.isascii() and text.isprintable() and "  " not in text:
        return text
    return one_line(text)


def _text(value: Mapping[str, Any], field: str) -> str:
    text = value.get(field)
    if isinstance(text, list):  # some old servers send the licences as a list
        text = "\n\n".join(part for part in text if isinstance(part, str))
    return printable(text) if isinstance(text, str) else ""


def _object(value: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    inner = value.get(field)
    return inner if isinstance(inner, dict) else {}


def _words(value: object) -> list[str]:
    return [_fit(word)[:60] for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _capabilities(value: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the capabilities; None if the server does not list them."""
    words = _words(value.get("capabilities"))
    return frozenset(words) if words else None


def _families(details: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_words(details.get("families")))


def _of_architecture(info: Mapping[str, Any], field: str) -> int | None:
    return count(info.get(f"{info.get('general.architecture')}.{field}"))


def _weights(modelfile: str) -> str:
    """Return the digest in the FROM line, which names the blob on the server."""
    found = _BLOB.search(modelfile)
    return found[1] if found else ""


def _plain(value: Any) -> Any:
    """Return a JSON value with printable texts, quickly for ASCII: a GGUF's lists may have 300,000 words."""
    if isinstance(value, str):
        return value if value.isascii() and value.isprintable() else printable(value)
    if isinstance(value, dict):
        return {one_line(name): _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _tensors(value: object) -> tuple[Tensor, ...]:
    items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    return tuple(Tensor(_line(item, "name"), _line(item, "type"), _shape(item.get("shape"))) for item in items)


def _shape(value: object) -> tuple[int, ...]:
    return tuple(n for n in map(count, value) if n is not None) if isinstance(value, list) else ()
