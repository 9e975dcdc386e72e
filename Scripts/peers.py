#!/usr/bin/env python3
"""Times the workloads of `agnesi-bench` in other frameworks.

    Scripts/peers.py FRAMEWORK WORKLOAD [--steps N] [--threads N] [--batch N] [--work]
    Scripts/peers.py --list

One process times one framework on one workload and prints an object with the fields of `agnesi-bench
run`, in one line; with --work what `agnesi-bench work` prints, the number of weights and the
multiply-adds of a step, which must be the same there. `agnesi-bench peers` calls it in turns with Agnesi:

    python3 -m venv peers && peers/bin/pip install torch torchvision onnx onnxruntime openvino jax
    make bench PEERS=peers/bin/python WORKLOAD=unet

Steps are as `Sources/AgnesiBench/Workloads` has them: the same shapes, losses and update rules,
float32, made-up data, the same batch in every step. Only first values differ, which is of no account to
the time.
The packages are imported where they are used, so that each framework works without the others.
"""

import argparse
import json
import os
import re
import resource
import sys
import tempfile
import time

VGG19 = " MP2 ".join(" ".join([f"{filters}C3p1"] * count) for filters, count in
                     [(64, 2), (128, 2), (256, 4), (512, 4), (512, 4)]) + " MP2"

# Networks in Agnesi's notation: shape of a sample, network, update rule. Trained, classes as targets.
CLASSIFIERS = {
    "mlp": ((784,), "256FC 256FC 10FC", "nesterov"),
    "lenet": ((1, 28, 28), "20C5 MP2 50C5 MP2 256FC 10FC", "nesterov"),
    "lenet-1998": ((1, 28, 28), "6C5p2 tanh AP2 16C5 tanh AP2 120FC tanh 84FC tanh 10FC", "nesterov"),
    "lenet-padded": ((1, 28, 28), "16C5p2 MP2 32C5p2 MP2 128FC 10FC", "nesterov"),
    "cifar-bn": ((3, 32, 32), "64C3p1 BN 64C3p1 BN MP2 128C3p1 BN 128C3p1 BN MP2 256FC D0.5 10FC",
                 "adam"),
    "vgg19-train": ((3, 224, 224), f"{VGG19} 4096FC D0.5 4096FC D0.5 10FC", "momentum"),
}

# The same for forward passes.
FORWARD = {
    "lenet-infer": ((1, 28, 28), CLASSIFIERS["lenet"][1]),
    "vgg19-infer": ((3, 224, 224), f"{VGG19} 4096FC D0.5 4096FC D0.5 1000FC"),
}

# Torchvision's builder, options, rows and columns, mean and deviation of pixels.
IMAGENET = ([0.485 * 255, 0.456 * 255, 0.406 * 255], [0.229 * 255, 0.224 * 255, 0.225 * 255])
TORCHVISION = {
    "inception-v3": ("inception_v3", {"aux_logits": False, "init_weights": False}, 299,
                     ([127.5] * 3, [127.5] * 3)),
    "squeezenet": ("squeezenet1_1", {}, 224, IMAGENET),
    "resnet50": ("resnet50", {}, 224, IMAGENET),
}

DILATED = "32C3p1 32C3p2d2 32C3p4d4 32C3p8d8 32C3p4d4 32C3p1 2C1"
AUTOENCODER = "512FC 256FC 64FC 256FC 512FC 784FC"

BATCHES = {
    "mlp": 100, "lenet": 100, "lenet-infer": 1, "cifar-bn": 128, "vgg19-infer": 1, "vgg19-train": 8,
    "lenet-1998": 100, "lenet-padded": 100, "resnet20": 128, "unet": 8, "inception-v3": 1,
    "squeezenet": 1, "resnet50": 1, "autoencoder": 128, "transformer": 8, "dilated": 4,
    "densenet": 64, "mixer": 32,
}

FORWARD_ONLY = set(FORWARD) | set(TORCHVISION)
WITHOUT_IMAGES = {"mlp", "autoencoder", "transformer", "mixer"}


class Unsupported(Exception):
    """A workload that a framework does not have here, and why."""


