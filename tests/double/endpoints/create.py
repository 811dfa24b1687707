"""Create and blobs: a model from another one or from an uploaded file, line by line as the server tells of it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_magic.demo.models.model_reference import read_reference
from ollama_magic.demo.transport.go_format import quoted
from tests.double.endpoints.model_lookup import name_in
from tests.double.endpoints.old_versions import read
from tests.double.endpoints.progress import Line, send_progress
from tests.double.endpoints.pull_push import pulled
from tests.double.library.scripted_models import DemoModel
from tests.double.wire.go_bodies import Body, Refusal
from tests.double.wire.go_fields import CREATE

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.double.faults import Fault
    from tests.double.scripted_state import ScriptedState
    from tests.double.wire.http import Connection, Exchange

_BLOBS = "/usr/share/ollama/.ollama/models/blobs/"
_DIGEST = re.compile(r"sha256[:-][0-9a-fA-F]{64}")
_QUANTA = ("F32", "F16", "Q4_K_S", "Q4_K_M", "Q8_0")


def create(stage: ScriptedState, exchange: Exchange, fault: Fault | None) -> None:
    """Make a model of another one, or of files that were uploaded."""
    body = read(stage, exchange, CREATE)
    name = name_in(body)
    if read_reference(name) is None:
        raise Refusal(400, "invalid model name")
    if not stage.age.has("create_fields"):
        _source(body)
    files = body.get("files")
    for file in files if isinstance(files, dict) else ():
        if file.startswith(("/", "\\")) or ".." in file.split("/"):
            raise Refusal(400, "file path must be relative")
    send_progress(exchange, fault, body, _created(stage, exchange.connection, name, body))


def _created(stage: ScriptedState, connection: Connection, name: str, body: Body) -> Generator[Line, None, None]:
    files = body.get("files")
    if not stage.age.has("create_fields"):
        base = yield from _base(stage, connection, _source(body))
    elif body.get("from"):
        base = yield from _base(stage, connection, str(body["from"]))
    elif isinstance(files, dict) and files:
        base = yield from _imported(stage, name, files)
    else:
        raise Refusal(400, "neither 'from' or 'files' was specified")
    made = yield from _quantized(body, _changed(replace(base, name=name), body))
    for layer in made.layers:
        kept = stage.library.has_layer(layer.digest)
        yield {"status": f"{'using existing' if kept else 'creating new'} layer {layer.digest}"}
    yield {"status": "writing manifest"}
    stage.library.add(made)
    yield {"status": "success"}


def _base(stage: ScriptedState, connection: Connection, source: str) -> Generator[Line, None, DemoModel]:
    """The model to start from; one that is missing is pulled, and that pull tells of its own success too."""
    read = read_reference(source)
    if read is None:
        raise Refusal(400, "invalid model name")
    if stage.library.find(source) is None:
        yield from pulled(stage, connection, read)
    model = stage.library.find(source)
    if model is None:
        raise Refusal(500, "pull model manifest: file does not exist")
    return replace(model, base=model.base or model.name, parent=model.shown)


def _source(body: Body) -> str:
    """Before v0.5.5 a Modelfile was sent; the only line of it that counts here is FROM."""
    source = re.search(r"^\s*FROM\s+(\S+)", str(body.get("modelfile", "")), re.IGNORECASE | re.MULTILINE)
    if source is None:
        raise Refusal(400, "path or Modelfile are required")
    return source.group(1)


def _imported(stage: ScriptedState, name: str, files: dict[str, object]) -> Generator[Line, None, DemoModel]:
    yield {"status": "parsing GGUF"}
    digest = str(next(iter(files.values())))
    if not _DIGEST.fullmatch(digest):
        raise Refusal(500, "invalid digest format")
    blob = stage.library.blobs.get(digest)
    if blob is None:
        raise Refusal(500, f"open {_BLOBS}{digest.replace(':', '-')}: no such file or directory")
    if not blob.startswith(b"GGUF"):
        raise Refusal(500, "supplied file was not in GGUF format")
    yield {"status": "verifying conversion"}
    return DemoModel(name, base=digest)


def _changed(model: DemoModel, body: Body) -> DemoModel:
    """The model with what the body replaces; parameters are laid over the inherited ones."""
    template, system, license_ = (body.get(key) for key in ("template", "system", "license"))
    if template:
        check_template(str(template), late=True)
        model = replace(model, template=str(template))
    if system:
        model = replace(model, system=str(system))
    if license_:
        texts = license_ if isinstance(license_, list) else [license_]
        model = replace(model, license="\n".join(str(text) for text in texts))
    parameters, messages = body.get("parameters"), body.get("messages")
    if isinstance(parameters, dict) and parameters:
        model = replace(model, parameters=tuple({**dict(model.parameters), **parameters}.items()))
    if isinstance(messages, list) and messages:
        said = tuple((str(one.get("role", "")), str(one.get("content", ""))) for one in messages)
        model = replace(model, messages=said)
    return model


def check_template(template: str, *, late: bool = False) -> None:
    """Refusal for an action that is not closed: the one thing of Go's templates that is looked at here."""
    if template.rpartition("{{")[2].count("}}") == 0 and "{{" in template:
        text = "template: :1: unclosed action"
        raise Refusal(400, f"template error: {text}") if late else Refusal(500, text)


def _quantized(body: Body, model: DemoModel) -> Generator[Line, None, DemoModel]:
    wanted = str(body.get("quantize") or body.get("quantization") or "").upper()
    if not wanted:
        return model
    if wanted not in _QUANTA:
        raise Refusal(500, f"unsupported quantization type {wanted} - supported types are {', '.join(_QUANTA)}")
    if model.quantization not in ("F32", "F16", "BF16"):
        raise Refusal(500, "quantization is only supported for F16, BF16 and F32 models")
    yield {"status": "verifying conversion"}
    return replace(model, base=f"{model.base or model.name} {wanted}", quantization=wanted)


def blob(stage: ScriptedState, exchange: Exchange, _fault: Fault | None) -> None:
    """Tell whether a blob is there, or take it in; only its first bytes are kept."""
    digest = exchange.path.rpartition("/")[2]
    if not _DIGEST.fullmatch(digest):
        raise Refusal(400, "invalid digest format")
    digest = digest.replace("-", ":").lower()
    there = stage.library.has_layer(digest)
    if exchange.request.method == "HEAD":
        if not there:
            path = f"{_BLOBS}{digest.replace(':', '-')}"
            raise Refusal(404, f"blob not found: {path}")
        exchange.reply(200, None)
        return
    if not there:
        got = f"sha256:{hashlib.sha256(exchange.request.body).hexdigest()}"
        if got != digest:
            raise Refusal(400, f"digest mismatch, expected {quoted(digest)}, got {quoted(got)}")
        stage.library.blobs[digest] = exchange.request.body[:4]
    exchange.reply(200 if there else 201, None)
