"""Writes onnx/*: small models with inputs, and outputs by ONNX Runtime.

Needs the Python packages onnx, onnxruntime and numpy. Each folder is laid out as ONNX's own backend tests are.
"""
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).parent / "onnx"
random = np.random.default_rng(7)


def tensor(*shape):
    return random.standard_normal(shape).astype(np.float32)


def write(name, nodes, inputs, outputs, weights, values, opset=13):
    """inputs: names with shapes; outputs: names; values: one array for each input."""
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
        [numpy_helper.from_array(array, key) for key, array in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 7
    folder = ROOT / name / "test_data_set_0"
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, ROOT / name / "model.onnx")
    if values is None:
        return
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"])
    results = session.run(None, dict(zip(inputs, values)))
    for kind, arrays in [("input", values), ("output", results)]:
        for number, array in enumerate(arrays):
            message = numpy_helper.from_array(np.asarray(array))
            (folder / f"{kind}_{number}.pb").write_bytes(message.SerializeToString())


N = helper.make_node

write(
    "convolutions",
    [N("Conv", ["x", "kernels", "bias"], ["a"], auto_pad="SAME_UPPER", strides=[2, 2]),
     N("Relu", ["a"], ["b"]),
     N("Conv", ["b", "deep"], ["c"], group=4, pads=[2, 1, 2, 1], dilations=[2, 1]),
     N("ConvTranspose", ["c", "back"], ["d"], strides=[2, 2], pads=[1, 0, 0, 1], output_padding=[1, 0]),
     N("Clip", ["d", "low", "high"], ["e"]),
     N("GlobalAveragePool", ["e"], ["f"]),
     N("Flatten", ["f"], ["g"]),
     N("Gemm", ["g", "w", "wb"], ["scores"], transB=1),
     N("Softmax", ["scores"], ["probabilities"], axis=1)],
    {"x": ["N", 3, 9, 8]}, ["probabilities", "d"],
    {"kernels": tensor(4, 3, 3, 3), "bias": tensor(4), "deep": tensor(4, 1, 3, 3),
     "back": tensor(4, 2, 3, 3), "low": np.float32(0), "high": np.float32(6), "w": tensor(5, 2),
     "wb": tensor(5)},
    [tensor(2, 3, 9, 8)])

write(
    "gemm",
    [N("Gemm", ["x", "w", "b"], ["y"], alpha=0.5, beta=2.0, transA=1),
     N("MatMul", ["y", "v"], ["z"])],
    {"x": [4, "rows"]}, ["y", "z"], {"w": tensor(4, 3), "b": tensor(3), "v": tensor(3)},
    [tensor(4, 5)])

write(
    "normalization",
    [N("BatchNormalization", ["x", "s", "o", "m", "v"], ["a"], epsilon=1e-3),
     N("LeakyRelu", ["a"], ["b"], alpha=0.2),
     N("LRN", ["b"], ["c"], size=3, alpha=0.3, beta=0.6, bias=1.5),
     N("InstanceNormalization", ["c", "s", "o"], ["d"]),
     N("Dropout", ["d"], ["e"]),
     N("ReduceMean", ["e"], ["f"], axes=[2, 3], keepdims=0)],
    {"x": ["batch", 4, 5, 3]}, ["c", "e", "f"],
    {"s": tensor(4), "o": tensor(4), "m": tensor(4), "v": np.abs(tensor(4)) + 0.1},
    [tensor(2, 4, 5, 3)])

write(
    "old_softmax",
    [N("Softmax", ["x"], ["y"]), N("LogSoftmax", ["x"], ["z"], axis=2)],
    {"x": [2, 3, 4]}, ["y", "z"], {}, [tensor(2, 3, 4)], opset=9)

write(
    "pooling",
    [N("MaxPool", ["x"], ["a"], kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 0, 1]),
     N("AveragePool", ["x"], ["b"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
     N("AveragePool", ["x"], ["c"], kernel_shape=[3, 3], pads=[0, 1, 1, 0], count_include_pad=1),
     N("MaxPool", ["x"], ["d"], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
     N("GlobalMaxPool", ["x"], ["e"])],
    {"x": ["batch", 2, 7, 6]}, ["a", "b", "c", "d", "e"], {}, [tensor(2, 2, 7, 6)])

write(
    "resizing",
    [N("Resize", ["x", "", "scales"], ["a"], mode="linear",
       coordinate_transformation_mode="align_corners"),
     N("Resize", ["x", "", "", "sizes"], ["b"], mode="nearest",
       coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
     N("Pad", ["x", "pads"], ["c"], mode="reflect"),
     N("DepthToSpace", ["x"], ["d"], blocksize=2, mode="CRD")],
    {"x": [1, 4, 3, 5]}, ["a", "b", "c", "d"],
    {"scales": np.array([1, 1, 2, 1.6], np.float32), "sizes": np.array([1, 4, 6, 10]),
     "pads": np.array([0, 0, 1, 2, 0, 0, 2, 1])}, [tensor(1, 4, 3, 5)])

write(
    "shapes",
    [N("Shape", ["x"], ["shape"]),
     N("Gather", ["shape", "zero"], ["count"]),
     N("Unsqueeze", ["count", "axis"], ["counts"]),
     N("Concat", ["counts", "rest"], ["target"], axis=0),
     N("Reshape", ["x", "target"], ["flat"]),
     N("Slice", ["shape", "two", "end"], ["spatial"]),
     N("Cast", ["spatial"], ["floats"], to=TensorProto.FLOAT),
     N("ReduceProd", ["floats"], ["area"], keepdims=0),
     N("ReduceSum", ["x", "axes"], ["sums"], keepdims=0),
     N("Div", ["sums", "area"], ["means"]),
     N("Split", ["x"], ["p", "q"], axis=3),
     N("Max", ["p", "q"], ["largest"]),
     N("Transpose", ["largest"], ["turned"], perm=[0, 2, 3, 1])],
    {"x": ["anything", 3, 8, 8]}, ["flat", "means", "turned"],
    {"zero": np.array(0), "axis": np.array([0]), "rest": np.array([-1]), "two": np.array([2]),
     "end": np.array([2**63 - 1]), "axes": np.array([2, 3])}, [tensor(2, 3, 8, 8)])

write("unsupported", [N("NonZero", ["x"], ["y"], name="which")], {"x": [4]}, ["y"], {}, None)
