"""A language model that llama.cpp runs in a process of its own, as the demo server asks for it."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from ollama_magic.demo.engine.engine_client import BrokenOff, events, post
from ollama_magic.demo.engine.engine_process import EngineFailed, EngineProcess, LoadSettings
from ollama_magic.demo.engine.gguf import NotGguf, read_header
from ollama_magic.demo.engine.limits import available_memory, thread_count
from ollama_magic.demo.engine.prompt_window import fitted_tokens
from ollama_magic.demo.engine.sampling import sampling_fields
from ollama_magic.demo.engine.schema_check import check_schema
from ollama_magic.demo.language_model import Finished, Message, ModelError, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ollama_magic.demo.engine.gguf import GgufHeader
    from ollama_magic.demo.language_model import Event, GenerationRequest

DEFAULT_CONTEXT = 4096  # tokens, as Ollama's on a machine without a large GPU
SMALLEST_CONTEXT = 256  # llama.cpp works with no less
_BATCH = 512  # tokens
_CHUNK = 24  # tokens of a long prompt that are evaluated between two looks whether the client is still there
_SHORT = 64  # tokens that are evaluated at once: each part more costs the first token some milliseconds
_REMEMBERED = 512  # texts whose tokens are remembered: a history is counted again at every turn
_LOOK = 0.04  # seconds
_NS = 1_000_000  # nanoseconds of a millisecond
_log = logging.getLogger("ollama_magic.demo")


class LocalModel:
    """The `LanguageModel` of one GGUF file; its process is started when it is needed, and one answer is made at a time.

    Args:
        path: The weights.
        environ: The environment; OLLAMA_MAGIC_ENGINE_THREADS sets the number of threads.
    """

    def __init__(self, path: Path, environ: Mapping[str, str] | None = None) -> None:
        self.path = path.absolute()
        self._environ = os.environ if environ is None else environ
        self._engine: EngineProcess | None = None
        self._header: GgufHeader | None = None
        self._starting = threading.Lock()
        self._answering = threading.Lock()
        self._unwanted = False  # the process is to end as soon as nobody is answered
        self._rendered: tuple[tuple[Message, ...], str] | None = None  # the last conversation, which is asked for twice
        self._token_numbers: dict[str, list[int]] = {}  # of texts that were counted lately
        self._evaluated: list[int] = []  # the tokens that the engine's cache holds

    @property
    def header(self) -> GgufHeader:
        """What the file says about itself; ModelError if it is no GGUF."""
        if self._header is None:
            try:
                self._header = read_header(self.path)
            except (NotGguf, OSError, ValueError) as error:
                raise ModelError(500, f"unable to load model: {error}") from error
        return self._header

    @property
    def size(self) -> int:
        """Bytes that the process takes; 0 while there is none."""
        engine = self._engine
        return engine.memory if engine is not None and engine.running else 0

    @property
    def pid(self) -> int | None:
        """The number of the process, if one runs."""
        engine = self._engine
        return engine.pid if engine is not None and engine.running else None

    def context_length(self, options: Mapping[str, Any]) -> int:
        """The window for these options: as asked, never more than the model was trained for."""
        trained = self.header.length("context_length") or DEFAULT_CONTEXT
        return max(SMALLEST_CONTEXT, min(int(options.get("num_ctx") or DEFAULT_CONTEXT), trained))

    def load(self, options: Mapping[str, Any]) -> None:
        """Start the process, or another one if an option that counts at load time has changed; answers are not cut."""
        if not self._fits(self._settings(options)):
            with self._answering:
                self._loaded(options)

    def unload(self) -> None:
        """End the process, after the answer that is being made."""
        self._unwanted = True
        if self._answering.acquire(blocking=False):
            self._release()

    def tokenize(self, text: str) -> list[int]:
        """The numbers of a text's tokens; special tokens in it count as such."""
        known = self._token_numbers.get(text)
        if known is None:
            reply = self._asked("/tokenize", {"content": text, "add_special": False, "parse_special": True})
            known = [int(token) for token in reply["tokens"]]
            if len(self._token_numbers) >= _REMEMBERED:
                self._token_numbers = {}
            self._token_numbers[text] = known
        return known

    def detokenize(self, tokens: Sequence[int]) -> str:
        """The text of tokens."""
        return str(self._asked("/detokenize", {"tokens": list(tokens)})["content"])

    def render(self, messages: Sequence[Message]) -> str:
        """The conversation in the model's own chat template."""
        rendered = self._rendered
        if rendered is None or rendered[0] != tuple(messages):
            written = [{"role": message.role, "content": message.content} for message in messages]
            prompt = str(self._asked("/apply-template", {"messages": written})["prompt"])
            rendered = self._rendered = (tuple(messages), prompt)
        return rendered[1]

    def generate(self, request: GenerationRequest) -> Iterator[Event]:
        """The pieces of one answer as they come; None while there is none."""
        if request.format is not None and not isinstance(request.format, str):
            check_schema(request.format)
        while not self._answering.acquire(timeout=_LOOK):
            yield None
        try:
            engine = self._loaded(request.options)
            prompt = self.render(request.messages) if request.prompt is None else request.prompt
            fields = sampling_fields(request.options, request.format, engine.settings.context)
            tokens = fitted_tokens(self.tokenize(prompt), engine.settings.context, fields["n_keep"], request.body)
            if request.body.get("shift") is False:
                fields["n_predict"] = min(fields["n_predict"], engine.settings.context - len(tokens))
            started = time.monotonic_ns()
            yield from self._evaluate(engine, tokens)
            yield from self._answer(engine, {**fields, "prompt": tokens}, time.monotonic_ns() - started)
        finally:
            self._release()

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector for each text: the mean of its tokens' vectors, normalised."""
        self._answering.acquire()
        try:
            engine, self._evaluated = self._any(), []
            return [_embedded(engine, self.tokenize(text)) for text in texts]
        finally:
            self._release()

    def _release(self) -> None:
        """Let the next request in; a process that is not wanted any more ends before."""
        if self._unwanted:
            self._unwanted = False
            with self._starting:
                self._stop()
        self._answering.release()
        if self._unwanted and self._answering.acquire(blocking=False):  # it came meanwhile
            self._release()

    def _evaluate(self, engine: EngineProcess, tokens: list[int]) -> Iterator[None]:
        """Have a long prompt evaluated in parts: the engine looks at its connection between two requests only."""
        known = _common(self._evaluated, tokens)
        if len(tokens) - known <= _SHORT:
            return
        for end in range(known + _CHUNK, len(tokens) - 1, _CHUNK):
            for _ in events(engine, "/completion", {"prompt": tokens[:end], "n_predict": 0, "temperature": 0}):
                yield None
            self._evaluated = tokens[:end]

    def _answer(self, engine: EngineProcess, fields: dict[str, Any], evaluated: int) -> Iterator[Event]:
        """The answer to an evaluated prompt; `evaluated` is the time that it took so far, in ns."""
        self._evaluated = list(fields["prompt"])
        for event in events(engine, "/completion", fields):
            if event is None:
                yield None
                continue
            self._evaluated += event["tokens"]
            if event["content"]:
                yield Piece(event["content"])
            if event.get("stop"):
                yield _finished(event, len(fields["prompt"]), evaluated)

    def _asked(self, path: str, body: Mapping[str, Any]) -> Any:
        """What any process replies; one that was ended meanwhile, for another window, gives way to the next."""
        while True:
            engine = self._any()
            try:
                return post(engine, path, body)
            except BrokenOff:
                if engine is self._engine:  # it has ended by itself
                    raise

    def _any(self) -> EngineProcess:
        """The running process with whatever options it was loaded; a new one if there is none."""
        with self._starting:
            engine = self._engine
            return engine if engine is not None and engine.running else self._start(self._settings({}))

    def _loaded(self, options: Mapping[str, Any]) -> EngineProcess:
        """The process with these options; whoever calls is the only one that answers."""
        settings = self._settings(options)
        with self._starting:
            engine = self._engine
            return engine if engine is not None and self._fits(settings) else self._start(settings)

    def _fits(self, settings: LoadSettings) -> bool:
        engine = self._engine
        return engine is not None and engine.running and engine.settings == settings

    def _start(self, settings: LoadSettings) -> EngineProcess:
        self._stop()
        self._check_memory(settings)
        try:
            self._engine = EngineProcess(settings)
        except EngineFailed as failed:
            raise ModelError(500, f"unable to load model {self.path.name}: {failed}") from failed
        return self._engine

    def _settings(self, options: Mapping[str, Any]) -> LoadSettings:
        """What counts at load time; the number of threads stays while the process runs, whatever others do."""
        engine = self._engine
        running = engine.settings.threads if engine is not None and engine.running else 0
        threads = int(options.get("num_thread") or 0) or running or thread_count(self._environ)
        batch = max(32, int(options.get("num_batch") or _BATCH))
        return LoadSettings(str(self.path), self.context_length(options), threads, batch)

    def _check_memory(self, settings: LoadSettings) -> None:
        """Refuse what would drive the machine out of memory, in Ollama's words."""
        header, free = self.header, available_memory()
        needed = header.size + _cache_size(header, settings.context)
        if free is not None and needed > free:
            raise ModelError(
                500, f"model requires more system memory ({_gib(needed)}) than is available ({_gib(free)})"
            )

    def _stop(self) -> None:
        engine, self._engine, self._evaluated = self._engine, None, []
        if engine is not None:
            _log.info("engine %d is ended", engine.pid)
            engine.stop()


