"""Arrays of numbers as images: which shapes and types, and what becomes of their values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ollama_magic.attachments.sources import read_source
from ollama_magic.errors import InputError
from tests.attachments.pictures import picture

RAMP = np.linspace(0, 1, 12)
BYTES = np.arange(0, 240, 20, dtype="uint8")


def sent(array: Any) -> np.ndarray:
    return np.asarray(picture(read_source(array, "it")))


def note(array: Any) -> str:
    return read_source(array, "it").note


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1), (2, 2, 3)])
def test_floats_from_0_to_1(dtype: str, shape: tuple[int, ...]) -> None:
    """Floats from 0 to 1 become the nearest bytes, in grey or in colours."""
    array = RAMP.astype(dtype).reshape(shape)
    expected = np.floor(array.astype("float64") * 255 + 0.5).astype("uint8")
    assert (sent(array) == (expected[:, :, 0] if shape[2:] == (1,) else expected)).all()
    assert note(array) == ""


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64", "uint32"])
@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1), (2, 2, 3)])
def test_whole_numbers_up_to_255_are_bytes(dtype: str, shape: tuple[int, ...]) -> None:
    """Whole numbers of any type that are bytes are sent as they are."""
    array = (BYTES // 2).astype(dtype).reshape(shape)
    assert (sent(array) == (array[:, :, 0] if shape[2:] == (1,) else array)).all()
    assert note(array) == ""


@pytest.mark.parametrize("scale", [1.0, 255], ids=["float", "uint8"])
def test_four_channels_are_put_on_white(scale: float) -> None:
    """The fourth channel is transparency, which becomes white."""
    array = np.zeros((1, 3, 4), "uint8" if scale == 255 else "float64")
    array[0, :, 3] = [0, scale / 5, scale]
    assert sent(array)[0].tolist() == [[255] * 3, [204] * 3, [0] * 3]
    assert note(array) == "on white"


def test_truth_values_are_black_and_white() -> None:
    """False is black, True is white."""
    assert sent(np.array([[True, False]])).tolist() == [[255, 0]]


def test_a_mask_of_0_and_1_is_black_and_white() -> None:
    """Whole numbers that are all 0 or 1 are a mask, and the note says so."""
    assert sent(np.array([[0, 1]])).tolist() == [[0, 255]]
    assert note(np.array([[0, 1]])) == "values from 0 to 1"


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_16_bits_are_sent_in_8(dtype: str) -> None:
    """Of 16 bits the upper 8 are sent, as Pillow does it for colours, in whichever order a file has the bytes."""
    array = np.array([[0, 255, 256, 65535]], dtype)
    assert sent(array).tolist() == [[0, 0, 1, 255]]
    assert note(array) == "8 bits, was 16"


@pytest.mark.parametrize(
    ("array", "pixels", "why"),
    [
        ([[-1.0, 0.0, 1.0]], [[0, 128, 255]], "values from -1 to 1 scaled"),
        ([[0.0, 250.0]], [[0, 250]], "values from 0 to 250 taken as bytes"),
        ([[10.0, 20.0, 30.0]], [[0, 128, 255]], "values from 10 to 30 scaled"),
        ([[-300, 0, 300]], [[0, 128, 255]], "values from -300 to 300 scaled"),
        ([[[-0.5, 0.5, 1.5]]], [[[0, 128, 255]]], "values from -0.5 to 1.5 clipped"),
        ([[[0.0, 100.0, 255.0]]], [[[0, 100, 255]]], "values from 0 to 255 taken as bytes"),
        ([[[-9, 100, 300]]], [[[0, 100, 255]]], "values from -9 to 300 clipped"),
        ([[5.0, 5.0]], [[0, 0]], "values from 5 to 5 scaled"),
    ],
)
def test_values_out_of_range(array: Any, pixels: Any, why: str) -> None:
    """Grey values out of range are scaled and colours clipped, as Matplotlib does it, and the note says so."""
    assert sent(np.array(array)).tolist() == pixels
    assert note(np.array(array)) == why


def test_what_is_no_number_is_white() -> None:
    """NaN is drawn white, infinite values as the ends of the range, and the note counts both."""
    array = np.array([[np.nan, 0.0, 1.0], [np.inf, -np.inf, np.nan]])
    assert sent(array).tolist() == [[255, 0, 255], [255, 0, 255]]
    assert note(array) == "2 NaN drawn white, 2 infinite clipped"
    assert sent(np.full((2, 2), np.nan)).tolist() == [[255, 255], [255, 255]]


def test_masked_values_are_white() -> None:
    """Masked values of an array are drawn white, not as what is behind the mask."""
    array = np.ma.array([[0, 7]], mask=[[False, True]], dtype="uint8")
    assert sent(array).tolist() == [[0, 255]]
    assert note(array) == "1 masked values drawn white"


@pytest.mark.parametrize("order", ["transposed", "reversed", "big-endian", "read-only"])
def test_any_layout_in_memory(order: str) -> None:
    """A view, another byte order and a read-only array are the same image."""
    array = BYTES.reshape(3, 4)
    views = {
        "transposed": np.ascontiguousarray(array.T).T,
        "reversed": array[::-1, ::-1].copy()[::-1, ::-1],
        "big-endian": array.astype(">i4"),
        "read-only": np.broadcast_to(array, (3, 4)),
    }
    assert (sent(views[order]) == array).all()


@pytest.mark.parametrize("shape", [(), (4,), (0, 4), (4, 0, 3), (2, 2, 2), (3, 4, 5), (3, 16, 16), (1, 2, 2, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    """An array of any other shape is refused in one line that names its shape or says that it is empty."""
    with pytest.raises(InputError, match=r"^it cannot be attached: (its shape is|it is an image without)[^\n]+\.$"):
        read_source(np.zeros(shape), "it")


@pytest.mark.parametrize("dtype", ["complex64", "U3", "datetime64[s]", "object"])
def test_other_types_are_refused(dtype: str) -> None:
    """An array that holds no numbers is refused in one line."""
    with pytest.raises(
        InputError, match=r"^it cannot be attached: its values are of type [^\n]+; an image has numbers\.$"
    ):
        read_source(np.zeros((2, 2), dtype), "it")
