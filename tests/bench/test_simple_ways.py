"""A turn beside what a user could write in ten lines, in the same kernel: a raw loop, and updates of ollama-python."""

from __future__ import annotations

import json
from itertools import count
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.conftest import Figures
    from tests.kernel.kernel import Kernel

    Kernels = Callable[[], Kernel]

TIMES = 5
NAMES = {"tenth": "ollama-python, ten updates a second", "token": "ollama-python, an update with every token"}
_cells = count()


def asked(kernel: Kernel, expression: str) -> Any:
    """The value of an expression about `simple_ways`, computed in a cell of its own."""
    code = f"import json, tests.bench.simple_ways as ways\nprint(json.dumps({expression}))"
    cell = kernel.run(code, f"cell{next(_cells)}")
    assert cell.status == "ok", cell.traceback
    return json.loads(cell.printed.strip().splitlines()[-1])


def measured(kernel: Kernel, names: list[str], tokens: int, rate: int, times: int) -> dict[str, dict[str, float]]:
    """Of each way its CPU over the raw loop, and what it sends; the ways take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in ["raw", *names]}
    for _ in range(times):
        for name, found in seconds.items():
            found.append(asked(kernel, f"ways.spent({name!r}, {tokens}, {rate})"))
    raw = median(seconds["raw"])
    sent = {
        name: [asked(kernel, f"ways.shown({name!r}, {tokens}, {rate})") for _ in range(min(times, 3))] for name in names
    }
    return {
        name: {"cpu": median(seconds[name]) / raw, **{key: median(one[key] for one in found) for key in found[0]}}
        for name, found in sent.items()
    }


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("tokens", "most"), [(2_000, 6.5), (8_000, 5.5), (32_000, 5.0)])
def test_as_fast_as_possible(new_kernel: Kernels, figures: Figures, tokens: int, most: float) -> None:
    """A fast answer costs little more than reading it, settling included, and is on its way to the page at once."""
    kernel = new_kernel()
    kernel.run("%load_ext ollama_magic", "load")
    names = ["ours", "tenth", *(["token"] if tokens < 32_000 else [])]
    asked(kernel, f"[ways.spent(name, 500) for name in {['raw', *names]}]")
    found = measured(kernel, names[:2], tokens, 0, TIMES)
    if "token" in names:
        found |= measured(kernel, ["token"], tokens, 0, 1)
    lead, ours = f"{tokens} tokens, fast:", found["ours"]
    figures.note(f"{lead} CPU over a raw loop", ours["cpu"], 1.5, "×", instead="code in colours")
    figures.note(f"{lead} first message after the first token", ours["first"], 60, "ms")
    figures.note(f"{lead} bytes per byte of the answer, settled ones included", ours["bytes"], most)
    note_others(figures, lead, found, "first")


@pytest.mark.timeout(600)
def test_at_the_usual_pace(new_kernel: Kernels, figures: Figures) -> None:
    """At 150 tokens a second a turn costs little more than reading it, and a word is on its way to the page at once."""
    kernel, tokens = new_kernel(), 1_000
    kernel.run("%load_ext ollama_magic", "load")
    names = ["ours", "tenth", "token"]
    asked(kernel, f"[ways.spent(name, 500) for name in {['raw', *names]}]")
    found = measured(kernel, names, tokens, 150, 3)
    lead, ours = f"{tokens} tokens, 150/s:", found["ours"]
    figures.note(f"{lead} CPU over a raw loop", ours["cpu"], 1.6, "×", instead="a word on the screen at once")
    figures.note(f"{lead} from a token to its message, median", ours["delay"], 40, "ms")
    figures.note(f"{lead} bytes per byte of the answer, settled ones included", ours["bytes"], 60)
    note_others(figures, lead, found, "delay")


def note_others(figures: Figures, lead: str, found: dict[str, dict[str, float]], late: str) -> None:
    """Add the rows of the simple ways."""
    for name, way in NAMES.items():
        if name in found:
            figures.note_only(f"{lead} {way}: CPU over a raw loop", found[name]["cpu"], "×")
            figures.note_only(
                f"{lead} {way}: {'first message' if late == 'first' else 'delay'}", found[name][late], "ms"
            )
            figures.note_only(f"{lead} {way}: bytes per byte", found[name]["bytes"])
