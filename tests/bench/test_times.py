"""What a person waits for: loading, the prompt after ■, and the first word."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from tests.bench.test_kernel import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.conftest import Figures
    from tests.kernel.kernel import Kernel

    Kernels = Callable[[], Kernel]

LOADED = """
import time
def spent(do):
    began = time.process_time()
    do()
    return time.process_time() - began
ours = spent(lambda: get_ipython().run_line_magic("load_ext", "ollama_magic"))
print(ours / spent(lambda: __import__("ipywidgets")))
"""


def test_loading(new_kernel: Kernels, figures: Figures) -> None:
    """Loading the extension adds little to a kernel that runs."""
    found = []
    for _ in range(5):
        kernel = new_kernel()
        cell = kernel.run(LOADED, "load")
        assert cell.status == "ok", cell.traceback
        found.append(float(cell.printed.splitlines()[-1]))
        kernel.client.stop_channels()
    figures.note("%load_ext: CPU over `import ipywidgets` in the same kernel", statistics.median(found), 0.7, "×")


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
