"""Images and figures that the tests of attachments make, and how they look at what was made of them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from PIL import Image

if TYPE_CHECKING:
    from ollama_magic.turns.attachment import Attachment


def drawn(size: tuple[float, float] = (4, 3)) -> Figure:
    """A small figure with a plot."""
    figure = Figure(figsize=size, dpi=50)
    axes = figure.add_subplot()
    axes.plot([1, 3, 2])
    axes.set_title("rain")
    return figure


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """An image as a file of that format."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def picture(attachment: Attachment) -> Image.Image:
    """The image of an attachment, decoded; it has to be what every server reads."""
    assert attachment.kind == "image"
    image = Image.open(io.BytesIO(attachment.data))
    image.load()
    assert image.format == {"image/png": "PNG", "image/jpeg": "JPEG"}[attachment.media_type]
    return image


def slope(mode: str = "RGB", size: tuple[int, int] = (40, 20)) -> Image.Image:
    """An image in which no two places look the same."""
    width, height = size
    image = Image.linear_gradient("L").resize(size)
    other = image.transpose(Image.Transpose.ROTATE_180)
    third = Image.radial_gradient("L").resize((width, height))
    return Image.merge("RGB", (image, other, third)).convert(mode)
