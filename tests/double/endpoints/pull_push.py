"""Pull and push: invented models that take seconds to come, layer by layer; a pull that is cut goes on where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.demo.models.model_reference import read_reference
from tests.double.endpoints.model_lookup import name_in
from tests.double.endpoints.old_versions import read
from tests.double.endpoints.progress import Line, send_progress
from tests.double.library.downloads import STEPS, Download
from tests.double.library.scripted_models import Layer, sha256
from tests.double.wire.go_bodies import Refusal
from tests.double.wire.go_fields import PULL, PUSH

if TYPE_CHECKING:
    from collections.abc import Generator

    from ollama_magic.demo.models.model_reference import ModelReference
    from tests.double.faults import Fault
    from tests.double.library.scripted_models import DemoModel
    from tests.double.scripted_state import ScriptedState
    from tests.double.wire.http import Connection, Exchange

NO_DISK = "write /usr/share/ollama/.ollama/models/blobs/sha256-partial: no space left on device"
_TICK = 0.06  # seconds between two reports of a download
_REGISTRY = "registry.ollama.ai"
_SILENT_END = ("params", "projector")  # a download that is never reported as complete (protocol.md §17.1)


def pull(stage: ScriptedState, exchange: Exchange, fault: Fault | None) -> None:
    """Get a model from the registry that this server plays."""
    body = read(stage, exchange, PULL)
    name = name_in(body)
    parsed = read_reference(name)
    if parsed is None:
        raise Refusal(400, "invalid model name")
    insecure = body.get("insecure") is True and name.startswith("http://")
    send_progress(exchange, fault, body, pulled(stage, exchange.connection, parsed, insecure=insecure))


def pulled(
    stage: ScriptedState, connection: Connection, name: ModelReference, *, insecure: bool = False
) -> Generator[Line, None, None]:
    """Every line of a pull, as the work goes on; Refusal where it fails; the model is there when it ends."""
    yield {"status": "pulling manifest"}
    model = _found(stage, name, insecure)
    config = Layer("config", sha256(f"config of {model.name}"), 488)
    for layer in (*model.layers, config):
        if stage.library.has_layer(layer.digest):
            yield {**_named("pulling", layer), "completed": layer.size}
        else:
            yield from _downloaded(stage, connection, layer, stage.pull_seconds * layer.size / model.size)
    yield {"status": "verifying sha256 digest"}
    yield {"status": "writing manifest"}
    stage.library.add(model)
    yield {"status": "success"}


def _found(stage: ScriptedState, name: ModelReference, insecure: bool) -> DemoModel:
    if name.host != _REGISTRY:
        scheme = "http" if insecure else "https"
        place = f"{scheme}://{name.host}/v2/{name.namespace}/{name.model}/manifests/{name.tag}"
        reason = f"dial tcp {name.host}: connect: connection refused"
        raise Refusal(500, f'pull model manifest: Get "{place}": {reason}')
    for model in stage.pullable:
        known = read_reference(model.name)
        if known and known.key == name.key:
            return model
    raise Refusal(500, "pull model manifest: file does not exist")


def _downloaded(
    stage: ScriptedState, connection: Connection, layer: Layer, seconds: float
) -> Generator[Line, None, None]:
    """The reports of one layer: `completed` is missing while it is 0, and may never reach the total."""
    with stage.lock:
        download = stage.downloads.setdefault(layer.digest, Download(layer, seconds))
    download.join()
    try:
        done = int(download.done)
        while done < layer.size:
            report = {**_named("pulling", layer), **({"completed": done} if done else {})}
            yield report
            if not done:
                yield report
            connection.pause(_TICK if download.seconds else 0)
            done = download.advance()
    finally:
        download.leave()
    if layer.kind not in _SILENT_END:
        yield {**_named("pulling", layer), "completed": layer.size}
    stage.library.blobs.setdefault(layer.digest, b"")


def _named(verb: str, layer: Layer) -> Line:
    return {"status": f"{verb} {layer.short}", "digest": layer.digest, "total": layer.size}


def push(stage: ScriptedState, exchange: Exchange, fault: Fault | None) -> None:
    """Send a model to the registry that this server plays; names of the library itself are refused."""
    body = read(stage, exchange, PUSH)
    name = name_in(body)
    if not name.strip():
        raise Refusal(400, "model is required")
    send_progress(exchange, fault, body, _pushed(stage, exchange.connection, name))


def _pushed(stage: ScriptedState, connection: Connection, name: str) -> Generator[Line, None, None]:
    yield {"status": "retrieving manifest"}
    model, read = stage.library.find(name), read_reference(name)
    if model is None or read is None:
        yield {"status": "couldn't retrieve manifest"}
        shown = f"{read.host}/{read.namespace}/{read.model}/{read.tag}" if read else name
        path = f"/usr/share/ollama/.ollama/models/manifests/{shown}"
        raise Refusal(500, f"open {path}: no such file or directory")
    if read.host != _REGISTRY:
        digest = model.layers[0].digest
        where = f"https://{read.host}/v2/{read.namespace}/{read.model}/blobs/{digest}"
        raise Refusal(500, f'Head "{where}": dial tcp {read.host}: connect: connection refused')
    if read.namespace == "library":
        raise Refusal(500, "push access denied: unauthorized")
    for layer in model.layers:
        yield from _uploaded(stage, connection, layer)
    yield {"status": "pushing manifest"}
    yield {"status": "success"}


def _uploaded(stage: ScriptedState, connection: Connection, layer: Layer) -> Generator[Line, None, None]:
    """The weights take their time; what the registry has already gives one full report."""
    steps = STEPS if layer.kind == "model" else 0
    for step in range(steps):
        done = layer.size * step // steps
        yield {**_named("pushing", layer), **({"completed": done} if done else {})}
        connection.pause(stage.pull_seconds / steps)
    yield {**_named("pushing", layer), "completed": layer.size}
