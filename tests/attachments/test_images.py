"""Images as they are sent: byte for byte where nothing has to change, else what Pillow makes of them."""

from __future__ import annotations

import io
import logging
import struct
import sys
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from ollama_magic.attachments.reading import Limits
from ollama_magic.attachments.sources import read_source
from ollama_magic.errors import InputError
from tests.attachments.pictures import encoded, picture, slope

if TYPE_CHECKING:
    from pathlib import Path

ORIENTATION, GPS = 0x0112, 0x8825
LANCZOS = Image.Resampling.LANCZOS


def exif(**tags: int) -> Image.Exif:
    found = Image.Exif()
    found[0x010F] = "a camera"
    for name, value in tags.items():
        found[{"orientation": ORIENTATION}[name]] = value
    return found


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and one.convert("RGB").tobytes() == other.convert("RGB").tobytes()


UNCHANGED = {
    "png": encoded(slope()),
    "grey png": encoded(slope("L")),
    "palette png": encoded(slope().quantize(16)),
    "black and white png": encoded(slope("1")),
    "png that could be transparent": encoded(slope("RGBA")),
    "png with a text": encoded(slope(), pnginfo=None, dpi=(72, 72)),
    "jpeg": encoded(slope(), "JPEG"),
    "grey jpeg": encoded(slope("L"), "JPEG"),
    "progressive jpeg": encoded(slope(), "JPEG", progressive=True),
}


@pytest.mark.parametrize("data", UNCHANGED.values(), ids=list(UNCHANGED))
def test_an_image_that_needs_nothing_is_sent_byte_for_byte(data: bytes) -> None:
    """A PNG or JPEG that every server reads, and that fits, is not encoded anew."""
    attachment = read_source(data, "it")
    assert (attachment.data, attachment.note) == (data, "")
    assert attachment.media_type == ("image/png" if data.startswith(b"\x89PNG") else "image/jpeg")


@pytest.mark.parametrize("name", ["photo.png", "photo.jpg", "notes.txt", "table.csv", "clip.wav", "nothing"])
@pytest.mark.parametrize("data", [UNCHANGED["png"], UNCHANGED["jpeg"]], ids=["png", "jpeg"])
def test_an_image_is_one_whatever_its_name(data: bytes, name: str, tmp_path: Path) -> None:
    """The content of a file says what it is, never its name."""
    path = tmp_path / name
    path.write_bytes(data)
    attachment = read_source(path, name)
    assert (attachment.kind, attachment.name, attachment.data) == ("image", name, data)


CONVERTED = {
    "webp": (encoded(slope(), "WEBP", lossless=True), slope(), "was WEBP"),
    "bmp": (encoded(slope(), "BMP"), slope(), "was BMP"),
    "tiff": (encoded(slope(), "TIFF"), slope(), "was TIFF"),
    "grey tiff": (encoded(slope("L"), "TIFF"), slope("L"), "was TIFF"),
    "gif": (encoded(slope("P"), "GIF"), slope("P"), "was GIF"),
}


@pytest.mark.parametrize(("data", "image", "note"), CONVERTED.values(), ids=list(CONVERTED))
def test_other_formats_are_sent_as_png(data: bytes, image: Image.Image, note: str) -> None:
    """WebP, BMP, TIFF and GIF are sent as PNG without a loss, and the note says so."""
    attachment = read_source(data, "it")
    assert (attachment.media_type, attachment.note) == ("image/png", note)
    assert same(picture(attachment), image)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "TIFF"])
def test_the_first_frame_is_sent(form: str) -> None:
    """Of an animation the first frame is sent, and the note says how many there are."""
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "green", "blue")]
    options = {"lossless": True} if form == "WEBP" else {}
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:], **options)
    attachment = read_source(data, "it")
    assert same(picture(attachment), frames[0].resize((8, 6)))
    assert "the first of 3 frames" in attachment.note


def on_white(image: Image.Image) -> Image.Image:
    colours = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(colours.convert("RGB"), mask=colours.getchannel("A"))
    return white


