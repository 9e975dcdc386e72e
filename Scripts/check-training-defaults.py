#!/usr/bin/env python3
"""Trains 50 networks with the defaults of `agnesi train` and with five learning rates each.

    Scripts/check-training-defaults.py AGNESI DATA [--before OTHER] [--table runs.tsv] [--jobs 2]

AGNESI is the command, OTHER an older one to compare with. DATA holds mnist/ and cifar10/ (two of its
training batches); Fashion-MNIST is where Debian's package puts it. The 50 are drawn by a generator of
fixed seed from lists of networks, data, sizes and seeds. Every run is a line of the table; what is in
it is not run again, so the script goes on where it was stopped.

The validation part of each set is the tenth that the command would hold out (at most 5000), written
by the script, which then knows its labels. A run fails if its model takes all test samples for one
class, if its last epoch does so with the validation samples (and the accuracy on training samples is
that of one class, since few samples may be equal by chance), or if it errs more than 1.5 times as
often as the best of five rates between 1e-4 and 1e-1, run with everything else the same.
"""

import argparse
import gzip
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

RATES = ["%.3g" % 10 ** (-4 + 0.75 * step) for step in range(5)]
LIMIT = 1.5
FASHION = "/usr/share/datasets/fashion-mnist"

# Samples, epochs.
SIZES = [(200, 20), (200, 20), (600, 15), (600, 15), (2000, 8), (2000, 8), (6000, 5), (6000, 5),
         (20000, 2), (60000, 1)]

SMALL = [
    "10FC", "16FC 10FC", "64FC 10FC", "256FC D0.5 256FC D0.5 10FC", "1024FC 10FC",
    "64FC 64FC 64FC 64FC 10FC", "64FC 64FC 64FC 64FC 64FC 64FC 64FC 64FC 10FC",
    "128FC BN 128FC BN 10FC", "64FC tanh 64FC tanh 10FC", "64FC sigmoid 10FC",
    "20C5 MP2 50C5 MP2 64FC D0.5 10FC", "20C5 MP2 50C5 MP2 256FC D0.5 10FC",
    "6C5 tanh MP2 16C5 tanh MP2 84FC tanh 10FC", "8C3p1 BN MP2 16C3p1 BN MP2 10FC",
    "8C3p1 MP2 16C3p1 MP2 32FC D0.5 10FC", "8C3p1 8C3p1 MP2 16C3p1 16C3p1 MP2 64FC 10FC",
    "2C3 MP4 10FC", "16C5s2 GAP 10FC", "8C5 sigmoid MP4 32FC 10FC",
]


def configurations(count, seed):
    draw = random.Random(seed)
    result = []
    for number in range(1, count + 1):
        size, epochs = draw.choice(SIZES)
        data = draw.choice(["mnist", "fashion", "cifar10"])
        if data == "cifar10" and size > 6000:
            size, epochs = 15000, 2
        result.append((number, data, size, epochs, draw.choice(SMALL), draw.randrange(1000)))
    return result


def read_idx(path):
    data = gzip.open(path).read()
    return data[4 + 4 * data[3]:]


def read(data, name):
    """Shape of a sample, and pixels and labels of training and test part."""
    if name == "cifar10":
        records = b"".join(
            gzip.open(f"{data}/cifar10/data_batch_{n}.bin.gz").read() for n in (1, 2))
        count = len(records) // 3073
        pixels = b"".join(records[n * 3073 + 1:(n + 1) * 3073] for n in range(count))
        labels = records[::3073]
        # The last quarter is the test: the test batch is not whole everywhere.
        return (3, 32, 32), pixels[:15000 * 3072], labels[:15000], pixels[15000 * 3072:], \
            labels[15000:]
    folder = FASHION if name == "fashion" else f"{data}/mnist"
    return (1, 28, 28), *(
        read_idx(f"{folder}/{part}-idx{kind}-ubyte.gz")
        for part, kind in [("train-images", 3), ("train-labels", 1), ("t10k-images", 3),
                           ("t10k-labels", 1)])


def write_npy(path, shape, values):
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': %r, }" % (tuple(shape),)
    header += " " * (-(11 + len(header)) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + values)


