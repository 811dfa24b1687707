"""What a person waits for: loading, the prompt after ■, and the first word."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import nbformat

from tests.bench.test_kernel import told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bench.conftest import Figures
    from tests.kernel.kernel import Kernel

    Kernels = Callable[..., Kernel]

LOADED = """
import time
def spent(do):
    began = time.process_time()
    do()
    return time.process_time() - began
ours = spent(lambda: get_ipython().run_line_magic("load_ext", "ollama_magic"))
print(ours / spent(lambda: __import__("ipywidgets")))
"""


def test_loading(new_kernel: Kernels, figures: Figures, tmp_path: Path) -> None:
    """Loading the extension adds little to a kernel that runs; a saved notebook is looked up as well."""
    notebook = tmp_path / "Untitled.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LOADED)]), notebook)
    figure = "%load_ext: CPU over `import ipywidgets` in the same kernel"
    figures.note(figure, statistics.median(loaded(new_kernel) for _ in range(5)), 0.7, "×")
    saved = [loaded(new_kernel, {"JPY_SESSION_NAME": str(notebook)}) for _ in range(5)]
    figures.note_only(f"{figure}, in a saved notebook", statistics.median(saved), "×")


def loaded(new_kernel: Kernels, environment: dict[str, str] | None = None) -> float:
    """What loading costs a new kernel."""
    kernel = new_kernel(environment or {})
    cell = kernel.run(LOADED, "load")
    assert cell.status == "ok", cell.traceback
    kernel.client.stop_channels()
    return float(cell.printed.splitlines()[-1])


def test_stop_to_prompt(new_kernel: Kernels, figures: Figures) -> None:
    """■ in mid-answer brings the prompt back at once."""
    kernel, found = new_kernel(), []
    kernel.run("%load_ext ollama_magic", "load")
    for number in range(10):
        ask = kernel.start("%%chat --once\n8000 at 150", f"cell{number}")
        kernel.wait_until(lambda ask=ask: "Answer" in kernel.cell(ask).live)
        pressed = time.monotonic()
        kernel.interrupt()
        kernel.wait_until(lambda ask=ask: ask in kernel.replies)
        found.append(1000 * (time.monotonic() - pressed))
        kernel.wait(ask)
    figures.note("■ to prompt, median", statistics.median(found), 250, "ms")
    figures.note_only("■ to prompt, most", max(found), "ms")
    assert told(kernel, "1") == 1