def faded(mode: str) -> Image.Image:
    """An image that gets transparent from the top to the bottom."""
    image = slope("RGB").convert("LA" if mode in ("LA", "PA") else "RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image.convert(mode)


def clear_palette() -> Image.Image:
    image = slope("P")
    image.info["transparency"] = image.getpixel((0, 0))
    return image


MODES = {
    "1": (slope("1"), slope("1")),
    "L": (slope("L"), slope("L")),
    "LA": (faded("LA"), on_white(faded("LA"))),
    "P": (slope("P"), slope("P")),
    "P with transparency": (clear_palette(), on_white(clear_palette())),
    "RGB": (slope(), slope()),
    "RGBA": (faded("RGBA"), on_white(faded("RGBA"))),
    "RGBa": (faded("RGBA").convert("RGBa"), on_white(faded("RGBA").convert("RGBa").convert("RGBA"))),
    "CMYK": (slope("CMYK"), slope("CMYK").convert("RGB")),
    "YCbCr": (slope("YCbCr"), slope("YCbCr").convert("RGB")),
    "HSV": (slope("HSV"), slope("HSV").convert("RGB")),
    "I;16": (Image.fromarray(np.arange(0, 51200, 64, "uint16").reshape(20, 40)), None),
    "I": (slope("L").convert("I"), slope("L")),
    "F": (slope("L").convert("F"), slope("L")),
}


@pytest.mark.parametrize(("image", "expected"), MODES.values(), ids=list(MODES))
def test_pils_images_in_every_mode(image: Image.Image, expected: Image.Image | None) -> None:
    """An image of Pillow is sent as PNG in 8 bits, with what is transparent on white, and is not changed itself."""
    before = (image.mode, image.size, dict(image.info), image.tobytes())
    attachment = read_source(image, "it")
    if expected is None:
        expected = Image.fromarray((np.asarray(image) >> 8).astype("uint8"))
    assert attachment.media_type == "image/png"
    assert same(picture(attachment), expected)
    assert (image.mode, image.size, dict(image.info), image.tobytes()) == before


def test_transparency_is_noted() -> None:
    """What was put on white says so; an image that could be transparent and is not says nothing."""
    assert read_source(faded("RGBA"), "it").note == "on white"
    assert read_source(slope("RGBA"), "it").note == ""


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_a_transparent_file_is_put_on_white(form: str) -> None:
    """A transparent PNG or WebP is sent on white."""
    image = faded("RGBA")
    data = encoded(image, form, **({"lossless": True, "exact": True} if form == "WEBP" else {}))
    assert same(picture(read_source(data, "it")), on_white(image))


@pytest.mark.parametrize("size", [(400, 200), (200, 400), (400, 400), (401, 3)])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "array", "PIL"])
def test_a_large_image_is_scaled(form: str, size: tuple[int, int]) -> None:
    """The longest side of an image is the limit, the other in proportion, pixel for pixel as Pillow scales it."""
    image = slope("RGB", size)
    sources: dict[str, Any] = {"array": np.asarray(image), "PIL": image}
    source = sources[form] if form in sources else encoded(image, form)
    attachment = read_source(source, "it", Limits(image_side=100))
    expected = (max(1, round(size[0] * 100 / max(size))), max(1, round(size[1] * 100 / max(size))))
    sent = picture(attachment)
    assert sent.size == expected
    assert attachment.note == f"{expected[0]} × {expected[1]}, was {size[0]} × {size[1]}"
    assert attachment.media_type == ("image/jpeg" if form == "JPEG" else "image/png")
    if form != "JPEG":
        assert same(sent, image.resize(expected, LANCZOS))


def test_a_scaled_jpeg_is_close_to_what_it_was() -> None:
    """A JPEG stays a JPEG, of a quality at which the difference is not seen."""
    image = slope("RGB", (400, 200))
    data = encoded(image, "JPEG", quality=95)
    sent = picture(read_source(data, "it", Limits(image_side=100)))
    expected = Image.open(io.BytesIO(data)).resize((100, 50), LANCZOS)
    difference = np.abs(np.asarray(sent, int) - np.asarray(expected, int))
    assert difference.mean() < 2


