"""Objects of the notebook as attachments, and what counts as an image in `{{value}}`."""

from __future__ import annotations

import base64
import io
import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from IPython.display import Audio, Image as Shown
from matplotlib.figure import Figure
from PIL import Image

from ollama_magic.attachments.reading import Limits
from ollama_magic.attachments.sources import is_image, read_source
from ollama_magic.errors import InputError
from ollama_magic.prompt.describe import describe
from ollama_magic.turns.attachment import Attachment
from tests.attachments.pictures import drawn, encoded, picture

RED = encoded(Image.new("RGB", (3, 2), "red"))


def masked(text: str) -> str:
    return text.replace("sk-secret", "•••")


def test_a_text_is_sent_as_it_is() -> None:
    """A str is sent as text, with its size and the hash of its bytes."""
    text = "Grüße,\r\n```\nfenced\n```\n"
    attachment = read_source(text, "notes")
    assert attachment == Attachment("notes", "text", "text/plain", b"", "", 25, sha256(text.encode()).hexdigest())
    assert attachment.text == text


def test_a_text_that_names_a_file_says_so(tmp_path: Path) -> None:
    """A str is never read as a file; where it names one, the note says what was sent."""
    path = tmp_path / "rain.csv"
    path.write_text("a,b\n1,2\n")
    attachment = read_source(str(path), "path")
    assert (attachment.text, attachment.note) == (str(path), "the text itself, not the file of that name")


def test_a_long_text_is_cut_and_says_so() -> None:
    """A text beyond the limit ends with its whole size, and the note says so too."""
    attachment = read_source("x" * 50_000, "log", Limits(attach_chars=1_000))
    assert attachment.text == "x" * 1_000 + "… of 50,000 characters"
    assert attachment.note == "the first 1,000 characters … of 50,000 characters"


def test_keys_are_hidden_before_a_text_is_cut() -> None:
    """A key in a text is masked, and none is halved by the cut."""
    attachment = read_source("a" * 45 + "sk-secret" + "b" * 9_000, "log", Limits(attach_chars=100), mask=masked)
    assert "sk-" not in attachment.text
    assert "•••" in attachment.text


def test_a_figure_is_drawn() -> None:
    """A Matplotlib figure is sent as the PNG that it saves, and is not changed."""
    figure = drawn()
    before = (figure.dpi, tuple(figure.get_size_inches()), figure.canvas)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    assert picture(read_source(figure, "fig")).tobytes() == Image.open(buffer).tobytes()
    assert (figure.dpi, tuple(figure.get_size_inches()), figure.canvas) == before


@pytest.mark.parametrize(
    "part", [lambda figure: figure.axes[0], lambda figure: figure.axes[0].lines[0], lambda figure: figure.axes[0].title]
)
def test_a_part_of_a_figure_is_its_figure(part: Any) -> None:
    """A plot, or a line of one, attaches the figure that it belongs to."""
    figure = drawn()
    assert read_source(part(figure), "fig").data == read_source(figure, "fig").data


def test_the_grids_of_seaborn() -> None:
    """A grid of seaborn, and a figure inside a figure, attach the whole figure."""
    figure = drawn()
    grid = type("FacetGrid", (), {"__module__": "seaborn.axisgrid", "figure": figure})()
    whole = read_source(figure, "fig").data
    assert is_image(grid)
    assert read_source(grid, "grid").data == whole
    outer = Figure(figsize=(2, 1), dpi=50)
    assert read_source(outer.subfigures(1, 2)[0], "part").data == read_source(outer, "fig").data


def test_the_array_of_plots_that_pandas_returns() -> None:
    """An array of plots attaches their figure."""
    figure = drawn()
    plots = np.array([figure.axes], dtype=object)
    assert read_source(plots, "plots").data == read_source(figure, "fig").data


def test_a_large_figure_is_drawn_so_that_it_fits() -> None:
    """A figure with more pixels than the longest side is drawn with fewer, not refused."""
    figure = drawn((20, 10))
    figure.set_dpi(600)
    assert picture(read_source(figure, "fig", Limits(image_side=200))).size == (200, 100)
    assert figure.dpi == 600


def test_a_figure_without_a_background_is_drawn_on_white() -> None:
    """What is transparent in a figure is white on the image."""
    figure = drawn()
    figure.patch.set_alpha(0)
    attachment = read_source(figure, "fig")
    assert picture(attachment).getpixel((0, 0)) == (255, 255, 255)
    assert attachment.note == "on white"


def test_what_stands_outside_of_a_figure_is_drawn() -> None:
    """A legend beside the plot is on the image, as it is in the notebook."""
    figure = drawn()
    figure.axes[0].text(1.5, 0.5, "beside the plot", transform=figure.axes[0].transAxes)
    assert picture(read_source(figure, "fig")).width > picture(read_source(drawn(), "fig")).width


def test_a_figure_that_cannot_be_drawn() -> None:
    """A figure that raises is refused in one line."""
    figure = drawn()
    figure.axes[0].set_title(r"$\nonsense{$")
    why = r"^fig cannot be attached: Matplotlib cannot draw it \(ValueError: [^\n]+\)\.$"
    with pytest.raises(InputError, match=why):
        read_source(figure, "fig")


def test_an_object_draws_itself() -> None:
    """An object with `_repr_png_` or an image in its MIME bundle is attached as that image."""

    class Molecule:
        def _repr_png_(self) -> bytes:
            return RED

    class Chart:
        def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
            return {"image/png": base64.b64encode(RED).decode(), "text/html": "<script>"}, {}

    assert read_source(Molecule(), "it").data == RED
    assert read_source(Chart(), "it").data == RED


