"""Turns as messages in the shape of Ollama's, and back; messages written by others are read as far as they are text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import one_line
from ollama_magic.notebook.saved_turn import SavedTurn, counted, facts_of, read_facts, said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = "ollama_magic 1"
_ROLES = {"system": "system", "developer": "system", "user": "user", "human": "user", "assistant": "assistant"}


def body_of(turns: Sequence[SavedTurn]) -> dict[str, Any]:
    """Return the JSON object of a conversation.

    `messages` can be sent as they stand; a turn says by index which of them are its own, with times and digest beside.
    """
    messages: list[dict[str, str]] = []
    rows: list[dict[str, Any]] = []
    system, place = "", None
    for turn in turns:
        if turn.system and turn.system != system:
            place = len(messages)
            messages.append({"role": "system", "content": turn.system})
            system = turn.system
        row: dict[str, Any] = {"prompt": len(messages), "answer": len(messages) + 1}
        if turn.system:
            row["system"] = place
        messages += _pair(turn)
        rows.append(row | facts_of(turn))
    return {"format": FORMAT, "messages": messages, "turns": rows}


def turns_of(body: Any) -> tuple[list[SavedTurn], list[str]] | None:
    """Read turns and notes from a body of ours or of others, or from a bare list of messages; None if it is neither."""
    messages = body.get("messages") if isinstance(body, dict) else body
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        return None
    if isinstance(body, dict) and body.get("format") == FORMAT:
        ours = _own_turns(messages, body.get("turns"))
        if ours is not None:
            return ours, []
    model = body.get("model") if isinstance(body, dict) else ""
    return _Reading(one_line(model) if isinstance(model, str) else "").read(messages)


def _pair(turn: SavedTurn) -> list[dict[str, str]]:
    answer = {"role": "assistant", "content": turn.text}
    return [{"role": "user", "content": turn.prompt}, answer | ({"thinking": turn.thinking} if turn.thinking else {})]


def _own_turns(messages: Sequence[Mapping[str, Any]], rows: Any) -> list[SavedTurn] | None:
    """Read the turns that the rows name; None if they no longer fit the messages, as after an edit by hand."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    places = [row.get(part) for row in rows for part in ("prompt", "answer", "system") if part in row]
    named = [place for place in places if type(place) is int and 0 <= place < len(messages)]
    if len(named) != len(places) or set(named) != set(range(len(messages))):
        return None
    if any("prompt" not in row or "answer" not in row for row in rows):
        return None
    return [_own_turn(messages, row) for row in rows]


def _own_turn(messages: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> SavedTurn:
    answer = messages[row["answer"]]
    return SavedTurn(
        prompt=_content(messages[row["prompt"]]),
        text=_content(answer),
        thinking=said(answer.get("thinking")),
        system=_content(messages[row["system"]]) if "system" in row else "",
        **read_facts(row),
    )


def _content(message: Mapping[str, Any]) -> str:
    """The text of a message; of a list of parts the text parts."""
    content = message.get("content")
    if not isinstance(content, list):
        return said(content)
    texts = [part.get("text") if isinstance(part, dict) else part for part in content]
    return "".join(said(text) for text in texts)


@dataclass
class _Reading:
    """One reading of messages by others: what stands between two answers is the prompt of the second."""

    model: str
    turns: list[SavedTurn] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    system: str = ""
    left_out: int = 0

    def read(self, messages: Sequence[Mapping[str, Any]]) -> tuple[list[SavedTurn], list[str]]:
        for message in messages:
            role = message.get("role")
            self._read(_ROLES.get(role.lower(), "") if isinstance(role, str) else "", message)
        return self.turns, self._notes()

    def _read(self, role: str, message: Mapping[str, Any]) -> None:
        text = _content(message)
        if role == "system":
            self.system = text
        elif role == "user":
            self.left_out += bool(message.get("images"))
            self.prompts.append(text)
        elif role == "assistant" and (text or not message.get("tool_calls")):
            self._answer(text, said(message.get("thinking")), message)
        else:
            self.left_out += 1

    def _answer(self, text: str, thinking: str, message: Mapping[str, Any]) -> None:
        model = message.get("model")
        name = one_line(model) if isinstance(model, str) else self.model
        prompt = "\n\n".join(self.prompts)
        self.turns.append(SavedTurn(prompt, text, model=name, thinking=thinking, system=self.system))
        self.prompts = []

    def _notes(self) -> list[str]:
        notes = []
        if self.prompts:
            notes.append("left out: the last prompt, which has no answer")
        if self.left_out:
            notes.append(f"left out: tools or pictures in {counted(self.left_out, 'message')}")
        return notes
