"""The model `demo`: it answers from recordings and showcase texts, and leaves everything else to a real model."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import TYPE_CHECKING, Any

from ollama_magic.demo.language_model import Finished, ModelError, Piece
from ollama_magic.demo.recordings.replay import Replay, recorded_pieces, round_pieces
from ollama_magic.demo.recordings.replay_files import RecordedTurn, message_turns
from ollama_magic.demo.recordings.showcase import no_model_text, other_results_text, plain, showcase_text
from ollama_magic.demo.recordings.text_pieces import Vocabulary, pieces
from ollama_magic.demo.recordings.word_vectors import word_vector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ollama_magic.demo.language_model import Event, GenerationRequest, LanguageModel, Message
    from ollama_magic.demo.models.model_card import DemoModel
    from ollama_magic.demo.recordings.showcase import ShowcaseText

_USER_TURN = re.compile(r"<\|im_start\|>user\n(.*?)<\|im_end\|>", re.DOTALL)
_USUAL_PACE = 40.0  # tokens/s, as a small model has it
_FIRST_PAUSE = 0.25  # seconds, at the usual pace
_DIMENSIONS = 64


@dataclass(frozen=True)
class Fallback:
    """A language model with its name and its own parameters."""

    model: LanguageModel
    name: str
    parameters: Mapping[str, Any]

    @staticmethod
    def of(card: DemoModel, model: LanguageModel) -> Fallback:
        """That of a listed model."""
        listed = {key: [value] if key == "stop" else value for key, value in card.parameters}
        return Fallback(model, card.name, listed)


class RecordedModel:
    """Answers a prompt that was recorded with the recording, a showcase topic with its text.

    Args:
        pace: Tokens per second; 0 is as fast as possible, None the pace of the recording, or 40.
        replay: The answers of a file, which come first.
        fallback: What answers everything else; without one the answer says how to get a language model.
    """

    def __init__(
        self, pace: float | None = None, replay: Replay | None = None, fallback: Fallback | None = None
    ) -> None:
        self.pace = pace
        self.fallback = fallback
        self._replays = [replay, _packaged()] if replay else [_packaged()]
        self._vocabulary = Vocabulary()

    @property
    def size(self) -> int:
        """Bytes of the fallback while it is loaded; recordings take none."""
        return self.fallback.model.size if self.fallback else 0

    def load(self, options: Mapping[str, Any]) -> None:
        """Nothing has to be loaded; a fallback is loaded when it is asked."""

    def unload(self) -> None:
        """Unload the fallback."""
        if self.fallback:
            self.fallback.model.unload()

    def tokenize(self, text: str) -> list[int]:
        """The numbers of a text's pieces."""
        return self._vocabulary.encode(text)

    def detokenize(self, tokens: Sequence[int]) -> str:
        """The text of such numbers."""
        return self._vocabulary.decode(tokens)

    def render(self, messages: Sequence[Message]) -> str:
        """The conversation with the marks of ChatML, which is what the listed template says."""
        turns = "".join(f"<|im_start|>{one.role}\n{one.content}<|im_end|>\n" for one in messages)
        return f"{turns}<|im_start|>assistant\n"

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of the words alone: texts with the same words are near."""
        return [word_vector(text, "word", _DIMENSIONS) for text in texts]

    def generate(self, request: GenerationRequest) -> Iterable[Event]:
        """The answer, from the first source that has one."""
        prompts, results = _prompts(request), _results(request)
        turn = None if request.format else self._recorded(prompts, results)
        if turn and turn.rounds:
            turn = _with_tools(turn, request)
            called = round_pieces(turn, results, thinks=_thinks(request)) if turn else None
            if called:
                return [*called, Finished(tokens=len(called))]
        if results and turn is None:
            return _ended(self._paced(other_results_text(), thinks=False), request)
        if turn:
            said = recorded_pieces(turn, at_its_pace=self.pace is None, thinks=_thinks(request))
            return _ended([replace(piece, delay=1 / self.pace) for piece in said] if self.pace else said, request)
        text = None if request.format else showcase_text(prompts)
        if text is None and self.fallback:
            return self._by_fallback(self.fallback, request)
        if text is None and request.format:
            raise ModelError(501, "no language model is installed here, and recorded answers are no JSON")
        return _ended(self._paced(text or no_model_text(prompts[-1]), _thinks(request)), request)

    def _recorded(self, prompts: Sequence[str], results: Sequence[str]) -> RecordedTurn | None:
        return next(filter(None, (replay.find(prompts, results) for replay in self._replays)), None)

    def _paced(self, text: ShowcaseText, thinks: bool) -> list[Piece]:
        """A text that was written beforehand, piece by piece."""
        pace = _USUAL_PACE if self.pace is None else self.pace
        rest, first = (1 / pace, min(_FIRST_PAUSE, 10 / pace)) if pace else (0.0, 0.0)
        thought = [Piece(thinking=piece, delay=rest) for piece in pieces(text.thought)] if thinks else []
        paced = [*thought, *(Piece(piece, delay=rest) for piece in pieces(text.labelled))]
        return [replace(paced[0], delay=first), *paced[1:]]

    @staticmethod
    def _by_fallback(fallback: Fallback, request: GenerationRequest) -> Iterable[Event]:
        """The real model's answer; its last line says whose it is, except in JSON and in raw text.

        The options of the request count, and the real model's own parameters; those of `demo` are for recordings.
        """
        asked = request.body.get("options") or {}
        own = {key: value for key, value in request.options.items() if asked.get(key) is not None}
        request = replace(request, options={**fallback.parameters, **own})
        fallback.model.load(request.options)
        label = f"\n\n*{fallback.name}: a real answer, and often wrong*"
        for event in fallback.model.generate(request):
            if isinstance(event, Finished) and not request.format and request.prompt is None:
                yield Piece(label)
            yield event


@cache
def _packaged() -> Replay:
    """The recorded answers that come with the package."""
    rows = json.loads((files(__package__) / "answers.json").read_text("utf-8"))
    dialogues = json.loads((files(__package__) / "tool_dialogues.json").read_text("utf-8"))
    return Replay((*(_turn(row) for row in rows), *message_turns(dialogues)), plain)


def _turn(row: Mapping[str, Any]) -> RecordedTurn:
    chunks = tuple((at, text) for at, text in row["chunks"])
    text = "".join(text for _, text in chunks)
    return RecordedTurn(row["prompt"], text, row["model"], row["date"], row.get("thinking", ""), None, chunks)


def _prompts(request: GenerationRequest) -> list[str]:
    """What the user asked, oldest first."""
    if request.prompt is not None:
        return _USER_TURN.findall(request.prompt) or [request.prompt]
    return [message.content for message in request.messages if message.role == "user"] or [""]


def _results(request: GenerationRequest) -> list[str]:
    """What the tools have returned since the user's last prompt."""
    roles = [message.role for message in request.messages]
    since = len(roles) - roles[::-1].index("user") if "user" in roles else len(roles)
    return [message.content for message in request.messages[since:] if message.role == "tool"]


