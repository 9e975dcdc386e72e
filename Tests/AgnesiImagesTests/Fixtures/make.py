"""Makes the picture files of these tests and what Pillow reads from them.

Needs Pillow, numpy and safetensors: python3 make.py, in this folder. Files that Pillow cannot write
(16-bit colour, interlaced PNG, old bitmaps) are put together here.
"""

import io
import os
import struct
import zlib

import numpy as np
import PIL
from PIL import Image, ImageOps
from safetensors.numpy import save_file

WIDTH, HEIGHT = 22, 18
FOLDER = os.path.dirname(os.path.abspath(__file__))
random = np.random.Generator(np.random.Philox(7))
expected = {}


def smooth(channels, width=WIDTH, height=HEIGHT):
    """Waves and a little noise, so that neither decoding nor turning goes unnoticed."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [128 + 100 * np.sin(0.31 * x + 0.17 * (k + 1) * y + k) for k in range(channels)]
    noise = random.normal(0, 8, (height, width, channels))
    return np.clip(np.stack(planes, -1) + noise, 0, 255).astype(np.uint8)


def on_white(image):
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.asarray(image.convert("RGB")).copy()


def keep(name, data, pixels=None):
    with open(os.path.join(FOLDER, name), "wb") as file:
        file.write(data)
    expected[name] = on_white(Image.open(io.BytesIO(data))) if pixels is None else pixels


def saved(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data


# JPEG
rgb = Image.fromarray(smooth(3))
grey = Image.fromarray(smooth(1)[..., 0])
cmyk = Image.fromarray(smooth(4), "CMYK")
for name, subsampling in [("420", "4:2:0"), ("422", "4:2:2"), ("444", "4:4:4")]:
    keep(f"colour{name}.jpg", saved(rgb, "JPEG", quality=85, subsampling=subsampling))
keep("progressive.jpg", saved(rgb, "JPEG", quality=80, progressive=True))
keep("restarts.jpg", saved(rgb, "JPEG", quality=80, restart_marker_blocks=1))
keep("grey.jpg", saved(grey, "JPEG", quality=85))
ink = saved(cmyk, "JPEG", quality=90)
keep("cmyk.jpg", ink)
adobe = ink.index(b"Adobe")
keep("ycck.jpg", ink[: adobe + 11] + b"\x02" + ink[adobe + 12 :])
for orientation in range(1, 9):
    keep(f"exif{orientation}.jpg", saved(rgb, "JPEG", quality=85, exif=exif(orientation)))


# PNG
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(pixels, colour_type, bits, interlaced=False, more=b"", after=b""):
    """Rows of big-endian samples, none filtered."""
    height, width = pixels.shape[:2]
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b""
    for x, y, across, down in passes:
        part = pixels[y::down, x::across]
        for row in part if part.shape[1] else []:
            if bits < 8:
                flat = row.reshape(-1)
                digits = np.unpackbits(flat[:, None], axis=1)[:, 8 - bits :].reshape(-1)
                rows += b"\0" + np.packbits(digits).tobytes()
            else:
                rows += b"\0" + row.astype(">u2" if bits == 16 else "u1").tobytes()
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, int(interlaced))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more
        + chunk(b"IDAT", zlib.compress(rows, 9)) + after + chunk(b"IEND", b"")
    )


def three(plane):
    return np.repeat(plane[..., None], 3, -1).astype(np.uint8).copy()


rgba = Image.fromarray(smooth(4))
keep("colour.png", saved(rgb, "PNG"))
keep("grey.png", saved(grey, "PNG"))
keep("alpha.png", saved(rgba, "PNG"))
keep("greyalpha.png", saved(Image.fromarray(smooth(2), "LA"), "PNG"))
palette = rgb.quantize(32)
keep("palette.png", saved(palette, "PNG"))
keep("palettealpha.png", saved(palette, "PNG", transparency=bytes(range(0, 256, 8))))
keep("onebit.png", saved(grey.convert("1"), "PNG"))
two = smooth(1)[..., 0] >> 6
keep("twobit.png", png(two, 0, 2), three(two * 85))
wide = (smooth(3).astype(np.uint16) << 8) + 77
keep("colour16.png", png(wide, 2, 16), (wide >> 8).astype(np.uint8))
keep("grey16.png", png(wide[..., 0], 0, 16), three(wide[..., 0] >> 8))
keep("interlaced.png", png(smooth(3), 2, 8, interlaced=True))
keep("interlacedpalette.png", png(np.asarray(palette), 3, 8, True, chunk(b"PLTE", bytes(palette.getpalette()))))
keep("keyed.png", png(np.asarray(rgb), 2, 8, more=chunk(b"tRNS", struct.pack(">3H", *np.asarray(rgb)[3, 3]))))
keep("exif6.png", saved(rgb, "PNG", exif=exif(6)))
keep("exiflate.png", png(np.asarray(rgb), 2, 8, after=chunk(b"eXIf", exif(3).tobytes()[6:])), np.asarray(rgb)[::-1, ::-1].copy())

# WebP
keep("lossy.webp", saved(rgb, "WEBP", quality=80))
keep("lossless.webp", saved(rgb, "WEBP", lossless=True))
keep("alpha.webp", saved(rgba, "WEBP", quality=80))
keep("exif8.webp", saved(rgb, "WEBP", quality=80, exif=exif(8)))
keep("animated.webp", saved(rgb, "WEBP", save_all=True, append_images=[Image.fromarray(smooth(3))], duration=100))

# GIF
keep("palette.gif", saved(palette, "GIF", interlace=0))
keep("interlaced.gif", saved(palette, "GIF", interlace=1))
keep("transparent.gif", saved(palette, "GIF", transparency=5))
keep("animated.gif", saved(palette, "GIF", save_all=True, append_images=[Image.fromarray(smooth(3)).quantize(16)]))
# A picture that leaves a margin of the screen free: the margin shows what is below, white.
part = bytearray(saved(palette, "GIF", interlace=0))
struct.pack_into("<HH", part, 6, WIDTH + 5, HEIGHT + 3)
place = part.index(struct.pack("<BHHHH", 0x2C, 0, 0, WIDTH, HEIGHT))
struct.pack_into("<HH", part, place + 1, 2, 1)
framed = np.full((HEIGHT + 3, WIDTH + 5, 3), 255, np.uint8)
framed[1 : HEIGHT + 1, 2 : WIDTH + 2] = np.asarray(palette.convert("RGB"))
keep("margin.gif", bytes(part), framed)

# TIFF
keep("colour.tif", saved(rgb, "TIFF"))
keep("lzw.tif", saved(rgb, "TIFF", compression="tiff_lzw"))
keep("deflate.tif", saved(rgb, "TIFF", compression="tiff_adobe_deflate"))
keep("grey.tif", saved(grey, "TIFF"))
keep("onebit.tif", saved(grey.convert("1"), "TIFF", compression="group4"))
keep("palette.tif", saved(palette, "TIFF"))
keep("cmyk.tif", saved(cmyk, "TIFF"))
keep("alpha.tif", saved(rgba, "TIFF"))
keep("exif5.tif", saved(rgb, "TIFF", tiffinfo={0x0112: 5}))


def tiff(pixels, order):
    """One strip of 16-bit samples, in either byte order."""
    height, width, channels = pixels.shape
    data = pixels.astype(order + "u2").tobytes()
    entries = [
        (256, 4, 1, width), (257, 4, 1, height), (259, 3, 1, 1),
        (262, 3, 1, 2 if channels == 3 else 1), (273, 4, 1, 8), (277, 3, 1, channels),
        (278, 4, 1, height), (279, 4, 1, len(data)), (284, 3, 1, 1),
    ]
    place = 8 + len(data)
    entries.insert(2, (258, 3, channels, 16 if channels == 1 else place))
    table = b"" if channels == 1 else struct.pack(order + "3H", 16, 16, 16)
    listed = struct.pack(order + "H", len(entries))
    for tag, kind, count, value in entries:
        short = kind == 3 and count == 1
        listed += struct.pack(order + "HHI", tag, kind, count)
        listed += struct.pack(order + ("HH" if short else "I"), *((value, 0) if short else (value,)))
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "I", place + len(table)) + data + table + listed + bytes(4)


even = smooth(3).astype(np.uint16) * 257
keep("colour16.tif", tiff(even, "<"), (even >> 8).astype(np.uint8))
keep("grey16.tif", tiff(even[..., :1], ">"), three(even[..., 0] >> 8))


# BMP
def bmp(rows, bits, compression=0, colours=b"", top_down=False, size=40, more=b""):
    header = struct.pack(
        "<IiiHHIIiiII", size, WIDTH, -HEIGHT if top_down else HEIGHT, 1, bits, compression,
        len(rows), 0, 0, len(colours) // 4, 0,
    ) + more
    start = 14 + len(header) + len(colours)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + colours + rows


def rows(lines):
    return b"".join(line + bytes(-len(line) % 4) for line in lines)


keep("colour.bmp", saved(rgb, "BMP"))
keep("grey.bmp", saved(grey, "BMP"))
keep("palette.bmp", saved(palette, "BMP"))
keep("onebit.bmp", saved(grey.convert("1"), "BMP"))
keep("alpha.bmp", saved(rgba, "BMP"))
array = np.asarray(rgb)
keep("topdown.bmp", bmp(rows(line[:, ::-1].tobytes() for line in array), 24, top_down=True))
words = array.astype(np.uint16)
words = (words[..., 0] >> 3 << 11) | (words[..., 1] >> 2 << 5) | words[..., 2] >> 3
fields = struct.pack("<3I", 0xF800, 0x07E0, 0x001F)
keep("fields565.bmp", bmp(rows(line.astype("<u2").tobytes() for line in words[::-1]), 16, 3, more=fields))
small = smooth(1)[..., 0] >> 4
greys = b"".join(bytes([17 * k, 255 - 17 * k, 8 * k, 0]) for k in range(16))
packed = (line[0::2] << 4 | line[1::2] for line in small[::-1])
keep("fourbit.bmp", bmp(rows(line.astype(np.uint8).tobytes() for line in packed), 4, colours=greys))
runs = b""
for y, line in enumerate(small[::-1]):
    # A run, as single pixels, and as a literal of an odd length with its padding.
    runs += bytes([6, line[0]]) + b"".join(bytes([1, v]) for v in line[6:9])
    runs += bytes([0, WIDTH - 9]) + line[9:].tobytes() + bytes((WIDTH - 9) % 2) + b"\0\0"
flat = small.copy()
flat[:, :6] = flat[:, :1]
shades = np.frombuffer(greys, np.uint8).reshape(16, 4)[:, 2::-1]
keep("runs8.bmp", bmp(runs + b"\0\1", 8, 1, greys), shades[flat].copy())
old = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, 24)
lines = rows(line[:, ::-1].tobytes() for line in array[::-1])
keep("old.bmp", b"BM" + struct.pack("<IHHI", 26 + len(lines), 0, 0, 26) + old + lines)

save_file({name: np.ascontiguousarray(array) for name, array in expected.items()}, os.path.join(FOLDER, "pictures.expected"), {"pillow": PIL.__version__})

# Resizing
filters = {
    "nearest": Image.Resampling.NEAREST, "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
sharp = random.integers(0, 256, (29, 37, 3), dtype=np.uint8)
resized = {"colour": sharp, "grey": sharp[..., 0].copy()}
for name, filter in filters.items():
    for width, height in [(11, 7), (53, 40), (37, 7), (9, 29), (45, 12), (1, 1), (36, 28)]:
        for kind in ["colour", "grey"]:
            # Pillow 13 may begin with the columns, which rounds in another way; earlier ones never do.
            image = Image.fromarray(resized[kind]).resize((width, 29), filter)
            image = image.resize((width, height), filter)
            resized[f"{kind} {name} {width} {height}"] = np.asarray(image).copy()
save_file(resized, os.path.join(FOLDER, "resized.expected"))
