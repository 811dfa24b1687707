"""Turns as messages in Ollama's format, and back; of messages from other programs the texts are read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import one_line
from ollama_magic.turns.attachment import typed_by_content
from ollama_magic.turns.attachment_json import attachments_from, reference, whole
from ollama_magic.turns.tool_steps import messages_of_steps
from ollama_magic.turns.turn_json import VERSION, text_from, turn_from_json, turn_json, with_alternatives
from ollama_magic.turns.turn_messages import pair_of, plain, prompt_with
from ollama_magic.turns.turn_value import Outcome, RequestSettings, Turn
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollama_magic.turns.attachment import Attachment

FORMAT = f"ollama_magic {VERSION}"
_FORMATS = (FORMAT, "ollama_magic 1")
_TEXTS = ("prompt", "text", "thinking", "system", "fingerprint")  # in the messages, or in no file
_ROLES = {"system": "system", "developer": "system", "user": "user", "human": "user", "assistant": "assistant"}


def body_of(turns: Sequence[Turn]) -> dict[str, Any]:
    """Return the JSON object of a conversation.

    `messages` can be sent unchanged; each turn has the indexes of its messages and all other fields. The messages of
    its tool calls are its `loop`; they are read from its `steps`.
    """
    messages: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    system, place = "", None
    for turn in turns:
        if turn.settings.system and turn.settings.system != system:
            place, system = len(messages), turn.settings.system
            messages.append({"role": "system", "content": system})
        steps = plain(messages_of_steps(turn.steps))
        row: dict[str, Any] = {"prompt": len(messages), "answer": len(messages) + 1 + len(steps)}
        if steps:
            row["loop"] = [*range(len(messages) + 1, len(messages) + 1 + len(steps))]
        if turn.settings.system:
            row["system"] = place
        if turn.conversation:
            row["conversation"] = turn.conversation
        prompt, answer = pair_of(turn)
        messages += [prompt, *steps, answer]
        row |= {name: value for name, value in turn_json(turn).items() if name not in _TEXTS}
        rows.append(row | _attached_to(turn))
    return {"format": FORMAT, "messages": messages, "turns": rows}


def turns_of(body: Any) -> tuple[list[Turn], list[str]] | None:
    """Read turns and notes from the JSON of any program, or from a list of messages; None if it has no messages."""
    messages = body.get("messages") if isinstance(body, dict) else body
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        return None
    if isinstance(body, dict) and body.get("format") in _FORMATS:
        ours = _own_turns(messages, body.get("turns"))
        if ours is not None:
            return ours, []
    model = body.get("model") if isinstance(body, dict) else ""
    return _Reading(one_line(model) if isinstance(model, str) else "").read(messages)


def _attached_to(turn: Turn) -> dict[str, Any]:
    """Return the attachments, with the prompt before their texts and without the images, which the message has."""
    if not turn.attachments:
        return {}
    rows = [reference(one) if not one.in_text else whole(one) for one in turn.attachments]
    return {"typed": turn.prompt, "attachments": rows}


def _own_turns(messages: Sequence[Mapping[str, Any]], rows: Any) -> list[Turn] | None:
    """Read the turns of the rows; None if they do not match the messages, such as after manual edits."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    places = [row.get(part) for row in rows for part in ("prompt", "answer", "system") if part in row]
    places += [place for row in rows if isinstance(row.get("loop"), list) for place in row["loop"]]
    named = [place for place in places if type(place) is int and 0 <= place < len(messages)]
    if len(named) != len(places) or set(named) != set(range(len(messages))):
        return None
    if any("prompt" not in row or "answer" not in row for row in rows):
        return None
    return [_own_turn(messages, row) for row in rows]


def _own_turn(messages: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> Turn:
    asked, answer = messages[row["prompt"]], messages[row["answer"]]
    images = [one.data for one in _images(asked)]
    read = turn_from_json({"attachments": row.get("attachments")}, {sha256(data).hexdigest(): data for data in images})
    content, typed = _content(asked), text_from(row.get("typed"))
    unchanged = bool(read.attachments) and content == prompt_with(typed, read.attachments)
    texts = {
        "prompt": typed if unchanged else content,
        "text": _content(answer),
        "thinking": answer.get("thinking"),
        "system": _content(messages[row["system"]]) if "system" in row else "",
        "fingerprint": "",
    }
    left = read.attachments if unchanged else tuple(one for one in read.attachments if not one.in_text)
    turn = replace(turn_from_json({**row, **texts, "attachments": None}), attachments=left)
    return with_alternatives(turn, turn.alternatives)


def _images(message: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """Return the images of a message, in base64, as attachments of their own."""
    images = message.get("images")
    rows = [
        {"name": f"image {place}", "kind": "image", "data": data}
        for place, data in enumerate(images if isinstance(images, list) else (), 1)
    ]
    return tuple(typed_by_content(one) for one in attachments_from(rows) if one.data)


def _content(message: Mapping[str, Any]) -> str:
    """Return the text of a message, or of the text parts of a list."""
    content = message.get("content")
    if not isinstance(content, list):
        return text_from(content)
    texts = [part.get("text") if isinstance(part, dict) else part for part in content]
    return "".join(text_from(text) for text in texts)


@dataclass
class _Reading:
    """Reads messages of other programs: everything between two answers is the prompt of the second."""

    model: str
    turns: list[Turn] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    images: list[Attachment] = field(default_factory=list)
    system: str = ""
    left_out: int = 0

    def read(self, messages: Sequence[Mapping[str, Any]]) -> tuple[list[Turn], list[str]]:
        for message in messages:
            role = message.get("role")
            self._read(_ROLES.get(role.lower(), "") if isinstance(role, str) else "", message)
        return self.turns, self._notes()

    def _read(self, role: str, message: Mapping[str, Any]) -> None:
        text = _content(message)
        if role == "system":
            self.system = text
        elif role == "user":
            found = _images(message)
            self.left_out += bool(message.get("images")) and not found
            self.prompts.append(text)
            self.images += found
        elif role == "assistant" and (text or not message.get("tool_calls")):
            self._answer(text, text_from(message.get("thinking")), message)
        else:
            self.left_out += 1

    def _answer(self, text: str, thinking: str, message: Mapping[str, Any]) -> None:
        model = message.get("model")
        name = one_line(model) if isinstance(model, str) else self.model
        settings = RequestSettings(model=name, system=self.system)
        asked, images = "\n\n".join(self.prompts), tuple(self.images)
        self.turns.append(Turn(asked, text, thinking, settings, Outcome("complete"), attachments=images))
        self.prompts, self.images = [], []

    def _notes(self) -> list[str]:
        notes = []
        if self.prompts:
            notes.append("left out: the last prompt, which has no answer")
        if self.left_out:
            notes.append(f"left out: tools or images in {counted(self.left_out, 'message')}")
        return notes