def _with_tools(turn: RecordedTurn, request: GenerationRequest) -> RecordedTurn | None:
    """A turn whose tools are all among those of the request; None where one is missing."""
    functions = [tool.get("function") for tool in request.tools if isinstance(tool, dict)]
    names = {one.get("name") for one in functions if isinstance(one, dict)}
    return turn if {name for one in turn.rounds for name, _ in one.calls} <= names else None


def _thinks(request: GenerationRequest) -> bool:
    return request.think is not False


def _ended(answer: Iterable[Piece], request: GenerationRequest) -> list[Event]:
    """The answer up to a stop string, or up to as many pieces as are wanted."""
    stops = [stop for stop in request.options.get("stop") or () if stop]
    limit = request.options.get("num_predict")
    text, ended = "", list[Piece]()
    for piece in answer:
        if isinstance(limit, int) and 0 < limit <= len(ended):
            return [*ended, Finished("length", tokens=limit)]
        places = [place for place in ((text + piece.content).find(stop) for stop in stops) if place >= 0]
        if places:
            return list(
                chain(ended, [replace(piece, content=piece.content[: max(0, min(places) - len(text))])], [Finished()])
            )
        text += piece.content
        ended.append(piece)
    return [*ended, Finished(tokens=len(ended) + 1)]
