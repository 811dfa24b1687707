"""Figures and other objects that can draw themselves, as PNG or JPEG."""

from __future__ import annotations

import base64
import sys
import threading
import time
import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from ollama_magic.attachments.reading import PIXELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.attachments.reading import Reading

_TURN = 0.05  # seconds between two looks at a figure that is drawn elsewhere
SECONDS: Final = 30.0  # that Plotly and Altair may take: they start a browser or an engine
_OUTSIDE = 0.02  # inches that a label may stand outside of the figure
_PACKAGES = {"plotly": "pip install kaleido", "altair": "pip install vl-convert-python"}


def figure_of(value: Any) -> Any:
    """Return the Matplotlib figure that this is, or that it belongs to; None for anything else."""
    if type(value).__module__.startswith("seaborn.") and not isinstance(value, type):
        value = getattr(value, "figure", None)  # its grids are no artists
    if not loaded("matplotlib.artist", "Artist", value):
        return None
    figure = value if hasattr(value, "savefig") else getattr(value, "figure", None)
    while figure is not None and not hasattr(figure, "savefig"):  # a part of a figure
        figure = figure.figure if figure.figure is not figure else None
    return figure


def loaded(module: str, name: str, value: object) -> bool:
    """Whether this is an instance of a class of a library that is loaded; none is loaded for the question."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def plotting_library(value: object) -> str:
    """Return "plotly" or "altair" for their figures, else an empty text."""
    library = type(value).__module__.partition(".")[0]
    draws = {"plotly": "to_image", "altair": "save"}.get(library, "")
    return library if draws and callable(getattr(value, draws, None)) and not isinstance(value, type) else ""


def figure_png(figure: Any, reading: Reading) -> bytes:
    """Return a Matplotlib figure as PNG, drawn so that it fits; labels outside of it are drawn too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _saved(figure, reading)
    except Exception as error:  # noqa: BLE001  # a figure runs the user's code
        raise reading.fault("Matplotlib cannot draw it", error) from None


def drawn_elsewhere(value: Any, library: str, reading: Reading) -> bytes:
    """Return a figure of Plotly or Altair as PNG; InputError if that fails or takes too long."""
    return _within(SECONDS, lambda: _drawn(value, library), library, reading)


def own_image(value: Any) -> bytes | None:
    """Return the PNG or JPEG that an object makes of itself; None if it makes none."""
    for method in ("_repr_png_", "_repr_jpeg_"):
        found = _called(value, method)
        if isinstance(found, bytes | str) and found:
            return _bytes(found)
    bundle = _called(value, "_repr_mimebundle_")
    bundle = bundle[0] if isinstance(bundle, tuple) and bundle else bundle
    found = (bundle.get("image/png") or bundle.get("image/jpeg")) if isinstance(bundle, dict) else None
    return _bytes(found) if isinstance(found, bytes | str) and found else None


def _saved(figure: Any, reading: Reading) -> bytes:
    dpi = _dpi(figure, reading)
    whole = _png(figure, dpi)
    # A layout at a figure's own resolution takes the memory of an image of that size.
    return whole if dpi < figure.dpi or not _reaches_out(figure) else _png(figure, dpi, bbox_inches="tight")


def _png(figure: Any, dpi: float, **options: str) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, **options)
    return buffer.getvalue()


def _dpi(figure: Any, reading: Reading) -> float:
    """Return the figure's own resolution, or the lower one at which it fits."""
    width, height = (float(one) for one in figure.get_size_inches())
    dpi, side = float(figure.dpi), reading.limits.image_side
    if side and max(width, height) * dpi > side:
        return (side + 1e-6) / max(width, height)
    most = (PIXELS / max(width * height, 1e-9)) ** 0.5
    return min(dpi, float(most))


def _reaches_out(figure: Any) -> bool:
    """Whether something, such as a legend beside the plot, stands outside of the figure."""
    width, height = figure.get_size_inches()
    try:
        box = figure.get_tightbbox()
    except TypeError:  # before Matplotlib 3.6 it needed a renderer
        return False
    return bool(min(box.x0, box.y0) < -_OUTSIDE or box.x1 > width + _OUTSIDE or box.y1 > height + _OUTSIDE)


def _drawn(value: Any, library: str) -> bytes:
    if library == "plotly":
        return bytes(value.to_image(format="png"))
    buffer = BytesIO()
    value.save(buffer, format="png")
    return buffer.getvalue()


def _within(seconds: float, call: Callable[[], bytes], library: str, reading: Reading) -> bytes:
    """Return what the call returns; InputError if it fails, is stopped or takes too long."""
    found: list[bytes | BaseException] = []

    def run() -> None:
        try:
            found.append(call())
        except BaseException as error:  # noqa: BLE001  # it is raised where the figure is waited for
            found.append(error)

    install = f"`{_PACKAGES[library]}` brings what it needs, or attach a picture that you saved"
    thread = threading.Thread(target=run, name="ollama_magic figure", daemon=True)
    thread.start()
    until = time.monotonic() + seconds
    while thread.is_alive():
        thread.join(_TURN)
        reading.check_stopped()
        if time.monotonic() > until:
            raise reading.refusal(f"{library} did not draw it within {seconds:g} s; {install}")
    if isinstance(found[0], BaseException):
        raise reading.fault(f"{library} cannot draw it; {install}", found[0])
    return found[0]


def _called(value: Any, method: str) -> object:
    """Return what a method returns; None if there is none. Classes draw nothing."""
    call = None if isinstance(value, type) else getattr(value, method, None)
    return call() if callable(call) else None


def _bytes(found: bytes | str) -> bytes:
    return base64.b64decode(found) if isinstance(found, str) else bytes(found)
