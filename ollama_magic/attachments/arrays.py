"""Arrays of numbers as images: floats from 0 to 1, bytes, truth values, other whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ollama_magic.attachments.libraries import needed_pillow, numpy
from ollama_magic.attachments.reading import joined
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from ollama_magic.attachments.reading import Reading

_SHAPES = "an image is H × W, H × W × 3 or H × W × 4"
_WHITE = 255
BYTES_FROM: Final = 2.0  # floats up to 255 are bytes if one is larger than this


def image_of_array(value: Any, reading: Reading) -> tuple[Any, str]:
    """Return an array as an image of Pillow, in mode L, RGB or RGBA, and a note of what was done to its numbers.

    Args:
        value: An array of the shape H × W, H × W × 1, H × W × 3 or H × W × 4, or what NumPy makes one of.
        reading: The name of the source.

    Raises:
        InputError: It has another shape, holds no numbers, or is too large.
    """
    module, image = numpy(reading), needed_pillow("an array", reading)
    array = module.ma.asanyarray(value)
    _check(array, reading)
    array = array[:, :, 0] if array.shape[2:] == (1,) else array
    pixels, note = _as_bytes(module, array)
    return image.fromarray(module.ascontiguousarray(pixels)), note


def _check(array: Any, reading: Reading) -> None:
    shape = " × ".join(f"{one:,}" for one in array.shape) or "that of a single number"
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise reading.refusal(f"its shape is {shape}; {_SHAPES}")
    if array.dtype.kind not in "buif":
        raise reading.refusal(f"its values are of type {one_line(str(array.dtype), 40)}; an image has numbers")
    reading.check_pixels(array.shape[1], array.shape[0])


def _as_bytes(module: Any, array: Any) -> tuple[Any, str]:
    """Return the array with a byte for each value, and a note."""
    if array.dtype.kind == "b":
        return _whitened(module, array, module.asarray(array).astype("uint8") * 255)
    if array.dtype == module.uint8:
        return _whitened(module, array, module.asarray(array))
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:  # in either order of its bytes
        pixels, note = _whitened(module, array, (module.asarray(array) >> 8).astype("uint8"))
        return pixels, joined(["8 bits, was 16", note])
    return _scaled(module, array)


def _whitened(module: Any, array: Any, pixels: Any) -> tuple[Any, str]:
    """Return the pixels with white in place of masked ones, and how many they are."""
    if not isinstance(array, module.ma.MaskedArray) or not array.mask.any():
        return pixels, ""
    mask = module.ma.getmaskarray(array)
    return module.where(mask, _WHITE, pixels).astype("uint8"), f"{int(mask.sum()):,} masked values drawn white"


def _scaled(module: Any, array: Any) -> tuple[Any, str]:
    """Return floats and large whole numbers as bytes; what is no number is white."""
    numbers = module.ma.filled(array.astype("float64"), module.nan)
    absent, finite = module.isnan(numbers), module.isfinite(numbers)
    low, high = (float(numbers[finite].min()), float(numbers[finite].max())) if finite.any() else (0.0, 1.0)
    start, end, note = _range(low, high, whole=array.dtype.kind in "ui", grey=array.ndim == 2)
    numbers = module.clip(module.where(absent, end, numbers), start, end)
    pixels = module.floor((numbers - start) * (_WHITE / ((end - start) or 1)) + 0.5).astype("uint8")
    pixels = module.where(absent, _WHITE, pixels).astype("uint8")
    notes = [note, _counted(absent, "NaN drawn white"), _counted(~finite & ~absent, "infinite clipped")]
    return pixels, joined(notes)


def _range(low: float, high: float, *, whole: bool, grey: bool) -> tuple[float, float, str]:
    """Return which numbers are black and white, and a note: as Matplotlib does, but floats of bytes are bytes."""
    span = f"from {low:.4g} to {high:.4g}"
    if whole and low >= 0 and high <= _WHITE and (high > 1 or not grey):
        return 0, _WHITE, ""
    if low >= 0 and high <= 1:
        return 0, 1, f"values {span}" if whole else ""
    if low >= 0 and BYTES_FROM < high <= _WHITE and (not grey or high > _WHITE / 2):
        return 0, _WHITE, f"values {span} taken as bytes"
    if grey:
        return low, high, f"values {span} scaled"
    return 0, _WHITE if whole else 1, f"values {span} clipped"


def _counted(found: Any, what: str) -> str:
    count = int(found.sum())
    return f"{count:,} {what}" if count else ""
