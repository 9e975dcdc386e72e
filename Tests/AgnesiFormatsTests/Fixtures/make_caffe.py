"""Writes tiny.caffemodel: the form of Caffe's files before 2014, byte by byte, without Caffe."""
import pathlib
import struct


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, content):
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def blob(sizes, values):
    """num, channels, height and width are fields 1 to 4, packed floats field 5."""
    head = b"".join(field(i + 1, size) for i, size in enumerate(sizes))
    return head + field(5, struct.pack(f"<{len(values)}f", *values))


def layer(name, kind, blobs):
    """V1LayerParameter: bottom 2, top 3, name 4, type 5, blobs 6, learning rates 7."""
    text = field(2, b"data") + field(3, name) + field(4, name) + field(5, kind)
    rates = varint(7 << 3 | 5) + struct.pack("<f", 1.0)
    return text + b"".join(field(6, one) for one in blobs) + rates


network = field(1, b"Tiny") + b"".join(
    field(2, one)
    for one in [
        layer(b"conv", 4, [blob([2, 1, 1, 2], [1, -2, 3, 0.5]), blob([1, 1, 1, 2], [0.25, -0.25])]),
        layer(b"ip", 14, [blob([1, 1, 1, 3], [4, 5, 6])]),
    ])
pathlib.Path(__file__).with_name("tiny.caffemodel").write_bytes(network)
