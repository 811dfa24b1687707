"""The real models of a demo server: SmolLM2 once it has been fetched, and GGUF files of the user's own."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ollama_magic.demo.engine.engine_process import engine_installed
from ollama_magic.demo.engine.gguf import GgufHeader, NotGguf, read_header
from ollama_magic.demo.engine.local_model import LocalModel
from ollama_magic.demo.engine.weights import SMOLLM2, WeightsError, cache_folder, fetch_weights, stored_weights
from ollama_magic.demo.language_model import ModelError
from ollama_magic.demo.models.model_card import DemoModel
from ollama_magic.demo.models.model_reference import read_reference
from ollama_magic.demo.models.model_source import ModelSource
from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from ollama_magic.demo.language_model import LanguageModel

SMALL_MODEL = "smollm2:135m"
NOT_INSTALLED = 'no engine is installed (`pip install "ollama_magic[local]"`, where there is a wheel of xllamacpp)'
NOT_FETCHED = f"{SMALL_MODEL} is not here yet (`%ollama pull {SMALL_MODEL}` fetches it, 98 MB)"
_BLOB = re.compile(r"sha256-([0-9a-f]{64})")
_LICENSE = (
    "SmolLM2-135M-Instruct by Hugging Face: Apache License, Version 2.0, https://www.apache.org/licenses/LICENSE-2.0"
)
# What its authors recommend, and an end for an answer that finds none.
_PARAMETERS = (
    ("temperature", 0.2),
    ("top_p", 0.9),
    ("repeat_penalty", 1.1),
    ("num_predict", 1024),
    ("stop", "<|im_end|>"),
)


@dataclass
class LocalModels:
    """What a demo server needs to know about real models.

    Args:
        cards: The models as they are listed.
        language_models: What answers for them, by name.
        sources: What can be pulled for real.
        missing: Why there is no real model, if there is none.
    """

    cards: list[DemoModel] = field(default_factory=list)
    language_models: dict[str, LanguageModel] = field(default_factory=dict)
    sources: tuple[ModelSource, ...] = ()
    missing: str = "no real model was asked for"

    def add(self, card: DemoModel, language_model: LanguageModel) -> None:
        """One more model."""
        self.cards.append(card)
        self.language_models[card.name] = language_model


def who_answers(names: Iterable[str], missing: str) -> str:
    """One line: the real models and the recordings, or why there are only recordings."""
    shown = ", ".join(f"{name}, a very small real model" if name == SMALL_MODEL else name for name in names)
    return f"{shown}, and recorded answers" if shown else f"recorded answers only: {missing}"


def local_models(files: Sequence[str] = (), folder: Path | None = None) -> LocalModels:
    """The real models that this machine can run.

    Args:
        files: GGUF files of the user's own, `FILE` or `FILE=NAME`; the first one answers for `demo`.
        folder: The cache folder of fetched weights; None is the user's.

    Raises:
        InputError: A file is missing, is no GGUF, or its name is no model name.
    """
    found = LocalModels()
    if not engine_installed():
        if files:
            raise InputError(f"A GGUF file needs the engine: {NOT_INSTALLED}.")
        found.missing = NOT_INSTALLED
        return found
    for text in files:
        path, name = _named_file(text)
        header = _header(path)
        found.add(_card(name or _own_name(path, header), path, header), LocalModel(path))
    source = _small_model(folder or cache_folder())
    found.sources = (source,)
    stored = source.opened()
    if stored:
        found.add(*stored)
    found.missing = NOT_FETCHED
    return found


def fetch_small_model(folder: Path | None = None) -> Generator[int, None, None]:
    """Fetch the small model if it is not there; yields the bytes that have come, WeightsError if it fails."""
    folder = folder or cache_folder()
    if stored_weights(folder) is None:
        yield from fetch_weights(folder)


def _small_model(folder: Path) -> ModelSource:
    def opened() -> tuple[DemoModel, LanguageModel] | None:
        path = stored_weights(folder)
        if path is None:
            return None
        return _card(SMALL_MODEL, path, read_header(path), _LICENSE, _PARAMETERS), LocalModel(path)

    def fetch() -> Generator[int, None, None]:
        try:
            yield from fetch_weights(folder)
        except WeightsError as error:
            raise ModelError(500, str(error)) from error

    def deleted() -> None:
        with suppress(OSError):
            (folder / SMOLLM2.file_name).unlink()

    digest = f"sha256:{SMOLLM2.archive_sha256}"
    return ModelSource(SMALL_MODEL, digest, SMOLLM2.archive_size, fetch, opened, deleted)


def _named_file(text: str) -> tuple[Path, str]:
    """The file and the name of `FILE=NAME`; an equals sign may also be part of a file's name."""
    whole = _path(text)
    if whole.is_file() or "=" not in text:
        return whole, ""
    file, _, name = text.rpartition("=")
    if read_reference(name) is None:
        shown = one_line(name, 80) or "An empty name"
        raise InputError(f"{shown} is no model name; write it like `mine` or `mine:1b`.")
    return _path(file), name


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise InputError(f"{one_line(text, 200)} cannot be read (there is no such home folder).") from None


def _header(path: Path) -> GgufHeader:
    if path.is_fifo():  # to open one would wait for its other end
        raise InputError(f"{one_line(str(path))} is a pipe; save what it brings as a file.")
    try:
        return read_header(path)
    except NotGguf as error:
        raise InputError(f"{one_line(str(error))}.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is empty"
        raise InputError(f"{one_line(str(path))} cannot be read ({reason}).") from None


def _own_name(path: Path, header: GgufHeader) -> str:
    """A model name from that of the file; a blob of an Ollama is called by what is written in it."""
    name = str(header.metadata.get("general.basename", "")) if _BLOB.fullmatch(path.name) else path.stem
    plain = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:60]
    return plain if read_reference(plain or ":") else "gguf"


def _card(
    name: str,
    path: Path,
    header: GgufHeader,
    licence: str = "",
    parameters: tuple[tuple[str, object], ...] = (),
) -> DemoModel:
    """The model as it is listed: what its file says."""
    blob = _BLOB.fullmatch(path.name)
    left_out = ("general.name", "tokenizer.chat_template")
    return DemoModel(
        name,
        ("completion", "embedding"),
        header.size,
        header.architecture,
        _shown_count(header.parameters),
        header.quantization,
        header.length("context_length"),
        header.length("embedding_length"),
        licence or str(header.metadata.get("general.license", "")),
        header.template,
        parameters=parameters,
        weights_digest=f"sha256:{SMOLLM2.sha256}" if name == SMALL_MODEL else f"sha256:{blob[1]}" if blob else "",
        info=tuple((key, value) for key, value in header.metadata.items() if key not in left_out),
    )


def _shown_count(number: int) -> str:
    """A number of parameters as Ollama shows it: 134.52M, 1.2B."""
    if number >= 10**9:
        return f"{number / 1e9:.1f}B"
    return f"{number / 1e6:.2f}M" if number >= 10**6 else f"{number / 1e3:.0f}K"
