#!/usr/bin/env python3
"""Compares what ONNX Runtime computes from exported models with what Agnesi does.

usage: check-onnx-export.py FOLDER

Needs the Python packages onnx, onnxruntime and numpy. The test `ForOthersTests` fills the folder:

    mkdir -p exports && cp trained.safetensors exports/
    AGNESI_ONNX_EXPORTS=exports swift test -c release --filter ForOthersTests
    python3 Scripts/check-onnx-export.py exports
"""
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

BOUND = 1e-4


def check(folder):
    """The largest difference of an output, relative to its largest magnitude."""
    path = folder / "model.onnx"
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    results = session.run(names, {session.get_inputs()[0].name: np.load(folder / "input.npy")})
    worst = 0.0
    for name, actual in zip(names, results):
        if not (folder / f"{name}.npy").exists():
            continue
        expected = np.load(folder / f"{name}.npy")
        if expected.shape != actual.shape:
            raise SystemExit(f"{folder.name}: {name} is {actual.shape}, not {expected.shape}")
        worst = max(worst, float(np.abs(actual - expected).max() / np.abs(expected).max()))
    return worst, len(names)


def main():
    folders = sorted(path.parent for path in pathlib.Path(sys.argv[1]).glob("*/model.onnx"))
    failures = 0
    for folder in folders:
        worst, count = check(folder)
        failures += worst > BOUND
        print(f"{folder.name:24} {count} outputs, largest difference {worst:.1e}"
              + (" WRONG" if worst > BOUND else ""))
    print(f"{len(folders)} models, {failures} wrong")
    sys.exit(1 if failures or not folders else 0)


if __name__ == "__main__":
    main()
