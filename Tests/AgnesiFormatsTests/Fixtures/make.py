"""Makes the files of this folder, with NumPy, PyTorch, h5py and Keras:

    KERAS_BACKEND=torch python make.py

All numbers are multiples of a quarter from one formula, which the tests know too, so that they are
exact in every dtype.
"""

import collections
import io
import os
import pickle
import zipfile

import h5py
import numpy as np
import torch

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras  # noqa: E402

folder = os.path.dirname(os.path.abspath(__file__))


def ramp(*shape, dtype="float32", first=0):
    """Element i in row-major order is ((7 (i + first)) mod 23) / 4."""
    count = int(np.prod(shape))
    values = (np.arange(count) + first) * 7 % 23 / 4
    return values.reshape(shape).astype(dtype)


def path(name):
    return os.path.join(folder, name)


class Python2(pickle._Pickler):
    """Pickles as Python 2 wrote them: byte strings for texts, NumPy's old module names."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, value):
        data = value if isinstance(value, bytes) else value.encode("latin-1")
        if self.proto == 0:
            self.write(pickle.STRING + repr(data)[1:].encode("ascii") + b"\n")
        elif len(data) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(data)]) + data)
        else:
            self.write(pickle.BINSTRING + len(data).to_bytes(4, "little") + data)
        self.memoize(value)

    dispatch[bytes] = save_string
    dispatch[str] = save_string

    def save_global(self, value, name=None):
        module = value.__module__.replace("numpy._core", "numpy.core")
        self.write(pickle.GLOBAL + f"{module}\n{value.__qualname__}\n".encode("ascii"))
        self.memoize(value)

    dispatch[type] = save_global
    dispatch[type(len)] = save_global
    dispatch[type(ramp)] = save_global


def python2(value, protocol):
    file = io.BytesIO()
    Python2(file, protocol).dump(value)
    return file.getvalue()


def write(name, data):
    with open(path(name), "wb") as file:
        file.write(data)


recipe = {
    "model name": "small",
    "param values": [
        ramp(4, 3, 2, 2),
        np.asfortranarray(ramp(5, 7, first=1)),
        ramp(3, dtype=">f8"),
        ramp(6, dtype="int32"),
    ],
    "synset words": ["kit fox", "caf\u00e9, caf\u00e9", "it's \"quoted\"\n"],
    "mean value": ramp(3),
}
for protocol in (0, 1, 2):
    write(f"python2-{protocol}.pkl", python2(recipe, protocol))
for protocol in (0, 2, 4, 5):
    write(f"python3-{protocol}.pkl", pickle.dumps(recipe, protocol))
more = {
    "list": [ramp(2), ramp(3)],
    "scalar": np.float32(2.5),
    "flags": ramp(5) > 2,
    "numbers": [1, 2.5, 3],
    "counts": (1, 2, -3),
    "epoch": 7,
    "nothing": None,
    5: {"deep": ramp(2, 2)},
}
write("more.pkl", pickle.dumps(more, 4))
write("more-python2.pkl", python2(more, 2))

np.savez(
    path("plain.npz"), *[ramp(i + 1) for i in range(12)])
np.savez_compressed(
    path("packed.npz"), weight=ramp(40, 50), fortran=np.asfortranarray(ramp(3, 4)),
    big=ramp(7, dtype=">i2"), flags=ramp(5) > 2, empty=ramp(0, 3), one=ramp())
np.save(path("array.npy"), ramp(3, 4, 5))

base = torch.from_numpy(ramp(4, 6))
state = collections.OrderedDict(
    [
        ("plain", torch.from_numpy(ramp(2, 3, 4))),
        ("transposed", base.t()),
        ("part", base[1:3, 2:5]),
        ("tied", base),
        ("half", torch.from_numpy(ramp(9)).half()),
        ("brain", torch.from_numpy(ramp(9)).bfloat16()),
        ("double", torch.from_numpy(ramp(3, dtype="float64"))),
        ("steps", torch.tensor(12)),
        ("flags", torch.tensor([True, False, True])),
        ("bytes", torch.from_numpy(ramp(5, dtype="uint8"))),
        ("expanded", torch.tensor([2.5]).expand(3)),
        ("empty", torch.zeros(0, 3)),
        ("parameter", torch.nn.Parameter(torch.from_numpy(ramp(5)))),
    ]
)
torch.save(state, path("state.pth"))
torch.save(state, path("legacy.pth"), _use_new_zipfile_serialization=False)
checkpoint = {
    "epoch": 3,
    "arch": "small",
    "state_dict": {"weight": torch.from_numpy(ramp(2, 3)), "bias": torch.from_numpy(ramp(2))},
    "optimizer": {"state": {0: {"momentum": torch.from_numpy(ramp(2, 3))}}, "shape": torch.Size([2])},
}
torch.save(checkpoint, path("checkpoint.pth"))
torch.save(torch.nn.Linear(2, 2), path("module.pth"))

with h5py.File(path("plain.h5"), "w") as file:
    file["a/half"] = ramp(2, 3, dtype="float16")
    file["a/double"] = ramp(5, dtype="float64")
    file["a/big"] = ramp(5, dtype=">f8")
    file.create_dataset(
        "a/packed", data=ramp(10, 100), chunks=(3, 40), compression="gzip", shuffle=True)
    file["flags"] = ramp(5) > 2
    file["one"] = np.float32(2.5)
    file["words"] = "no numbers"
    file["narrow"] = ramp(3, dtype="uint16")
    file["empty"] = ramp(0, 3)
    file.create_dataset("never", (4,), "int32")
    file.create_dataset("checked", data=ramp(10, dtype="int64"), chunks=(5,), fletcher32=True)

# As Keras 2 wrote weights: groups of layers, whose order attributes tell.
with h5py.File(path("keras2.h5"), "w") as file:
    file.attrs["layer_names"] = [b"second", b"first", b"flatten"]
    file.attrs["backend"] = "tensorflow"
    for number, layer in enumerate(["first", "second"]):
        group = file.create_group(layer)
        names = [f"{layer}/kernel:0", f"{layer}/bias:0"]
        group.attrs["weight_names"] = [name.encode() for name in names]
        group[names[0]] = ramp(3, 3, 2, 4, first=number)
        group[names[1]] = ramp(4, first=number)
    file.create_group("flatten").attrs["weight_names"] = np.zeros(0, "S1")

model = keras.Sequential(
    [
        keras.Input((6, 6, 2)),
        keras.layers.Conv2D(3, 3, name="one"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.Conv2D(3, 3, name="two"),
        keras.layers.Flatten(),
        keras.layers.Dense(2, name="last"),
    ]
)
for layer in model.layers:
    layer.set_weights([ramp(*weight.shape) for weight in layer.weights])
model.save(path("model.keras"))
model.save(path("model.h5"))
model.save_weights(path("model.weights.h5"))

# Archives by other hands: a comment at the end, sizes behind the data.
with zipfile.ZipFile(path("comment.npz"), "w", zipfile.ZIP_DEFLATED) as archive:
    archive.comment = b"a comment"
    with archive.open("first.npy", "w", force_zip64=True) as member:
        np.save(member, ramp(3, 3))
