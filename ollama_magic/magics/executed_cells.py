"""The code and the text outputs of the notebook's last cells, for `--cells`; chat cells are left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import without_controls

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OUTPUT = 4_000  # most characters of one output
CELLS = 200  # whose displayed texts are known
# A cell that is in the history, or about it: also below `%%time`, and with its result assigned to anything.
_CHAT = re.compile(r"\s*(?:%%(?:time|capture)\b[^\n]*\n\s*)*(?:[^\n=%#]*=\s*)?%%?(?:chat|generate|ollama)\b")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class DisplayedTexts:
    """The texts that the last cells displayed, such as those of frames: a kernel's IPython remembers none of them."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._texts: dict[int, list[str]] = {}

    def register(self) -> None:
        """Start listening, where there is a kernel."""
        if hasattr(self._shell.display_pub, "register_hook"):
            self._shell.display_pub.register_hook(self._hear)

    def unregister(self) -> None:
        """Stop listening."""
        if hasattr(self._shell.display_pub, "unregister_hook"):
            self._shell.display_pub.unregister_hook(self._hear)

    def of(self, number: int) -> list[str]:
        """Return the texts of a cell."""
        return self._texts.get(number, [])

    def _hear(self, message: dict[str, Any]) -> dict[str, Any]:
        content = message.get("content", {})
        text = content.get("data", {}).get("text/plain")
        ours = "ollama_magic" in content.get("metadata", {})
        if message.get("header", {}).get("msg_type") == "display_data" and isinstance(text, str) and not ours:
            self._texts.setdefault(self._shell.execution_count, []).append(text[: OUTPUT + 1])
            for old in list(self._texts)[:-CELLS]:
                del self._texts[old]
        return message


def executed_cells(shell: Any, displayed: DisplayedTexts, count: int, room: int) -> tuple[str, str]:
    """Return a name and the text of the last cells, newest last; both empty where none ran.

    Args:
        shell: The shell that ran them.
        displayed: What they displayed.
        count: How many; 0 for as many as there are.
        room: Most characters; older cells that do not fit are left out.
    """
    found: list[tuple[int, str]] = []
    for number, source in _newest_first(shell):
        text = f"In [{number}]:\n{source.rstrip()}\n{''.join(outputs_of(shell, number, displayed))}"
        room -= len(text)
        if found and (room < 0 or len(found) == (count or len(found) + 1)):
            break
        found.append((number, text))
    if not found:
        return "", ""
    first, last = found[-1][0], found[0][0]
    return f"cells {first}-{last}" if first != last else f"cell {last}", "\n".join(text for _, text in found[::-1])


def _newest_first(shell: Any) -> Iterator[tuple[int, str]]:
    sources = shell.history_manager.input_hist_raw
    for number in range(min(shell.execution_count, len(sources)) - 1, 0, -1):
        if sources[number].strip() and not about_chat(sources[number]):
            yield number, sources[number]


def about_chat(source: str) -> bool:
    """Whether a cell belongs to the history, or asks about it."""
    return bool(_CHAT.match(source))


def outputs_of(shell: Any, number: int, displayed: DisplayedTexts | None = None) -> Iterator[str]:
    """Yield the outputs of a cell as text; IPython before 9 remembers only its result."""
    history = shell.history_manager
    texts = [_text(output.bundle) for output in getattr(history, "outputs", {}).get(number, ())]
    if not any(texts) and number in history.output_hist_reprs:
        texts = [history.output_hist_reprs[number]]
    texts = [*(displayed.of(number) if displayed is not None else ()), *texts]
    error = getattr(history, "exceptions", {}).get(number)
    if isinstance(error, dict):
        texts.append(f"{error.get('ename', '')}: {error.get('evalue', '')}")
    for text in filter(None, texts):
        plain = without_controls(_COLOUR.sub("", text)).rstrip()
        cut = f"… the first {OUTPUT:,} of {len(plain):,} characters" if len(plain) > OUTPUT else ""
        yield f"\nOut [{number}]:\n{plain[:OUTPUT]}{cut}\n"


def _text(bundle: Mapping[str, Any]) -> str:
    found = bundle.get("stream", bundle.get("text/plain", ""))
    return "".join(found) if isinstance(found, list | str) else ""