# ---------------------------------------------------------------- PyTorch: networks

def torch_notation(text, shape):
    """The network that `text` describes: ReLU behind every C and FC but the last, unless another
    nonlinearity is named; behind its BN where one follows."""
    from torch import nn
    words, layers, channels, size = text.split(), [], shape[0], shape[1:]
    last = max(i for i, word in enumerate(words) if re.match(r"\d+(C|FC)", word))
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        convolution = re.fullmatch(r"(\d+)C(\d+)(?:p(\d+))?(?:d(\d+))?", word)
        dense = re.fullmatch(r"(\d+)FC", word)
        if convolution:
            filters, kernel, padding, dilation = (int(n or 0) for n in convolution.groups())
            dilation = dilation or 1
            layers.append(nn.Conv2d(channels, filters, kernel, padding=padding, dilation=dilation,
                                    bias=following != "BN"))
            channels = filters
            size = [n + 2 * padding - dilation * (kernel - 1) for n in size]
        elif dense:
            if size:
                channels, size = channels * size[0] * size[1], ()
                layers.append(nn.Flatten())
            layers.append(nn.Linear(channels, int(dense[1])))
            channels = int(dense[1])
        elif word == "BN":
            layers.append(nn.BatchNorm2d(channels))
        elif word in ("MP2", "AP2"):
            layers.append(nn.MaxPool2d(2) if word == "MP2" else nn.AvgPool2d(2))
            size = [n // 2 for n in size]
        elif word.startswith("D"):
            layers.append(nn.Dropout(float(word[1:])))
        elif word == "tanh":
            layers.append(nn.Tanh())
        else:
            raise ValueError(f"the notation has no {word}")
        ends = (convolution or dense) and following not in ("BN", "tanh")
        if index < last and (ends or word == "BN"):
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def torch_scaled(network, mean, deviation):
    """The network behind the scaling of pixels of 0...255, which is part of the work."""
    import torch
    from torch import nn

    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network
            self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
            self.register_buffer("deviation", torch.as_tensor(deviation, dtype=torch.float32))

        def forward(self, pixels):
            return self.network((pixels - self.mean) / self.deviation)

    return Scaled()


def torch_channels(numbers):
    import torch
    return torch.tensor(numbers).reshape(-1, 1, 1)


def torch_resnet20():
    """He et al. 2015, §4.2: shortcuts of option A, which have no weights."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    def normalized(inputs, filters, stride=1):
        return nn.Sequential(nn.Conv2d(inputs, filters, 3, stride, 1, bias=False),
                             nn.BatchNorm2d(filters, eps=1e-4))

    class Block(nn.Module):
        def __init__(self, inputs, filters, stride):
            super().__init__()
            self.first, self.second = normalized(inputs, filters, stride), normalized(filters, filters)
            self.stride, self.added = stride, (filters - inputs) // 2

        def forward(self, x):
            y = self.second(F.relu(self.first(x)))
            if self.stride > 1:
                x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.added, self.added))
            return F.relu(y + x)

    layers, inputs = [normalized(3, 16), nn.ReLU()], 16
    for group, filters in enumerate((16, 32, 64)):
        for number in range(3):
            layers.append(Block(inputs, filters, 2 if group and not number else 1))
            inputs = filters
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return torch_scaled(nn.Sequential(*layers), torch.full((3, 32, 32), 120.0), [255.0])


def torch_unet():
    """Ronneberger et al. 2015 with padding, batch normalisation and exponential units."""
    import torch
    from torch import nn
    filters = [64, 128, 256, 512, 1024]

    def pair(inputs, count):
        layers = []
        for channels in (inputs, count):
            layers += [nn.Conv2d(channels, count, 3, padding=1, bias=False), nn.BatchNorm2d(count),
                       nn.ELU()]
        return nn.Sequential(*layers)

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.down = nn.ModuleList(pair(i, o) for i, o in zip([3] + filters, filters))
            self.grow = nn.ModuleList(nn.ConvTranspose2d(2 * n, n, 2, 2) for n in filters[:-1])
            self.up = nn.ModuleList(pair(2 * n, n) for n in filters[:-1])
            self.pool, self.scores = nn.MaxPool2d(2), nn.Conv2d(filters[0], 2, 1)

        def forward(self, x):
            details = []
            for index, part in enumerate(self.down):
                x = part(self.pool(x) if index else x)
                details.append(x)
            for index in reversed(range(len(self.up))):
                x = self.up[index](torch.cat([details[index], self.grow[index](x)], 1))
            return self.scores(x)

    return torch_scaled(UNet(), [127.5], [127.5])


def torch_densenet():
    """Huang et al. 2017: 40 layers that grow by 12, no bottlenecks, compression or dropout."""
    import torch
    from torch import nn

    def part(inputs, filters, kernel):
        return nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(),
                             nn.Conv2d(inputs, filters, kernel, padding=kernel // 2, bias=False))

    class Growing(nn.Module):
        def __init__(self, inputs):
            super().__init__()
            self.new = part(inputs, 12, 3)

        def forward(self, x):
            return torch.cat([x, self.new(x)], 1)

    layers, channels = [nn.Conv2d(3, 16, 3, padding=1, bias=False)], 16
    for block in range(3):
        if block:
            layers += [part(channels, channels, 1), nn.AvgPool2d(2)]
        for _ in range(12):
            layers.append(Growing(channels))
            channels += 12
    layers += [nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
               nn.Linear(channels, 10)]
    return nn.Sequential(*layers)


def torch_perceptron(width, hidden):
    from torch import nn
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))


def torch_transformer(fused):
    """A block with the normalisation before each half.

    `fused` takes the framework's own attention in the place of its formula."""
    from torch import nn
    from torch.nn import functional as F
    width, heads = 256, 4

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.entry, self.exit = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.perceptron = torch_perceptron(width, 4 * width)

        def attention(self, x):
            batch, places, _ = x.shape
            parts = self.entry(x).reshape(batch, places, 3, heads, width // heads)
            queries, keys, values = parts.permute(2, 0, 3, 1, 4)
            if fused:
                seen = F.scaled_dot_product_attention(queries, keys, values)
            else:
                scores = queries @ keys.transpose(-1, -2) / (width // heads) ** 0.5
                seen = scores.softmax(-1) @ values
            return self.exit(seen.transpose(1, 2).reshape(batch, places, width))

        def forward(self, x):
            x = x + self.attention(self.norm1(x))
            return x + self.perceptron(self.norm2(x))

    return Block()


def torch_mixer():
    from torch import nn
    patches, channels = 64, 128

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
            self.places, self.channels = torch_perceptron(patches, 256), torch_perceptron(channels, 512)

        def forward(self, x):
            x = x + self.places(self.norm1(x).transpose(1, 2)).transpose(1, 2)
            return x + self.channels(self.norm2(x))

    return Block()


# ---------------------------------------------------------------- PyTorch: steps

def torch_parts(workload, batch, fused=False):
    """The network, its input, its targets (None for forward passes), its loss and its update rule."""
    import torch
    from torch.nn import functional as F
    pixels = lambda *shape: torch.randint(0, 256, (batch, *shape)).float()
    labels = lambda *shape: torch.randint(0, 10, (batch, *shape))
    masks = lambda *shape: torch.randint(0, 2, (batch, *shape))
    if workload in CLASSIFIERS:
        shape, network, rule = CLASSIFIERS[workload]
        return (torch_notation(network, shape), torch.rand(batch, *shape), labels(),
                F.cross_entropy, rule)
    if workload in FORWARD:
        shape, network = FORWARD[workload]
        return torch_notation(network, shape), torch.rand(batch, *shape), None, None, None
    if workload in TORCHVISION:
        import torchvision
        builder, options, side, (mean, deviation) = TORCHVISION[workload]
        network = getattr(torchvision.models, builder)(weights=None, **options)
        network = torch_scaled(network, torch_channels(mean), torch_channels(deviation))
        return network, pixels(3, side, side), None, None, None
    if workload == "resnet20":
        return torch_resnet20(), pixels(3, 32, 32), labels(), F.cross_entropy, "nesterov"
    if workload == "densenet":
        return torch_densenet(), torch.rand(batch, 3, 32, 32), labels(), F.cross_entropy, "nesterov"
    if workload == "unet":
        return torch_unet(), pixels(3, 128, 128), masks(128, 128), F.cross_entropy, "adam-slow"
    if workload == "dilated":
        network, image = torch_notation(DILATED, (3, 128, 128)), torch.rand(batch, 3, 128, 128)
        return network, image, masks(128, 128), F.cross_entropy, "adam"
    if workload == "autoencoder":
        image = torch.rand(batch, 784)
        return (torch_notation(AUTOENCODER, (784,)), image, image,
                F.binary_cross_entropy_with_logits, "adam")
    network = torch_transformer(fused) if workload == "transformer" else torch_mixer()
    shape = (batch, 128, 256) if workload == "transformer" else (batch, 64, 128)
    return network, torch.randn(shape), torch.rand(shape), F.mse_loss, "adam"


def torch_step(workload, batch, threads, compiled=False, channels_last=False, fused=False):
    if channels_last and workload in WITHOUT_IMAGES:
        raise Unsupported("its network has no images")
    if fused and workload != "transformer":
        raise Unsupported("its network has no attention")
    import torch
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network, x, target, loss, rule = torch_parts(workload, batch, fused)
    if channels_last:
        network, x = (part.to(memory_format=torch.channels_last) for part in (network, x))
    if target is None:
        network.eval()
        if compiled:
            # Normalisation goes into kernels, and kernels into the library's layout.
            import torch._inductor.config
            torch._inductor.config.freezing = True
        forward = torch.compile(network) if compiled else network

        def infer():
            with torch.no_grad():
                return forward(x)
        return network, infer, lambda result: result.flatten()[0].item()

    def judged(x, target):
        return loss(network(x), target)
    judge = torch.compile(judged) if compiled else judged
    parameters = list(network.parameters())
    # One pass over each parameter, as fast as the framework has it on the CPU.
    optimizer = {
        "nesterov": lambda: torch.optim.SGD(parameters, 0.01, 0.9, nesterov=True, fused=True),
        "momentum": lambda: torch.optim.SGD(parameters, 1e-4, 0.9, fused=True),
        "adam": lambda: torch.optim.Adam(parameters, 1e-3, fused=True),
        "adam-slow": lambda: torch.optim.Adam(parameters, 1e-4, fused=True),
    }[rule]()

    def train():
        optimizer.zero_grad(set_to_none=True)
        value = judge(x, target)
        value.backward()
        optimizer.step()
        return value.item()
    return network, train, float


def torch_work(workload, batch):
    """Weights and multiply-adds of a step."""
    from torch.utils.flop_counter import FlopCounterMode
    network, step, _ = torch_step(workload, batch, 2)
    with FlopCounterMode(display=False) as counter:
        step()
    return sum(p.numel() for p in network.parameters()), counter.get_total_flops() // 2


# ---------------------------------------------------------------- JAX: dense networks and blocks

def jax_step(workload, batch, threads):
    if workload not in WITHOUT_IMAGES:
        raise Unsupported("only networks without images are written for it")
    # Read when the library starts.
    os.environ["NPROC"] = str(threads)
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax
    from jax import numpy as jnp
    keys = iter(jax.random.split(jax.random.PRNGKey(0), 32))
    tree = jax.tree_util.tree_map

    def layer(inputs, units):
        weight = jax.random.normal(next(keys), (inputs, units)) * (2 / inputs) ** 0.5
        return weight, jnp.zeros(units)

    def norm(width):
        return jnp.ones(width), jnp.zeros(width)

    def dense(p, x):
        return x @ p[0] + p[1]

    def normalized(p, x):
        centred = x - x.mean(-1, keepdims=True)
        return centred * jax.lax.rsqrt((centred ** 2).mean(-1, keepdims=True) + 1e-5) * p[0] + p[1]

    def perceptron(p, x):
        return dense(p[1], jax.nn.gelu(dense(p[0], x), approximate=False))

    def chain(p, x):
        for part in p[:-1]:
            x = jax.nn.relu(dense(part, x))
        return dense(p[-1], x)

    def transformer(p, x):
        parts = dense(p[1], normalized(p[0], x)).reshape(batch, 128, 3, 4, 64)
        queries, keys, values = parts.transpose(2, 0, 3, 1, 4)
        seen = jax.nn.softmax(queries @ keys.swapaxes(-1, -2) / 8, -1) @ values
        x = x + dense(p[2], seen.swapaxes(1, 2).reshape(batch, 128, 256))
        return x + perceptron(p[4], normalized(p[3], x))

    def mixer(p, x):
        x = x + perceptron(p[1], normalized(p[0], x).swapaxes(1, 2)).swapaxes(1, 2)
        return x + perceptron(p[3], normalized(p[2], x))

    def squared(y, target):
        return ((y - target) ** 2).mean()

    def classes(y, target):
        return -jnp.take_along_axis(jax.nn.log_softmax(y), target[:, None], 1).mean()

    def pixels(y, target):
        return (jnp.maximum(y, 0) - y * target + jnp.log1p(jnp.exp(-jnp.abs(y)))).mean()

    def adam(state, gradients):
        p, m, v, t = state
        t = t + 1
        m = tree(lambda m, g: 0.9 * m + 0.1 * g, m, gradients)
        v = tree(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradients)
        rate = 1e-3 * jnp.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t)
        return tree(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8), p, m, v), m, v, t

    def nesterov(state, gradients):
        p, v, _, t = state
        v = tree(lambda v, g: 0.9 * v - 0.01 * g, v, gradients)
        return tree(lambda p, v, g: p + 0.9 * v - 0.01 * g, p, v, gradients), v, (), t

    def sizes(text):
        units = [784] + [int(word[:-2]) for word in text.split()]
        return [layer(i, o) for i, o in zip(units, units[1:])]

    uniform = lambda *shape: jax.random.uniform(next(keys), shape)
    if workload == "mlp":
        network, parameters = chain, sizes(CLASSIFIERS["mlp"][1])
        x, target = uniform(batch, 784), jax.random.randint(next(keys), (batch,), 0, 10)
        loss, rule = classes, nesterov
    elif workload == "autoencoder":
        network, parameters, x = chain, sizes(AUTOENCODER), uniform(batch, 784)
        target, loss, rule = x, pixels, adam
    elif workload == "transformer":
        network = transformer
        parameters = [norm(256), layer(256, 768), layer(256, 256), norm(256),
                      (layer(256, 1024), layer(1024, 256))]
        x, target = jax.random.normal(next(keys), (batch, 128, 256)), uniform(batch, 128, 256)
        loss, rule = squared, adam
    else:
        network = mixer
        parameters = [norm(128), (layer(64, 256), layer(256, 64)), norm(128),
                      (layer(128, 512), layer(512, 128))]
        x, target = jax.random.normal(next(keys), (batch, 64, 128)), uniform(batch, 64, 128)
        loss, rule = squared, adam

    def update(state, x, target):
        value, gradients = jax.value_and_grad(lambda p: loss(network(p, x), target))(state[0])
        return rule(state, gradients), value
    compiled = jax.jit(update, donate_argnums=0)
    zeros = lambda: tree(jnp.zeros_like, parameters)
    state = [(parameters, zeros(), () if rule is nesterov else zeros(), jnp.float32(0))]

    def train():
        state[0], value = compiled(state[0], x, target)
        jax.block_until_ready(state[0])
        return value
    return None, train, float


# ---------------------------------------------------------------- ONNX Runtime and OpenVINO

def exported(workload, batch, folder):
    """The network as an ONNX file, and its input."""
    if workload not in FORWARD_ONLY:
        raise Unsupported("it times forward passes only")
    import onnx  # noqa: F401, which the export needs
    import torch
    torch.manual_seed(0)
    network, x, *_ = torch_parts(workload, batch)
    path = os.path.join(folder, "network.onnx")
    torch.onnx.export(network.eval(), (x,), path, input_names=["x"], output_names=["scores"],
                      opset_version=17, dynamo=False)
    return path, x.numpy()


def onnxruntime_step(workload, batch, threads, folder):
    import onnxruntime
    path, x = exported(workload, batch, folder)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return None, lambda: session.run(None, {"x": x})[0], lambda result: float(result.flat[0])


def openvino_step(workload, batch, threads, folder):
    import openvino
    path, x = exported(workload, batch, folder)
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(path, "CPU", settings).create_infer_request()
    return None, lambda: request.infer({0: x})[0], lambda result: float(result.flat[0])


# ---------------------------------------------------------------- the program

FRAMEWORKS = {
    "torch": lambda w, b, t, _: torch_step(w, b, t),
    "torch-channels-last": lambda w, b, t, _: torch_step(w, b, t, channels_last=True),
    "torch-compile": lambda w, b, t, _: torch_step(w, b, t, compiled=True),
    "torch-compile-channels-last":
        lambda w, b, t, _: torch_step(w, b, t, compiled=True, channels_last=True),
    "torch-attention": lambda w, b, t, _: torch_step(w, b, t, fused=True),
    "torch-compile-attention": lambda w, b, t, _: torch_step(w, b, t, compiled=True, fused=True),
    "jax": lambda w, b, t, _: jax_step(w, b, t),
    "onnxruntime": onnxruntime_step,
    "openvino": openvino_step,
}


def timed(step, steps, read):
    """Seconds of the first step, the median and the least of the others; first and last result."""
    def run():
        start = time.perf_counter()
        result = step()
        return time.perf_counter() - start, result
    first, result = run()
    first_result = read(result)
    for _ in range(3):
        step()
    times = []
    for _ in range(steps):
        seconds, result = run()
        times.append(seconds)
    times.sort()
    return first, times[len(times) // 2], times[0], first_result, read(result)


def memory():
    """The most that the process took, in MB; the unit is kB on Linux and bytes on macOS."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def reading(options, batch):
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        _, step, read = FRAMEWORKS[options.framework](
            options.workload, batch, options.threads, folder)
        build = time.perf_counter() - start
        first, median, shortest, first_result, last_result = timed(step, options.steps, read)
    return {"build_s": build, "first_s": first, "median_s": median, "min_s": shortest,
            "samples_per_s": batch / median, "rss_mb": memory(), "threads": options.threads,
            "first_result": first_result, "last_result": last_result}


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("framework", nargs="?", choices=list(FRAMEWORKS), metavar="FRAMEWORK",
                        help=", ".join(FRAMEWORKS))
    parser.add_argument("workload", nargs="?", choices=list(BATCHES), metavar="WORKLOAD",
                        help=", ".join(BATCHES))
    parser.add_argument("--steps", type=positive, default=20, help="steps to time")
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--batch", type=positive, help="by default the workload's")
    parser.add_argument("--work", action="store_true",
                        help="count weights and multiply-adds instead (framework torch)")
    parser.add_argument("--list", action="store_true", help="name frameworks and workloads")
    options = parser.parse_args()
    if options.list:
        print("frameworks: " + " ".join(FRAMEWORKS) + "\nworkloads:  " + " ".join(BATCHES))
        return
    if options.framework is None or options.workload is None:
        parser.error("a framework and a workload are needed; --list names them")
    if options.work and options.framework != "torch":
        parser.error("--work counts what torch does")
    # Read when the libraries start.
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(options.threads)
    batch = options.batch or BATCHES[options.workload]
    line = {"framework": options.framework, "workload": options.workload, "batch": batch}
    # One line each: `agnesi-bench peers` shows the last one.
    try:
        if options.work:
            line["weights"], line["multiply_adds"] = torch_work(options.workload, batch)
        else:
            line |= reading(options, batch)
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        sys.exit(f"peers.py: {options.framework} needs the Python package {package}: "
                 f"{sys.executable} -m pip install {package}")
    except Unsupported as error:
        sys.exit(f"peers.py: {options.framework} does not run {options.workload}: {error}")
    print(json.dumps(line))


if __name__ == "__main__":
    main()