def test_an_object_that_describes_itself_to_models_is_text() -> None:
    """`_repr_llm_` wins over an image, as it does in `{{value}}`."""

    class Sensor:
        def _repr_llm_(self) -> str:
            return "sensor 7"

        def _repr_png_(self) -> bytes:
            raise AssertionError

    assert read_source(Sensor(), "it").text == "sensor 7"


class PlotlyFigure:
    """What a figure of Plotly has; the library itself needs a browser to draw."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def to_image(self, format: str) -> bytes:  # noqa: A002
        if self.error:
            raise self.error
        return encoded(Image.new("RGB", (5, 4), "blue"), format.upper())


class AltairChart:
    """What a chart of Altair has."""

    def save(self, target: io.BytesIO, format: str) -> None:  # noqa: A002
        target.write(encoded(Image.new("RGB", (5, 4), "blue"), format.upper()))


PlotlyFigure.__module__ = "plotly.graph_objs"
AltairChart.__module__ = "altair.vegalite"


@pytest.mark.parametrize("figure", [PlotlyFigure(), AltairChart()], ids=["plotly", "altair"])
def test_figures_of_other_libraries_draw_themselves(figure: object) -> None:
    """A figure of Plotly or Altair is attached as the PNG that it makes."""
    assert picture(read_source(figure, "fig")).size == (5, 4)
    assert is_image(figure)


def test_a_plotly_figure_that_cannot_be_drawn_says_what_is_missing() -> None:
    """Without its engine a Plotly figure is refused in one line that names the package."""
    with pytest.raises(InputError, match=r"^fig cannot [^\n]*`pip install kaleido`[^\n]*no engine[^\n]*\.$"):
        read_source(PlotlyFigure(ValueError("no\nengine")), "fig")


def test_ipythons_image(tmp_path: Path) -> None:
    """`IPython.display.Image` is attached by its data or its file; an address is refused, and nothing is fetched."""
    path = tmp_path / "red.png"
    path.write_bytes(RED)
    assert read_source(Shown(RED), "it").data == RED
    assert read_source(Shown(filename=str(path)), "it").data == RED
    assert is_image(Shown(RED))
    with pytest.raises(InputError, match="nothing is fetched; download it first"):
        read_source(Shown(url="http://127.0.0.1:9/red.png"), "it")


def test_sound_is_sent_byte_for_byte() -> None:
    """WAV, as bytes or as IPython's player, is attached as audio."""
    player = Audio(np.ones(100), rate=8000)
    assert read_source(player.data, "clip").data == player.data
    assert read_source(player, "clip") == Attachment.of("clip", "audio", "audio/wav", player.data)


@pytest.mark.parametrize(
    "table",
    [pd.DataFrame({"city": ["Lima", "Oslo"], "t": [18.5, 4.0]}), pd.Series([1, 2, 3], name="n")],
    ids=["frame", "series"],
)
def test_a_table_is_described_as_in_a_prompt(table: Any) -> None:
    """A frame and a series are attached as `{{df}}` is filled, with their shape as a note."""
    attachment = read_source(table, "df")
    assert (attachment.kind, attachment.text) == ("table", describe(table, str).text)
    assert f" ({attachment.note})" == describe(table, str).note


@pytest.mark.parametrize(
    "value", [{"a": [1, 2]}, 42, None, json.dumps, Limits()], ids=lambda value: type(value).__name__
)
def test_any_other_object_is_described(value: object) -> None:
    """Whatever is no image, table or file is attached as its description in a prompt."""
    assert read_source(value, "it").text == describe(value, str).text


@pytest.mark.parametrize(("value", "why"), [(os.environ, "environment"), (os, "module"), (io.StringIO(), "open file")])
def test_what_is_never_attached(value: object, why: str) -> None:
    """The environment, a module and an open file are refused, and the line says what it is."""
    with pytest.raises(InputError, match=rf"^it cannot be attached: [^\n]*{why}"):
        read_source(value, "it")


def test_an_object_that_raises() -> None:
    """An exception of the user's object is one line."""

    class Broken:
        def _repr_png_(self) -> bytes:
            raise RuntimeError("no\nlicence")

    with pytest.raises(InputError, match=r"^it cannot be attached: it cannot be read \(RuntimeError: no licence\)\.$"):
        read_source(Broken(), "it")


class Speechless(Exception):
    """An exception that fails to say what it is."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("error", [Speechless(), SystemExit(3)])
def test_an_object_that_raises_what_nobody_expects(error: BaseException) -> None:
    """It is one line too: neither does the error of the error leave the package, nor does the program end."""

    class Broken:
        def __repr__(self) -> str:
            raise error

    with pytest.raises(InputError, match=rf"^it cannot be attached: it cannot be read \({type(error).__name__}"):
        read_source(Broken(), "it")


@pytest.mark.parametrize(
    ("value", "image"),
    [
        (drawn(), True),
        (drawn().axes[0], True),
        (Image.new("L", (2, 2)), True),
        (RED, True),
        (np.zeros((20, 20, 3)), True),
        (np.zeros((20, 20), "uint8"), True),
        (np.zeros((20, 20, 4), "uint8"), True),
        (np.zeros((20, 20)), False),
        (np.zeros((3, 3, 3)), False),
        (np.zeros((2, 2), "uint8"), False),
        (np.zeros((20, 20, 3), int), False),
        (np.zeros(20), False),
        (b"some bytes", False),
        ("photo.png", False),
        (Path("photo.png"), False),
        (pd.DataFrame({"a": [1]}), False),
        (Figure, False),
        (None, False),
        (mpl, False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_an_image_in_a_prompt(value: object, image: bool) -> None:
    """Figures, images and arrays that look like images are images in `{{value}}`; numbers and names are none."""
    assert is_image(value) is image
