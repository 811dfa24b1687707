"""The rounds of a turn with tools: which calls run, what becomes of the others, and what is sent after them.

It runs nothing itself: `runs` yields each call in its order to whoever has the right thread for it. Only what is listed
is ever run.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_magic.errors import AnswerCut
from ollama_magic.foreign import one_line
from ollama_magic.ollama.message_list import MessageList
from ollama_magic.turns.tool_steps import (
    DONE,
    STEP_FAILED,
    STEP_RUNNING,
    ToolCall,
    ToolStep,
    call_text,
    messages_of_steps,
)
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ollama_magic.conversation.reply import Reply
    from ollama_magic.ollama.protocol import ChatRequest
    from ollama_magic.tools.results import Mask
    from ollama_magic.tools.tool import Tool
    from ollama_magic.tools.tool_run import ToolRun

Round = tuple[tuple[ToolCall, ...], str, str]  # calls, and the thinking and the text before them

SAME = 3  # times that a turn may make the same call
AT_ONCE = 32  # calls of one round
NOT_RUN = "it was not run, for the turn ended"
_ASKED = 2_000  # characters of a call in a question
_WRITTEN = re.compile(
    r"<tool_call>|\[TOOL_CALLS\]|<\|python_tag\|>|<function=|<\|tool_call"
    r"|[\"']name[\"']\s*:\s*[\"'][^\"'\n]{1,100}[\"']\s*,\s*[\"'](?:arguments|parameters)[\"']\s*:"
)
CUT_SHORT = "the answer was cut at its length limit; `-o num_predict=-1` removes it"
NOT_LISTED = "no tool is listed; `-t NAME` lists one"
PERHAPS_CUT = "if this was a tool call, it was cut off: nothing was run"
WRITTEN = (
    "the model wrote a tool call as text, and nothing was run: small models do that; try another one with `-m NAME`"
)


def question_of(run: ToolRun) -> str:
    """Return what the user is asked before a call."""
    return f"Run {call_text(ToolCall(run.tool.name, run.arguments), _ASKED)}?"


class ToolLoop:
    """The steps of one reply, as they grow."""

    def __init__(self, reply: Reply, tools: Sequence[Tool], mask: Mask, rounds: int) -> None:
        self._reply = reply
        self._tools = {tool.name: tool for tool in tools}
        self._mask = mask
        self._most = rounds
        self._round = 0
        self._made: Counter[str] = Counter()

    def goes_on(self, found: Round, done_reason: str | None) -> bool:
        """Whether the calls of an answer run; if not, note why."""
        calls, _, text = found
        cut = done_reason == "length"
        if not calls:
            self._note_ended(cut=cut)
        elif cut or not self._tools:
            self._reply.text_parts.append(text)
            self.not_run(calls, CUT_SHORT if self._tools else NOT_LISTED)
        return bool(calls) and not cut and bool(self._tools)

    def runs(self, calls: Sequence[ToolCall], thinking: str, text: str) -> Iterator[ToolRun]:
        """Note the calls of a round as steps, and yield those that run; each must have ended before the next.

        Raises:
            AnswerCut: The turn ends with this round.
        """
        self._round += 1
        self._leave_out(calls[AT_ONCE:])
        calls = calls[:AT_ONCE]
        first, steps = len(self._reply.steps), [ToolStep(call, self._round) for call in calls]
        steps[0] = replace(steps[0], thinking=thinking, text=text)
        self._reply.steps += steps
        end = self._too_many_rounds()
        for place, call in enumerate(calls, first):
            end = end or self._same_call(call)
            if why := NOT_RUN if end else self._problem(call):
                self._set(place, state=STEP_FAILED, error=why)
            else:
                yield from self._run(place, call)
        if end:
            raise AnswerCut.because(end)

    def next_request(self, request: ChatRequest) -> ChatRequest:
        """Return the first request with all steps so far behind it (protocol.md §9.3)."""
        return replace(request, messages=MessageList(request.messages).then(messages_of_steps(self._reply.steps)))

    @property
    def has_images(self) -> bool:
        """Whether a tool has returned an image."""
        return any(step.images for step in self._reply.steps)

    def leave_out_images(self) -> None:
        """Send no image that a tool has returned, and say so: the model does not see."""
        for place, step in enumerate(self._reply.steps):
            if step.images:
                text = step.result.replace(", attached]", ", not sent: this model sees no images]")
                self._set(place, images=(), result=text)

    def not_run(self, calls: Sequence[ToolCall], why: str) -> None:
        """Note calls that are not run because of how their round ended."""
        if not calls:
            return
        names = ", ".join(dict.fromkeys(one_line(call.name, 40) or "nothing" for call in calls[:AT_ONCE]))
        are = "was" if len(calls) == 1 else "were"
        self._note(f"{counted(len(calls), 'tool call')} ({names}) {are} not run: {why}")

    def _note_ended(self, *, cut: bool) -> None:
        """Note a call that came as text or as thinking, or that may have been cut off: neither runs anything."""
        text, thinking = self._reply.text, self._reply.thinking
        if not self._tools:
            return
        if cut and not text.strip():
            self._note(PERHAPS_CUT)
        elif self._looks_written(text) or self._looks_written(thinking):
            self._note(WRITTEN)

    def _looks_written(self, text: str) -> bool:
        if _WRITTEN.search(text):
            return True
        names = "|".join(map(re.escape, self._tools))
        return re.fullmatch(rf"\s*`{{0,3}}(?:\w+\n)?\s*(?:{names})\([^\n]*\)\s*`{{0,3}}\s*", text) is not None

    def _leave_out(self, calls: Sequence[ToolCall]) -> None:
        if calls:
            self._note(f"{counted(len(calls), 'tool call')} left out: at most {AT_ONCE} are made at once")

    def _note(self, line: str) -> None:
        self._reply.notes = (*self._reply.notes, line)

    def _same_call(self, call: ToolCall) -> str:
        """Return why the turn ends with this call, and what helps; empty if it goes on."""
        key = json.dumps([call.name, dict(call.arguments), call.problem], sort_keys=True)
        self._made[key] += 1
        if self._made[key] < SAME:
            return ""
        return (
            f"the model made the same call of {one_line(call.name, 40)} {SAME} times; "
            "rephrase the prompt, or say in the tool's docstring what its result means."
        )

    def _too_many_rounds(self) -> str:
        if self._round <= self._most:
            return ""
        return (
            f"the model called tools in {counted(self._most, 'round')} without an answer; "
            f"`%config OllamaMagic.tool_rounds = {2 * self._most}` allows more."
        )

    def _problem(self, call: ToolCall) -> str:
        if call.problem:
            return call.problem
        if call.name not in self._tools:
            known = ", ".join(self._tools) or "none"
            return f"there is no tool {one_line(call.name, 60)}; there are: {known}"
        return ""

    def _run(self, place: int, call: ToolCall) -> Iterator[ToolRun]:
        from ollama_magic.tools.tool_run import INTERRUPTED, ToolRun

        run = ToolRun(self._tools[call.name], call.arguments, self._mask)
        run.on_begin = lambda: self._set(place, state=STEP_RUNNING)
        try:
            yield run
        finally:
            found = run.finished
            if found is None:
                self._set(place, state=STEP_FAILED, error=INTERRUPTED)
            else:
                self._set(
                    place,
                    state=STEP_FAILED if found.error else DONE,
                    result=found.result.text,
                    images=found.result.images,
                    note=found.result.note,
                    error=found.error,
                    output=found.output,
                    seconds=found.seconds,
                )

    def _set(self, place: int, **changed: object) -> None:
        self._reply.steps[place] = replace(self._reply.steps[place], **changed)  # type: ignore[arg-type]
