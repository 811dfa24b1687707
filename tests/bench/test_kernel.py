"""Bytes of whole turns in a real kernel, live and settled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.conftest import Figures
    from tests.kernel.kernel import Kernel

    Kernels = Callable[[], Kernel]


def told(kernel: Kernel, expression: str) -> Any:
    """The value of an expression about `in_kernel`, computed in a cell."""
    cell = kernel.run(f"import json, tests.bench.in_kernel as bench\nprint(json.dumps({expression}))", "cell")
    assert cell.status == "ok", cell.traceback
    return json.loads(cell.printed.strip().splitlines()[-1])


@pytest.mark.parametrize("tokens", [2_000, 8_000, 32_000])
def test_fast_answers(new_kernel: Kernels, figures: Figures, tokens: int) -> None:
    """An answer in large pieces, as fast as possible, costs few bytes; `test_simple_ways` has its CPU."""
    kernel = new_kernel()
    kernel.run("%load_ext ollama_magic", "load")
    told(kernel, f"bench.turn({tokens // 4})")
    last = told(kernel, f"bench.turn({tokens})")
    figures.note(f"{tokens} tokens, fast: live bytes per byte of the answer", last["live"], 3.5)
    figures.note_only(f"{tokens} tokens, fast: bytes to open it, whatever its length", last["opening"], "bytes")
    figures.note(f"{tokens} tokens, fast: settled bytes per byte", last["settled"], 4)


@pytest.mark.parametrize("tokens", [500, 8_000, 32_000])
def test_bytes_at_reading_speed(new_kernel: Kernels, figures: Figures, tokens: int) -> None:
    """At 150 tokens a second an answer costs the same bytes whether it is short or long."""
    found = told(new_kernel(), f"bench.fed('ours', {tokens}, {min(tokens, 1500)})")
    figures.note(f"{tokens} tokens, 150/s: live bytes per byte of the answer", found["live"], 60)
    figures.note(f"{tokens} tokens, 150/s: messages in the fullest second", found["most"], 60)