def write_set(data, name, size, folder):
    """A folder of arrays with the first `size` training samples, their last tenth for validation."""
    shape, pixels, labels, test_pixels, test_labels = read(data, name)
    width = shape[0] * shape[1] * shape[2]
    held = min(5000, size // 10)
    parts = {
        "train": (pixels[:(size - held) * width], labels[:size - held]),
        "validation": (pixels[(size - held) * width:size * width], labels[size - held:size]),
        "test": (test_pixels, test_labels),
    }
    os.makedirs(folder)
    for part, (values, classes) in parts.items():
        write_npy(f"{folder}/{part}-inputs.npy", (len(classes),) + shape, values)
        write_npy(f"{folder}/{part}-labels.npy", (len(classes),), classes)


def constants(labels):
    """The numbers of mistakes that predicting one class leads to."""
    return {len(labels) - labels.count(label) for label in set(labels)}


class Runner:
    def __init__(self, options, scratch):
        self.options, self.scratch, self.sets, self.done = options, scratch, {}, {}
        if os.path.exists(options.table):
            for line in open(options.table):
                *key, errors, count, constant = line.rstrip("\n").split("\t")
                self.done[tuple(key)] = (int(errors), int(count), constant == "1")

    def data(self, name, size):
        if (name, size) not in self.sets:
            folder = os.path.join(self.scratch, f"{name}-{size}")
            write_set(self.options.data, name, size, folder)
            labels = [
                open(f"{folder}/{part}-labels.npy", "rb").read()
                for part in ("train", "validation", "test")]
            self.sets[name, size] = folder, [list(text[text.index(b"\n") + 1:]) for text in labels]
        return self.sets[name, size]

    def run(self, configuration, program, rate):
        number, name, size, epochs, network, seed = configuration
        key = (str(number), name, str(size), str(epochs), network, str(seed), program, rate)
        if key in self.done:
            return
        folder, (train, validation, test) = self.data(name, size)
        output = os.path.join(self.scratch, f"{number}-{program}-{rate}")
        command = [
            self.options.before if program == "before" else self.options.agnesi, "train", folder,
            "--network", network, "--epochs", str(epochs), "--seed", str(seed), "--output",
            output + ".safetensors"]
        command += [] if rate == "default" else ["--rate", rate]
        result = subprocess.run(
            command, capture_output=True, text=True, env=dict(os.environ, AGNESI_THREADS="1"))
        for end in (".safetensors", ".checkpoint.safetensors"):
            if os.path.exists(output + end):
                os.remove(output + end)
        found = re.search(r"\((\d+) of (\d+) wrong", result.stdout)
        if found:
            errors, count = int(found[1]), int(found[2])
            learned, last = re.findall(
                r"loss \S+  accuracy (\S+) %  validation loss \S+  accuracy (\S+) %",
                result.stderr)[-1]
            ends = {"%.2f" % (100 - 100 * n / len(validation)) for n in constants(validation)}
            one_class = 100 * max(train.count(label) for label in set(train)) / len(train)
            constant = errors in constants(test) or (
                last in ends and float(learned) < 1.2 * one_class)
        else:
            # A loss that became infinite or no number: nothing was learned.
            print(result.stderr, file=sys.stderr)
            errors, count, constant = len(test), len(test), True
        self.done[key] = errors, count, constant
        with open(self.options.table, "a") as table:
            table.write("\t".join(key + (str(errors), str(count), str(int(constant)))) + "\n")

    def row(self, configuration):
        key = tuple(str(part) for part in configuration)
        best = min(self.done[key + ("after", rate)][:2] + (rate,) for rate in RATES)
        cells, failures = [], []
        for program in ["before", "after"] if self.options.before else ["after"]:
            errors, count, constant = self.done[key + (program, "default")]
            failed = constant or errors > LIMIT * best[0]
            failures.append(failed)
            note = " (constant)" if constant else " (fails)" if failed else ""
            cells.append("%.2f %%%s" % (100 * errors / count, note))
        number, name, size, epochs, network, seed = configuration
        best_text = "%.2f %% at %s" % (100 * best[0] / best[1], best[2])
        cells = [str(number), name, str(size), str(epochs), f"`{network}`", str(seed)] + cells
        return "| " + " | ".join(cells + [best_text]) + " |", failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("agnesi")
    parser.add_argument("data")
    parser.add_argument("--before")
    parser.add_argument("--table", default="training-defaults.tsv")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    chosen = configurations(options.runs, options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        runner = Runner(options, scratch)
        for name, size in sorted({(name, size) for _, name, size, *_ in chosen}):
            runner.data(name, size)
        programs = (["before"] if options.before else []) + ["after"]
        work = [
            item for one in sorted(chosen, key=lambda one: one[2] * one[3]) for item in
            [(one, program, "default") for program in programs]
            + [(one, "after", rate) for rate in RATES]]
        with ThreadPoolExecutor(options.jobs) as pool:
            list(pool.map(lambda item: runner.run(*item), work))
    rows = [runner.row(one) for one in chosen]
    heads = ["", "data", "samples", "epochs", "network", "seed"] + programs + ["best of five rates"]
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    print("\n".join(text for text, _ in rows))
    totals = [sum(failures) for failures in zip(*(failures for _, failures in rows))]
    print("\n" + ", ".join(f"{program}: {n} of {len(rows)} fail"
                           for program, n in zip(programs, totals)))
    sys.exit(1 if totals[-1] else 0)


if __name__ == "__main__":
    main()