def test_no_limit_leaves_the_size() -> None:
    """With `image_side` 0 an image of any size is sent as it is."""
    data = encoded(Image.new("L", (3000, 10)))
    assert read_source(data, "it", Limits(image_side=0)).data == data


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_turns_an_image_and_is_dropped(form: str, orientation: int) -> None:
    """An image that EXIF turns or mirrors is sent as it is seen, and without EXIF."""
    data = encoded(slope(), form, exif=exif(orientation=orientation), **({"lossless": True} if form == "WEBP" else {}))
    attachment = read_source(data, "it")
    sent, expected = picture(attachment), ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert expected is not None
    assert sent.size == expected.size
    assert form == "JPEG" or same(sent, expected)
    assert "turned" in attachment.note
    assert b"a camera" not in attachment.data


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_exif_that_turns_nothing_is_dropped_without_a_loss(form: str) -> None:
    """A camera's name and place do not travel with an image, and its pixels are not encoded anew for it."""
    bare, full = encoded(slope(), form), encoded(slope(), form, exif=exif(orientation=1))
    assert full != bare
    assert read_source(full, "it").data == bare


def test_an_open_photo_is_turned() -> None:
    """An image that Pillow has opened is turned as its EXIF says."""
    data = encoded(slope(), "JPEG", exif=exif(orientation=6))
    assert picture(read_source(Image.open(io.BytesIO(data)), "it")).size == (20, 40)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG of its raw rows."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3)], ids=["grey", "colour"])
def test_a_png_of_16_bits_is_sent_in_8(colour: int, channels: int) -> None:
    """A PNG of 16 bits is sent with the upper 8 of each value."""
    values = np.linspace(0, 65535, 6 * 4 * channels).astype(">u2").reshape(4, 6 * channels)
    data = png_of(6, 4, 16, colour, b"".join(b"\0" + row.tobytes() for row in values))
    attachment = read_source(data, "it")
    assert (np.asarray(picture(attachment)).reshape(4, 6 * channels) == values >> 8).all()
    assert attachment.note == "8 bits, was 16"


def test_a_cmyk_jpeg_is_sent_in_colours_of_a_screen() -> None:
    """A JPEG for print is sent as a JPEG in RGB."""
    data = encoded(slope("CMYK"), "JPEG", quality=95)
    attachment = read_source(data, "it")
    assert (attachment.media_type, attachment.note) == ("image/jpeg", "was CMYK")
    sent, expected = picture(attachment), Image.open(io.BytesIO(data)).convert("RGB")
    assert np.abs(np.asarray(sent, int) - np.asarray(expected, int)).mean() < 4


BOMBS = {
    "png": png_of(60_000, 60_000, 8, 0, b""),
    "jpeg": encoded(slope(), "JPEG").replace(struct.pack(">HH", 20, 40), struct.pack(">HH", 60_000, 60_000)),
    "gif": encoded(slope("P"), "GIF").replace(struct.pack("<HH", 40, 20), struct.pack("<HH", 60_000, 60_000), 1),
    "bmp": encoded(slope(), "BMP").replace(struct.pack("<ii", 40, 20), struct.pack("<ii", 60_000, 60_000), 1),
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=list(BOMBS))
def test_a_bomb_is_refused_by_its_declared_size(data: bytes) -> None:
    """An image that declares too many pixels is refused in one line, before it is decoded."""
    with pytest.raises(InputError, match=r"^it cannot be attached: it has [^\n]*pixels[^\n]*make it smaller\.$"):
        read_source(data, "it")


def test_an_array_of_too_many_pixels_is_refused() -> None:
    """An array is held to the same number of pixels."""
    with pytest.raises(InputError, match="60,000 × 60,000 pixels"):
        read_source(np.broadcast_to(np.uint8(0), (60_000, 60_000)), "it")


