"""`demo --replay`: answers from saved conversations and from recordings, with their label and at their pace."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from ollama_magic.demo.demo_server import DemoServer
from ollama_magic.demo.language_model import GenerationRequest, Message, Piece
from ollama_magic.demo.recordings.recorded_model import RecordedModel
from ollama_magic.demo.recordings.replay import NoReplay, read_replay, recorded_pieces
from ollama_magic.notebook.conversation_file import save_conversation
from tests.demo.asking import chat
from tests.turns import a_turn

GUIDE = Path(__file__).parent.parent / "recordings" / "guide.json.gz"
ANSWER = "It *scatters* <b>&</b> 👋\n\n```python\nprint('<a>')\n```\nSo: [a](javascript:x) &lt; ![p](q)"
LABEL = "*recorded: gemma3:1b, 2025-04-22*"
AT = 1745284806.0
STATS = {"answer_tokens": 100, "answer_ns": 2_000_000_000}
TURNS = [
    a_turn("Why is the sky blue?", ANSWER, model="gemma3:1b", thinking="Rayleigh <x>", at=AT, stats=STATS),
    a_turn("Shorter", "Scattering.", model="gemma3:1b", at=AT),
    a_turn("And the sea?", "It mirrors.", model="gemma3:1b", at=AT),
    a_turn("Shorter", "Mirror.", model="gemma3:1b", at=AT),
]


@pytest.fixture(params=["json", "ipynb"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return save_conversation(tmp_path / f"sky.{request.param}", TURNS)


def answers(file: Path, *prompts: str) -> str:
    with DemoServer(pace=0, replay=file) as server:
        return chat(server.url, *prompts).text


def test_a_saved_conversation_is_said_again(file: Path) -> None:
    """Letter for letter, from each kind of file, with the label as the last paragraph, in italics."""
    said = answers(file, "  Why is\nthe sky   blue? ")
    dated = file.suffix != ".ipynb"  # a notebook keeps no times
    assert said == f"{ANSWER}\n\n{LABEL if dated else '*recorded: gemma3:1b*'}"


def test_the_same_prompt_twice(file: Path) -> None:
    """The answer counts that followed the same prompt as here; without one, the first."""
    assert answers(file, "And the sea?", "Shorter").startswith("Mirror.")
    assert answers(file, "Why is the sky blue?", "Shorter").startswith("Scattering.")
    assert answers(file, "Shorter").startswith("Scattering.")


def test_a_prompt_that_is_not_in_the_file(file: Path) -> None:
    """It gets a scripted reply with the demo's own label."""
    assert answers(file, "Tell me a joke").endswith("*demo: scripted reply, no language model*")


def test_the_recorded_pace(tmp_path: Path) -> None:
    """Tokens come as fast as the server counted them, else 40 in a second; a given pace goes before."""
    replay = read_replay(save_conversation(tmp_path / "sky.json", TURNS))
    first, second = (replay.find([turn.prompt]) for turn in (TURNS[0], TURNS[2]))
    assert first
    assert second
    paced = [recorded_pieces(turn, at_its_pace=True, thinks=True) for turn in (first, second)]
    assert [{piece.delay for piece in answer} for answer in paced] == [{1 / 50}, {1 / 40}]
    assert "".join(piece.thinking for piece in paced[0]) == "Rayleigh <x>"
    assert {piece.delay for piece in recorded_pieces(first, at_its_pace=False, thinks=False)} == {0.0}


@pytest.mark.parametrize(("pace", "rest"), [(None, 1 / 50), (0, 0.0), (5, 1 / 5)])
def test_a_pace_for_recorded_answers(pace: float | None, rest: float, tmp_path: Path) -> None:
    """A server's pace holds for recorded answers, too; without one they come at their own."""
    model = RecordedModel(pace, read_replay(save_conversation(tmp_path / "sky.json", TURNS)))
    events = model.generate(GenerationRequest((Message("user", TURNS[0].prompt),)))
    assert {event.delay for event in events if isinstance(event, Piece)} == {rest}


def test_recordings_are_replayed_with_their_times() -> None:
    """The guide's own answers, from a gzipped list of exchanges with a real server."""
    replay = read_replay(GUIDE)
    turn = replay.find(["Hello, how are you?"])
    assert turn
    deltas = recorded_pieces(turn, at_its_pace=True, thinks=False)
    assert "".join(delta.content for delta in deltas).endswith(f"going so far?\n\n{LABEL}")
    pauses = [delta.delay for delta in deltas[1 : len(turn.chunks)]]
    assert len(set(pauses)) > 20
    assert 0 < sum(pauses) < 2
    assert answers(GUIDE, "Hello, how are you?").endswith(f"going so far?\n\n{LABEL}")


