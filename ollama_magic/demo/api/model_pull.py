"""Pull: models for practice that take seconds to come, layer by layer; a pull that is cut resumes where it was."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from ollama_magic.demo.api.progress_lines import Line, send_progress
from ollama_magic.demo.language_model import ModelError
from ollama_magic.demo.models.model_card import Layer, sha256
from ollama_magic.demo.models.model_reference import read_reference
from ollama_magic.demo.server_state import name_in
from ollama_magic.demo.transport.request_body import NAMED, Refusal, read_body

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from ollama_magic.demo.models.model_card import DemoModel
    from ollama_magic.demo.models.model_reference import ModelReference
    from ollama_magic.demo.models.model_source import ModelSource
    from ollama_magic.demo.server_state import ServerState
    from ollama_magic.demo.transport.exchange import Exchange

_TICK = 0.06  # seconds between two reports of a download
_STEPS = 8  # reports of a download that takes no time
_LARGE = 100_000  # bytes; a smaller layer comes at once
_REGISTRY = "registry.ollama.ai"
_SILENT_END = ("params",)  # a download that is never reported as complete (protocol.md §17.1)


def pull(state: ServerState, exchange: Exchange) -> None:
    """Get a model from the registry that this server stands for."""
    body = read_body(exchange.body, NAMED)
    reference = read_reference(name_in(body))
    if reference is None:
        raise Refusal(400, "invalid model name")
    send_progress(exchange, body, pulled(state, exchange, reference))


def pulled(state: ServerState, exchange: Exchange, reference: ModelReference) -> Generator[Line, None, None]:
    """Every line of a pull, as the work goes on; Refusal where it fails; the model is there when it ends."""
    yield {"status": "pulling manifest"}
    source = _source(state, reference)
    if source:
        yield from _fetched(state, exchange, source)
        return
    model = _found(state, reference)
    config = Layer("config", sha256(f"config of {model.name}"), 488)
    for layer in (*model.layers, config):
        if state.installed.has_layer(layer.digest):
            yield {**_named(layer), "completed": layer.size}
        else:
            yield from _downloaded(state, exchange, layer, state.pull_seconds * layer.size / model.size)
    yield {"status": "verifying sha256 digest"}
    yield {"status": "writing manifest"}
    state.installed.add(model)
    yield {"status": "success"}


def _source(state: ServerState, reference: ModelReference) -> ModelSource | None:
    """What fetches this model for real."""
    references = ((read_reference(source.name), source) for source in state.sources)
    return next((source for known, source in references if known and known.key == reference.key), None)


def _fetched(state: ServerState, exchange: Exchange, source: ModelSource) -> Generator[Line, None, None]:
    """A real download: the lines of its bytes, as they come; it is stopped when the client leaves."""
    digest = source.digest.removeprefix("sha256:")
    layer = {"status": f"pulling {digest[:12]}", "digest": source.digest, "total": source.size}
    found = source.opened()
    if found is None:
        with closing(source.fetch()) as progress:
            yield from _reported(progress, exchange, layer)
        found = source.opened()
    yield {**layer, "completed": source.size}
    yield {"status": "verifying sha256 digest"}
    if found is None:
        raise Refusal(500, "digest mismatch, file must be downloaded again")
    yield {"status": "writing manifest"}
    state.add(*found)
    yield {"status": "success"}


def _reported(progress: Iterable[int], exchange: Exchange, layer: Line) -> Generator[Line, None, None]:
    try:
        for done in progress:
            yield {**layer, **({"completed": done} if done else {})}
            exchange.pause(0)
    except ModelError as error:
        raise Refusal(error.status, error.text) from None


def _found(state: ServerState, reference: ModelReference) -> DemoModel:
    if reference.host != _REGISTRY:
        place = f"https://{reference.host}/v2/{reference.namespace}/{reference.model}/manifests/{reference.tag}"
        reason = f"dial tcp {reference.host}: connect: connection refused"
        raise Refusal(500, f'pull model manifest: Get "{place}": {reason}')
    for model in state.pullable:
        known = read_reference(model.name)
        if known and known.key == reference.key:
            return model
    raise Refusal(500, "pull model manifest: file does not exist")


def _downloaded(state: ServerState, exchange: Exchange, layer: Layer, seconds: float) -> Generator[Line, None, None]:
    """The reports of one layer: `completed` is missing while it is 0, and may never reach the total."""
    steps = (seconds / _TICK or _STEPS) if layer.size > _LARGE else 1
    done = state.downloads.get(layer.digest, 0.0)
    while done < layer.size:
        report = {**_named(layer), **({"completed": int(done)} if done else {})}
        yield report
        if not done:
            yield report
        exchange.pause(_TICK if seconds else 0)
        done = state.downloads[layer.digest] = min(layer.size, done + layer.size / max(steps, 1))
    if layer.kind not in _SILENT_END:
        yield {**_named(layer), "completed": layer.size}
    state.installed.layers.add(layer.digest)


def _named(layer: Layer) -> Line:
    return {"status": f"pulling {layer.short}", "digest": layer.digest, "total": layer.size}