BROKEN = {
    "png, half": UNCHANGED["png"][:200],
    "png, head only": UNCHANGED["png"][:20],
    "jpeg, half": UNCHANGED["jpeg"][: len(UNCHANGED["jpeg"]) // 2],
    "jpeg, begin only": b"\xff\xd8\xff",
    "webp, half": CONVERTED["webp"][0][:60],
    "gif, begin only": b"GIF89a\0\0",
    "tiff, begin only": b"II*\0\0\0\0\0",
    "bmp, half": CONVERTED["bmp"][0][:100],
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=list(BROKEN))
def test_a_broken_image_is_refused(data: bytes) -> None:
    """An image that cannot be decoded is refused in one line, and nothing is sent."""
    with pytest.raises(InputError, match=r"^it cannot be attached: it is no [^\n]+\.$"):
        read_source(data, "it")


@pytest.mark.parametrize("cut", range(5, 200, 7))
def test_half_a_header_is_one_line(cut: int) -> None:
    """An image that ends anywhere is refused in one line, never with an exception of its reader."""
    for data in (encoded(slope(), "JPEG", exif=exif(orientation=3)), encoded(slope(), exif=exif(orientation=3))):
        with pytest.raises(InputError, match=r"^it cannot be attached: [^\n]+\.$"):
            read_source(data[: 3 + cut], "it")


def test_pillow_writes_nothing_into_the_cell(caplog: pytest.LogCaptureFixture) -> None:
    """What Pillow logs about a broken image is not shown, and its logger is left as it was."""
    entry = struct.pack("<HHII", 277, 3, 1, 3)
    assert entry in encoded(slope(), "TIFF")
    with pytest.raises(InputError):
        read_source(encoded(slope(), "TIFF").replace(entry, struct.pack("<HHII", 277, 3, 1, 2048)), "it")
    assert not caplog.records
    assert logging.getLogger("PIL").level == logging.NOTSET


def test_a_jpeg_of_a_million_parts_is_one_line() -> None:
    """An image that is nothing but parts of metadata costs no more than the limit of parts."""
    with pytest.raises(InputError, match="it is no complete JPEG"):
        read_source(b"\xff\xd8" + b"\xff\xe1\0\2" * 1_000_000, "it")


def test_an_image_file_that_is_too_large() -> None:
    """An image may have 20 MB before it is scaled."""
    with pytest.raises(InputError, match="it has 21 MB, and an image or sound may have 20 MB; make it smaller"):
        read_source(UNCHANGED["png"] + b"\0" * 21_000_000, "it")


@pytest.fixture
def without_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Pillow."""
    monkeypatch.setitem(sys.modules, "PIL", None)


@pytest.mark.usefixtures("without_pillow")
@pytest.mark.parametrize("name", ["png", "grey png", "palette png", "jpeg", "grey jpeg", "progressive jpeg"])
def test_without_pillow_an_image_that_needs_nothing_is_sent(name: str) -> None:
    """Without Pillow a PNG or JPEG that fits and is opaque is sent as it is."""
    assert read_source(UNCHANGED[name], "it").data == UNCHANGED[name]


PILLOW = {
    "webp": CONVERTED["webp"][0],
    "large": encoded(Image.new("L", (2000, 10))),
    "transparent": encoded(faded("RGBA")),
    "turned": encoded(slope(), "JPEG", exif=exif(orientation=6)),
    "16 bits": png_of(6, 4, 16, 0, b"\0" * 52),
    "CMYK": encoded(slope("CMYK"), "JPEG"),
    "array": np.zeros((9, 9)),
}


@pytest.mark.usefixtures("without_pillow")
@pytest.mark.parametrize("source", PILLOW.values(), ids=list(PILLOW))
def test_without_pillow_the_line_says_what_brings_it(source: object) -> None:
    """Without Pillow an image that has to be converted is refused with the command that installs it."""
    with pytest.raises(
        InputError, match=r"^it cannot be attached: [^\n]* needs Pillow; `pip install pillow` brings it\.$"
    ):
        read_source(source, "it")


def test_a_bomb_needs_no_pillow(without_pillow: None) -> None:
    """A PNG's declared size is checked without Pillow too."""
    with pytest.raises(InputError, match="60,000 × 60,000 pixels"):
        read_source(BOMBS["png"], "it")