def test_one_recording_with_its_chunks(tmp_path: Path) -> None:
    """A single exchange with [ms, text] chunks; a line may be split over two of them."""
    message = (
        '{"model":"m:1","created_at":"2026-01-02T03:04:05Z","message":{"role":"assistant","content":"%s"},"done":%s}\n'
    )
    one, two, last = message % ("Hi", "false"), message % (" there", "false"), message % ("", "true")
    body = json.dumps({"model": "m:1", "messages": [{"role": "user", "content": "Hey"}]})
    chunks = [[100, one + two[:30]], [250, two[30:] + last]]
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"request": {"path": "/api/chat", "body": body}, "chunks": chunks}))
    turn = read_replay(path).find(["Hey"])
    assert turn
    assert turn.chunks == ((100.0, "Hi"), (250.0, " there"))
    assert answers(path, "Hey") == "Hi there\n\n*recorded: m:1, 2026-01-02*"


def test_messages_of_others(tmp_path: Path) -> None:
    """A bare list of messages is enough; what has no model is said to come from one."""
    path = tmp_path / "list.json.gz"
    turns = [{"role": "user", "content": [{"text": "Hey"}]}, {"role": "assistant", "content": "Ho"}]
    path.write_bytes(gzip.compress(json.dumps(turns).encode()))
    assert answers(path, "Hey") == "Ho\n\n*recorded: a model*"


def test_a_file_of_the_demo_keeps_its_labels(tmp_path: Path) -> None:
    """What a demo server said and was saved is not called recorded a second time."""
    path = save_conversation(tmp_path / "demo.json", [a_turn("Hi", f"Hello.\n\n{LABEL}", model="demo")])
    assert answers(path, "Hi") == f"Hello.\n\n{LABEL}"


def test_marks_of_an_answer_that_was_stopped(tmp_path: Path) -> None:
    """The mark that a notebook keeps is no part of what the model said."""
    path = save_conversation(tmp_path / "cut.ipynb", [a_turn("Hi", "Hello", state="stopped", model="m")])
    assert answers(path, "Hi") == "Hello\n\n*recorded: m*"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe", "is no text"),
        (b"{", "no JSON that can be read"),
        (b"[" * 100_000, "no JSON that can be read"),
        (b"Hello", "holds no answer"),
        (b'{"messages": [{"role": "user", "content": "x"}]}', "holds no answer"),
        (
            b'{"cells": [5, {"cell_type": "code", "outputs": [7, {"metadata": {"ollama_magic": 1}}]}]}',
            "holds no answer",
        ),
        (b'{"messages": [], "turns": 5}', "holds no answer"),
        (b'{"cells": [{"cell_type": "code", "outputs": 5}]}', "holds no answer"),
        (b'{"cells": [{"cell_type": "code", "outputs": [{"metadata": 5}]}]}', "holds no answer"),
        (b'[{"request": 5, "chunks": [["soon", "{}"], [NaN, "{}"]]}]', "holds no answer"),
        (b'[{"request": 5, "chunks": [[1]]}, 7, {"request": {"body": "{}"}, "body": 5}]', "holds no answer"),
        (b"\x1f\x8b broken", "cannot be read"),
        (gzip.compress(b"Hello")[:10] + b"\xff" * 20, "cannot be read"),
    ],
)
def test_files_that_cannot_be_replayed(content: bytes | None, words: str, tmp_path: Path) -> None:
    """One line says why; no server is started."""
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NoReplay, match=words) as caught:
        DemoServer(replay=path)
    assert "\n" not in str(caught.value)


def test_paths_that_lead_to_no_file(tmp_path: Path) -> None:
    """A pipe is not waited for; a home that nobody has and a name that cannot be one are one line each."""
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path / "pipe", "it is a pipe"),
        ("~nobody-of-that-name/chat.json", r"^~nobody-of-that-name/chat\.json cannot be read [^\n]*$"),
        (Path("a\0b"), "embedded null byte"),
    ):
        with pytest.raises(NoReplay, match=words):
            read_replay(path)
