"""A real model answers: what is honoured, how an answer ends, and what happens when something breaks."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from ollama_magic.demo.engine import local_model
from ollama_magic.demo.engine.local_model import LocalModel
from ollama_magic.demo.language_model import Finished, GenerationRequest, Message, ModelError, Piece
from tests.engine.local_weights import ONE_THREAD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ollama_magic.demo.language_model import Event

STILL = {"temperature": 0, "num_predict": 12}


def request(text: str = "Count to five.", /, **fields: Any) -> GenerationRequest:
    return GenerationRequest(messages=(Message("user", text),), **{"options": STILL, **fields})


def answered(model: LocalModel, asked: GenerationRequest) -> tuple[str, Finished]:
    events = [event for event in model.generate(asked) if event is not None]
    assert isinstance(events[-1], Finished)
    return "".join(event.content for event in events if isinstance(event, Piece)), events[-1]


def pieces(model: LocalModel, asked: GenerationRequest, count: int) -> Iterator[Event]:
    """An answer of which some pieces have come."""
    events = model.generate(asked)
    while count:
        count -= isinstance(next(events), Piece)
    return events


def test_an_answer_and_its_statistics(model: LocalModel) -> None:
    """An answer comes in pieces, and its last event counts tokens and nanoseconds."""
    text, finished = answered(model, request())
    assert text
    assert (finished.done_reason, finished.tokens) == ("length", 12)
    assert finished.prompt_tokens == len(model.tokenize(model.render(request().messages)))
    assert finished.prompt_duration > 0
    assert finished.duration > 0


def test_the_same_seed(model: LocalModel) -> None:
    """With a seed the same prompt gets the same answer, whatever was asked in between; another seed gives another."""
    seeded = {"seed": 7, "temperature": 1.5, "num_predict": 12}
    first = answered(model, request(options=seeded))[0]
    answered(model, request("Something else."))
    assert answered(model, request(options=seeded))[0] == first
    assert answered(model, request(options={**seeded, "seed": 8}))[0] != first


def test_a_stop_string(model: LocalModel) -> None:
    """The answer ends before a stop string, and says so."""
    whole = answered(model, request(options={"temperature": 0, "num_predict": 12}))[0]
    stop = whole.split()[2]
    text, finished = answered(model, request(options={"temperature": 0, "num_predict": 12, "stop": [stop]}))
    assert text == whole[: whole.index(stop)]
    assert finished.done_reason == "stop"


def test_formats(model: LocalModel) -> None:
    """`json` gives an object, a schema what fits it."""
    long = {"temperature": 0, "num_predict": 200}
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "maximum": 120}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    person = json.loads(answered(model, request("A person, please.", options=long, format=schema))[0])
    assert set(person) == {"name", "age"}
    assert isinstance(person["age"], int)
    text = answered(model, request("A person as JSON: name and age.", options=long, format="json"))[0]
    assert text.lstrip().startswith("{")


def test_a_schema_that_is_none(model: LocalModel) -> None:
    """A schema that llama.cpp would ignore is refused with a reason, and the next request is answered."""
    with pytest.raises(ModelError) as refused:
        answered(model, request(format={"type": "no such type"}))
    assert refused.value.status == 400
    assert answered(model, request())[0]


def test_a_raw_prompt(model: LocalModel) -> None:
    """A raw prompt is continued as it stands, without a template."""
    text, finished = answered(model, GenerationRequest(prompt="1, 2, 3, 4, 5, 6,", options=STILL))
    assert text.lstrip().startswith("7")
    assert finished.prompt_tokens == len(model.tokenize("1, 2, 3, 4, 5, 6,"))


def test_tokens_are_text_again(model: LocalModel) -> None:
    """The tokens of a text give the text."""
    text = "Grüße, 世界 🙂\n<|im_end|>"
    assert model.detokenize(model.tokenize(text)) == text


def test_half_a_character(model: LocalModel) -> None:
    """Half an emoji, which JSON may hold and llama.cpp refuses, is read as Ollama reads it: as U+FFFD."""
    assert model.tokenize("a \ud83d b") == model.tokenize("a \ufffd b")


def test_embeddings(model: LocalModel) -> None:
    """Vectors have length 1, the same text the same vector, a near text a nearer one than a far text."""
    texts = ["A cat sleeps on the sofa.", "A kitten naps on the couch.", "The stock market fell by 3 % today."]
    cat, kitten, market = model.embed(texts)
    assert len(cat) == 576
    assert sum(value * value for value in cat) == pytest.approx(1)
    assert model.embed([texts[0]])[0] == pytest.approx(cat, abs=1e-3)
    assert near(cat, kitten) > near(cat, market)


def test_a_long_text_has_a_vector(model: LocalModel) -> None:
    """A text longer than a batch is embedded as a whole, in a small window too."""
    model.load({"num_ctx": 256})
    vector = model.embed(["one two three " * 180])[0]
    assert sum(value * value for value in vector) == pytest.approx(1)


def near(first: list[float], second: list[float]) -> float:
    return sum(one * other for one, other in zip(first, second, strict=True))


def test_a_prompt_that_does_not_fit(model: LocalModel) -> None:
    """Of a prompt longer than the window half a window is read; with `truncate` false it is refused."""
    options = {**STILL, "num_ctx": 256, "num_predict": 2}
    _, finished = answered(model, request("word " * 400, options=options))
    assert finished.prompt_tokens == 128
    with pytest.raises(ModelError, match="exceeds the available context size"):
        answered(model, request("word " * 400, options=options, body={"truncate": False}))


def test_a_window_that_fills(model: LocalModel) -> None:
    """Without `shift` an answer ends where the window ends; with it the answer gets on."""
    options = {"temperature": 0, "num_ctx": 256, "num_predict": 140, "stop": []}
    asked = {"prompt": "1, 2, 3, 4, 5, 6, 7, 8, 9, 10," * 5, "options": options}
    _, finished = answered(model, GenerationRequest(**asked, body={"shift": False}))
    assert finished.done_reason == "length"
    assert finished.prompt_tokens + finished.tokens == 256
    _, finished = answered(model, GenerationRequest(**asked))
    assert finished.prompt_tokens + finished.tokens > 256


def test_cancelled_in_mid_answer(model: LocalModel) -> None:
    """When the client leaves in mid-answer, the next request is answered."""
    events = pieces(model, request("Tell me a long story.", options={"num_predict": 2000}), 3)
    events.close()  # type: ignore[attr-defined]
    assert answered(model, request(options={"temperature": 0, "num_predict": 1}))[1].tokens == 1


def test_cancelled_while_the_prompt_is_read(model: LocalModel) -> None:
    """When the client leaves while its prompt is evaluated, only a few more tokens of it are."""
    events = model.generate(request("".join(f"{number} " for number in range(700))))
    for _ in range(5):
        assert next(events) is None
    events.close()  # type: ignore[attr-defined]
    assert len(model._evaluated) < 700
    assert answered(model, request(options={"temperature": 0, "num_predict": 1}))[1].tokens == 1


def test_killed_in_mid_answer(model: LocalModel) -> None:
    """An engine that is killed cuts its answer with an error; the next request starts another engine."""
    events = pieces(model, request("Tell me a long story.", options={"num_predict": 2000}), 3)
    assert model.pid is not None
    killed = model.pid
    os.kill(killed, signal.SIGKILL)
    with pytest.raises(ModelError, match="unexpected EOF"):
        list(events)
    assert answered(model, request())[0]
    assert model.pid != killed


def test_twenty_at_once(model: LocalModel) -> None:
    """Twenty requests at once are all answered, one after the other."""
    found: list[str] = []

    def ask(number: int) -> None:
        found.append(answered(model, request(f"{number}?", options={"temperature": 0, "num_predict": 2}))[0])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20


def test_loading_and_unloading(model: LocalModel) -> None:
    """A loaded model has a size and a process; another window loads it anew; unloading ends the process."""
    model.load({})
    first = model.pid
    assert first is not None
    assert model.size > 50_000_000
    model.load({})
    assert model.pid == first
    model.load({"num_ctx": 512})
    assert model.pid != first
    model.unload()
    assert (model.pid, model.size) == (None, 0)
    assert not os.path.exists(f"/proc/{first}")  # noqa: PTH110


def test_unloaded_in_mid_answer(model: LocalModel) -> None:
    """Unloading lets the answer that is being made come to its end."""
    events = pieces(model, request(), 2)
    model.unload()
    assert isinstance(list(events)[-1], Finished)
    assert model.pid is None


def test_too_large_for_the_memory(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that does not fit into memory is refused before it is loaded, in Ollama's words."""
    monkeypatch.setattr(local_model, "available_memory", lambda: 64 << 20)
    model = LocalModel(weights, ONE_THREAD)
    with pytest.raises(ModelError, match=r"requires more system memory \(0\.\d GiB\) than is available \(0\.1 GiB\)"):
        model.load({})
    assert model.pid is None


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    """A file that is no GGUF, or a GGUF that llama.cpp cannot load, is one line and no process."""
    path = tmp_path / "notes.gguf"
    path.write_text("Dear diary")
    with pytest.raises(ModelError, match=r"^unable to load model: notes\.gguf is no GGUF file[^\n]*$"):
        LocalModel(path).load({})
    path.write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(64))
    model = LocalModel(path, ONE_THREAD)
    with pytest.raises(ModelError, match=r"^unable to load model [^\n]*$"):
        model.load({})
    assert model.pid is None
    with pytest.raises(ModelError, match="No such file"):
        LocalModel(tmp_path / "none.gguf").load({})


def test_an_answer_is_not_cut_by_another_window(model: LocalModel) -> None:
    """A request for another window waits for the running answer, then loads the model anew."""
    events = pieces(model, request(), 2)
    other = threading.Thread(target=model.load, args=({"num_ctx": 512},))
    other.start()
    time.sleep(0.05)
    assert isinstance(list(events)[-1], Finished)
    other.join()
    assert model.context_length({"num_ctx": 512}) == 512


def test_tokens_are_counted_while_another_window_is_loaded(model: LocalModel) -> None:
    """A process that is ended for another window fails nobody who counts tokens meanwhile."""

    def load_again_and_again() -> None:
        for window in (256, 512, 256, 512):
            model.load({"num_ctx": window})

    loading = threading.Thread(target=load_again_and_again)
    loading.start()
    counted = 0
    while loading.is_alive():
        counted += len(model.tokenize(f"text {counted}")) > 0
    loading.join()
    assert counted