def _finished(event: dict[str, Any], prompt_tokens: int, evaluated: int) -> Finished:
    timings = event["timings"]
    return Finished(
        "length" if event["stop_type"] == "limit" else "stop",
        prompt_tokens,
        event["tokens_predicted"],
        evaluated + int(timings["prompt_ms"] * _NS),
        int(timings["predicted_ms"] * _NS),
    )


def _embedded(engine: EngineProcess, tokens: list[int]) -> list[float]:
    """The vector of one text; a long one is the weighted mean of its parts, for the engine takes a batch at a time."""
    size = min(engine.settings.batch, engine.settings.context)
    parts = [tokens[at : at + size] for at in range(0, len(tokens), size)] or [[0]]
    replies = [post(engine, "/embedding", {"content": part, "embd_normalize": -1}) for part in parts]
    total = [0.0] * len(replies[0][0]["embedding"][0])
    for part, reply in zip(parts, replies, strict=True):
        for place, value in enumerate(reply[0]["embedding"][0]):
            total[place] += value * len(part)
    length = sum(value * value for value in total) ** 0.5 or 1.0
    return [value / length for value in total]


def _common(first: list[int], second: list[int]) -> int:
    """How many tokens two prompts share at their beginning."""
    shorter = min(len(first), len(second))
    return next((at for at in range(shorter) if first[at] != second[at]), shorter)


def _cache_size(header: GgufHeader, context: int) -> int:
    """Bytes of the attention cache: two vectors of 16-bit numbers for each layer and token."""
    heads = header.length("attention.head_count") or 1
    width = header.length("embedding_length") * (header.length("attention.head_count_kv") or heads) // heads
    return 4 * context * header.length("block_count") * width


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB"
