"""An encoded image as it is sent: byte for byte if nothing has to be changed, else converted by Pillow."""

from __future__ import annotations

from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from ollama_magic.attachments.file_bytes import check_size
from ollama_magic.attachments.image_header import header_of, without_metadata
from ollama_magic.attachments.libraries import needed_pillow, pillow, quiet
from ollama_magic.attachments.pixels import DEEP, encoded, fits, is_opaque, prepared
from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollama_magic.attachments.image_header import ImageHeader
    from ollama_magic.attachments.reading import Reading
    from ollama_magic.turns.attachment import Attachment

SENT: Final = {"PNG": "image/png", "JPEG": "image/jpeg"}  # what every server reads


def image_from_bytes(data: bytes, label: str, reading: Reading) -> Attachment:
    """Return the attachment of an encoded image, such as the content of a file.

    Args:
        data: The image.
        label: The name of its format, as Pillow has it.
        reading: The name of the source, and the limits.

    Raises:
        InputError: It is broken or too large, or Pillow is needed and missing.
    """
    check_size(data, len(data), reading)
    header = header_of(data) if label in SENT else None
    if header is None and label in SENT:
        raise reading.refusal(f"it is no complete {label}")
    if header is not None:
        reading.check_pixels(header.width, header.height)
        if _stays(header, reading) and _is_sound(data, label, header, reading):
            return reading.image(without_metadata(data), SENT[label])
    with _opened(data, label, reading) as image:
        frames = getattr(image, "n_frames", 1) if label != "JPEG" else 1
        picture, notes = prepared(image, reading)
        notes = [f"the first of {frames:,} frames"] * (frames > 1) + notes
        notes += ["8 bits, was 16"] * (header is not None and header.deep and image.mode not in DEEP)
    form = label if label == "JPEG" else "PNG"
    return reading.image(encoded(picture, form), SENT[form], [f"was {label}"] * (label not in SENT) + notes)


def _stays(header: ImageHeader, reading: Reading) -> bool:
    """Whether an image with this header may be sent as it is."""
    return (
        header.simple
        and not (header.deep or header.turned)
        and fits((header.width, header.height), reading.limits.image_side)
    )


def _is_sound(data: bytes, label: str, header: ImageHeader, reading: Reading) -> bool:
    """Whether an image can be decoded and is opaque; without Pillow, whether it cannot be transparent."""
    if not header.alpha and pillow() is None:
        return True
    with _opened(data, label, reading) as image:
        image.load()
        return not header.alpha or is_opaque(image)


@contextmanager
def _opened(data: bytes, label: str, reading: Reading) -> Iterator[Any]:
    """Open an image with Pillow, as that format only; InputError for whatever goes wrong with it."""
    module = needed_pillow(f"converting this {label}", reading)
    try:
        with quiet("PIL"), module.open(BytesIO(data), formats=[label]) as image:
            reading.check_pixels(*image.size)
            yield image
    except InputError:
        raise
    except module.DecompressionBombError:
        raise reading.refusal("it has more pixels than are read; make it smaller") from None
    except module.UnidentifiedImageError:
        raise reading.refusal(f"it is no {label} that can be read") from None
    except Exception as error:  # noqa: BLE001  # Pillow raises what its decoders raise
        raise reading.refusal(f"it is no {label} that can be read ({one_line(str(error), 120)})") from None
