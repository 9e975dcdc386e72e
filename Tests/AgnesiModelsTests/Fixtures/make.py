"""Writes zoo.json: activations of PyTorch's networks with weights from a counter-based generator.

Run in an environment with torch, torchvision and numpy: python make.py

Only activations are kept; GeneratedWeights.swift draws the same weights by the same generator. The
generator is Philox 4x32 with ten rounds (Salmon et al., 2011) with a key made of seed and name.
"""
import json
import math
import os
import sys
import types

import numpy as np
import torch
import torch.nn as nn
import torchvision.models as models

SEED = 5
SAMPLES = 40


def philox(key, blocks):
    """Four uint32 words for each of the counters 0..<blocks, in order."""
    mask = np.uint64(0xFFFFFFFF)
    index = np.arange(blocks, dtype=np.uint64)
    c0, c1 = index & mask, index >> np.uint64(32)
    c2 = c3 = np.zeros(blocks, np.uint64)
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        first, second = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (
            (second >> np.uint64(32)) ^ c1 ^ np.uint64(k0),
            second & mask,
            (first >> np.uint64(32)) ^ c3 ^ np.uint64(k1),
            first & mask,
        )
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], 1).reshape(-1)


def philox_at(key, low, high):
    """The words at one counter; the key of a stream is made of them."""
    c = [low & 0xFFFFFFFF, low >> 32, high & 0xFFFFFFFF, high >> 32]
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        first, second = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [(second >> 32) ^ c[1] ^ k0, second & 0xFFFFFFFF, (first >> 32) ^ c[3] ^ k1, first & 0xFFFFFFFF]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


def stream(name, count):
    """Numbers in 0..<1 for a name."""
    hashed = 0xCBF29CE484222325
    for byte in name.encode():
        hashed = ((hashed ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    words = philox_at(SEED, hashed, 0x41676E657369)
    return philox(words[0] | words[1] << 32, (count + 3) // 4)[:count].astype(np.float64) / 2**32


def drawn(name, shape):
    """Weights by He's rule, positive scales and variances, small biases and means."""
    values = stream(name, int(np.prod(shape))).reshape(shape)
    if len(shape) > 1:
        # Below He's deviation, so that sums of many residual blocks stay small.
        return (2 * values - 1) * math.sqrt(6 / np.prod(shape[1:]))
    if name.endswith("running_var"):
        return 0.5 + values
    if name.endswith("weight"):
        return 0.25 + 0.75 * values
    return 0.2 * values - 0.1


def fill(module):
    state = module.state_dict()
    for name, value in state.items():
        if not name.endswith("num_batches_tracked"):
            value.copy_(torch.from_numpy(drawn(name, tuple(value.shape)).astype(np.float32)))
    return module.double().eval()


def torch_scaled(x):
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    return (x / 255 - mean.reshape(3, 1, 1)) / deviation.reshape(3, 1, 1)


def vgg_scaled(x):
    return x[:, ::-1] - np.array([103.939, 116.779, 123.68]).reshape(3, 1, 1)


class NIN(nn.Module):
    """Network in network for CIFAR-10, with Caffe's layer names."""

    def __init__(self):
        super().__init__()
        channels = 3
        for name, filters, kernel in [
            ("conv1", 192, 5), ("cccp1", 160, 1), ("cccp2", 96, 1), ("conv2", 192, 5), ("cccp3", 192, 1),
            ("cccp4", 192, 1), ("conv3", 192, 3), ("cccp5", 192, 1), ("cccp6", 10, 1),
        ]:
            setattr(self, name, nn.Conv2d(channels, filters, kernel, padding=kernel // 2))
            channels = filters

    def forward(self, x):
        for name, layer in self.named_children():
            x = torch.relu(layer(x))
            if name == "cccp2":
                x = nn.functional.max_pool2d(x, 3, 2, ceil_mode=True)
            if name == "cccp4":
                x = nn.functional.avg_pool2d(x, 3, 2, ceil_mode=True)
        return x.mean((2, 3))


class Pair(nn.Module):
    """Two convolutions, each normalised, each followed by the exponential unit."""

    def __init__(self, channels, filters):
        super().__init__()
        for name, count in [("conv1", channels), ("conv2", filters)]:
            layer = nn.Conv2d(count, filters, 3, padding=1, bias=False)
            layer.norm = nn.BatchNorm2d(filters)
            setattr(self, name, layer)

    def forward(self, x):
        for layer in [self.conv1, self.conv2]:
            x = nn.functional.conv2d(x, layer.weight, padding=1)
            x = nn.functional.elu(layer.norm(x))
        return x


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        filters = [64, 128, 256, 512, 1024]
        for level, count in enumerate(filters, 1):
            setattr(self, f"down{level}", Pair(3 if level == 1 else count // 2, count))
        for level in range(1, 5):
            setattr(self, f"grow{level}", nn.ConvTranspose2d(2 * filters[level - 1], filters[level - 1], 2, 2))
            setattr(self, f"up{level}", Pair(2 * filters[level - 1], filters[level - 1]))
        self.scores = nn.Conv2d(64, 2, 1)

    def forward(self, x):
        details = []
        for level in range(1, 6):
            if level > 1:
                x = nn.functional.max_pool2d(x, 2)
            x = getattr(self, f"down{level}")(x)
            details.append(x)
        for level in range(4, 0, -1):
            x = getattr(self, f"grow{level}")(x)
            x = getattr(self, f"up{level}")(torch.cat([details[level - 1], x], 1))
        return self.scores(x)


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc3, self.fc4, self.fc5 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = nn.functional.avg_pool2d(torch.tanh(self.conv1(x)), 2)
        x = nn.functional.avg_pool2d(torch.tanh(self.conv2(x)), 2).flatten(1)
        return self.fc5(torch.tanh(self.fc4(torch.tanh(self.fc3(x)))))


class LeNetCaffe(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 20, 5), nn.Conv2d(20, 50, 5)
        self.ip1, self.ip2 = nn.Linear(800, 500), nn.Linear(500, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.conv1(x), 2)
        x = nn.functional.max_pool2d(self.conv2(x), 2).flatten(1)
        return self.ip2(torch.relu(self.ip1(x)))


class GoogLeNet(nn.Module):
    """The authors' GoogLeNet, with Caffe's layer names."""

    def __init__(self):
        super().__init__()
        self.add("conv1/7x7_s2", 3, 64, 7, 2)
        self.add("conv2/3x3_reduce", 64, 64, 1)
        self.add("conv2/3x3", 64, 192, 3)
        self.parts, channels = [], 192
        for name, (a, b, c, d, e, f) in {
            "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
            "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64),
            "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
            "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128),
            "5b": (384, 192, 384, 48, 128, 128),
        }.items():
            for part, inputs, filters, kernel in [
                ("1x1", channels, a, 1), ("3x3_reduce", channels, b, 1), ("3x3", b, c, 3),
                ("5x5_reduce", channels, d, 1), ("5x5", d, e, 5), ("pool_proj", channels, f, 1),
            ]:
                self.add(f"inception_{name}/{part}", inputs, filters, kernel)
            self.parts.append(name)
            channels = a + c + e + f
        self.add_module("loss3/classifier", nn.Linear(channels, 1000))
        self.lrn = nn.LocalResponseNorm(5, 1e-4, 0.75, 1)

    def add(self, name, inputs, filters, kernel, stride=1):
        self.add_module(name, nn.Conv2d(inputs, filters, kernel, stride, kernel // 2))

    def run(self, x, name):
        return torch.relu(self.get_submodule(name)(x))

    def forward(self, x):
        pool = lambda x: nn.functional.max_pool2d(x, 3, 2, ceil_mode=True)
        x = self.lrn(pool(self.run(x, "conv1/7x7_s2")))
        x = pool(self.lrn(self.run(self.run(x, "conv2/3x3_reduce"), "conv2/3x3")))
        for name in self.parts:
            if name in ("4a", "5a"):
                x = pool(x)
            one = self.run(x, f"inception_{name}/1x1")
            three = self.run(self.run(x, f"inception_{name}/3x3_reduce"), f"inception_{name}/3x3")
            five = self.run(self.run(x, f"inception_{name}/5x5_reduce"), f"inception_{name}/5x5")
            pooled = nn.functional.max_pool2d(x, 3, 1, 1)
            x = torch.cat([one, three, five, self.run(pooled, f"inception_{name}/pool_proj")], 1)
        return self.get_submodule("loss3/classifier")(x.mean((2, 3)))


class SqueezeNet(nn.Module):
    """The authors' SqueezeNet 1.0, with Caffe's layer names: its last convolution pads single pixels."""

    def __init__(self):
        super().__init__()
        self.add_module("conv1", nn.Conv2d(3, 96, 7, 2))
        channels = 96
        for number, (narrow, wide) in enumerate(
                [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)], 2):
            self.add_module(f"fire{number}/squeeze1x1", nn.Conv2d(channels, narrow, 1))
            self.add_module(f"fire{number}/expand1x1", nn.Conv2d(narrow, wide, 1))
            self.add_module(f"fire{number}/expand3x3", nn.Conv2d(narrow, wide, 3, padding=1))
            channels = 2 * wide
        self.add_module("conv10", nn.Conv2d(channels, 1000, 1, padding=1))

    def forward(self, x):
        run = lambda name, x: torch.relu(self.get_submodule(name)(x))
        x = run("conv1", x)
        for number in range(2, 10):
            if number in (2, 5, 9):
                x = nn.functional.max_pool2d(x, 3, 2, ceil_mode=True)
            x = run(f"fire{number}/squeeze1x1", x)
            x = torch.cat([run(f"fire{number}/expand1x1", x), run(f"fire{number}/expand3x3", x)], 1)
        return run("conv10", x).mean((2, 3))


class CIFARResNet(nn.Module):
    """Residual network of 6n + 2 layers, shortcuts of option A; the names are ours."""

    def __init__(self, blocks):
        super().__init__()
        self.blocks = blocks
        self.add("conv1.conv", 3, 16, 1)
        channels = 16
        for group, filters in enumerate([16, 32, 64], 1):
            for number in range(1, blocks + 1):
                stride = 2 if group > 1 and number == 1 else 1
                self.add(f"group{group}_block{number}.conv1", channels, filters, stride)
                self.add(f"group{group}_block{number}.conv2", filters, filters, 1)
                channels = filters
        self.fc = nn.Linear(64, 10)

    def add(self, name, inputs, filters, stride):
        layer = nn.Conv2d(inputs, filters, 3, stride, 1, bias=False)
        layer.norm = nn.BatchNorm2d(filters, eps=1e-4)
        part, last = name.split(".")
        if not hasattr(self, part):
            setattr(self, part, nn.Module())
        setattr(getattr(self, part), last, layer)

    def run(self, layer, x):
        return layer.norm(nn.functional.conv2d(x, layer.weight, stride=layer.stride, padding=1))

    def forward(self, x):
        x = torch.relu(self.run(self.conv1.conv, x))
        for group in range(1, 4):
            for number in range(1, self.blocks + 1):
                block = getattr(self, f"group{group}_block{number}")
                y = self.run(block.conv2, torch.relu(self.run(block.conv1, x)))
                if y.shape != x.shape:
                    more = (y.shape[1] - x.shape[1]) // 2
                    x = nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, more, more))
                x = torch.relu(x + y)
        return self.fc(x.mean((2, 3)))


def first_inception():
    """Inception-v3 as Lasagne has it: means leave padding out, the last module pools by the largest."""
    network = models.inception_v3(num_classes=1008, aux_logits=False, init_weights=False)
    mean = lambda x, *_, **__: nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    largest = lambda x, *_, **__: nn.functional.max_pool2d(x, 3, 1, 1)

    def pooling(function):
        """Torchvision's modules pool by a function that they look up in their file."""
        names = types.SimpleNamespace(**{**vars(nn.functional), "avg_pool2d": function})
        return lambda *_: setattr(models.inception, "F", names)

    network.register_forward_pre_hook(pooling(mean))
    network.Mixed_7c.register_forward_pre_hook(pooling(largest))
    network.register_forward_hook(lambda *_: setattr(models.inception, "F", nn.functional))
    return network


def efficientnet():
    from efficientnet_lite_pytorch import EfficientNet

    return EfficientNet.from_name("efficientnet-lite0")


def original_resnet():
    """ResNet-50 as its authors trained it: a bias, other strides, pooling with partial windows."""
    network = models.resnet50()
    network.conv1 = nn.Conv2d(3, 64, 7, 2, 3)
    network.maxpool = nn.MaxPool2d(3, 2, ceil_mode=True)
    for stage in [network.layer2, network.layer3, network.layer4]:
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    return network


def caffe_scaled(x):
    return x[:, ::-1] - np.array([104, 117, 123]).reshape(3, 1, 1)


def centred(middle, deviation):
    return lambda x: (x - middle) / deviation


def resnet(name):
    return getattr(models, name)(), 224, torch_scaled, {"conv1": "relu", "stage2_block1": "layer2.0"}, "fc"


def networks():
    """Name here: the module, its input's size, its scaling, layers here and there, the last layer."""
    for name in ["resnet18", "resnet34", "resnet50", "resnet101"]:
        yield name, *resnet(name)
    yield "efficientnet-lite0", efficientnet(), 224, centred(127, 128), {"block3": "_blocks.2"}, "_fc"
    yield "squeezenet1.0", SqueezeNet(), 227, caffe_scaled, {}, None
    yield "squeezenet1.0-torchvision", models.squeezenet1_0(), 224, torch_scaled, {"fire5": "features.7"}, None
    yield "squeezenet1.1", models.squeezenet1_1(), 224, torch_scaled, {"fire5": "features.7"}, None
    yield "mobilenet-v2", models.mobilenet_v2(), 224, torch_scaled, {"block4": "features.4"}, "classifier.1"
    yield "googlenet", models.googlenet(aux_logits=False, init_weights=False), 224, centred(127.5, 127.5), {
        "conv2": "conv3", "inception4a": "inception4a"}, "fc"
    yield "googlenet-caffe", GoogLeNet(), 224, caffe_scaled, {}, "loss3/classifier"
    yield "resnet50-caffe", original_resnet(), 224, vgg_scaled, {"stage2_block1": "layer2.0"}, "fc"
    yield "inception-v3", models.inception_v3(aux_logits=False, init_weights=False), 299, centred(
        127.5, 127.5), {"mixed5d": "Mixed_5d", "mixed6a": "Mixed_6a", "mixed7b": "Mixed_7b"}, "fc"
    yield "inception-v3-lasagne", first_inception(), 299, centred(128, 128), {
        "mixed5d": "Mixed_5d", "mixed7c": "Mixed_7c"}, "fc"
    yield "vgg16", models.vgg16(), 224, vgg_scaled, {"conv3_3": "features.15"}, "classifier.6"
    yield "vgg16-torchvision", models.vgg16(), 224, torch_scaled, {"conv3_3": "features.15"}, "classifier.6"
    yield "vgg19-torchvision", models.vgg19(), 224, torch_scaled, {"conv3_4": "features.17"}, "classifier.6"
    yield "vgg19", models.vgg19(), 224, vgg_scaled, {"conv1_2": "features.3"}, "classifier.6"
    yield "lenet5", LeNet5(), 28, centred(0, 255), {}, "fc5"
    yield "lenet-caffe", LeNetCaffe(), 28, centred(0, 256), {}, "ip2"
    yield "unet", UNet(), 64, centred(127.5, 127.5), {"down5": "down5", "grow4": "grow4"}, None
    mean = np.load(os.environ["AGNESI_TEST_DATA"] + "/cifar10/train_mean_3x32x32.npy")
    yield "cifar-resnet20", CIFARResNet(3), 32, lambda x: x / 255 - mean, {}, "fc"
    yield "nin-cifar10", NIN(), 32, lambda x: x - 255 * mean, {}, None


def sampled(value):
    """As many values as are kept, evenly over all, and the largest magnitude."""
    flat = value.detach().numpy().reshape(-1)
    places = [i * len(flat) // min(SAMPLES, len(flat)) for i in range(min(SAMPLES, len(flat)))]
    return {
        "shape": list(value.shape), "largest": float(f"{abs(flat).max():.7g}"),
        "values": [float(f"{flat[i]:.7g}") for i in places],
    }


def keep(seen, name, value):
    """Notes a layer's first output. (What a hook returns would replace the value.)"""
    seen.setdefault(name, sampled(value))


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "zoo.json")
    result = {"seed": SEED, "networks": {}}
    # Names as arguments: only these are made anew.
    if len(sys.argv) > 1:
        with open(path) as file:
            result = json.load(file)
    for name, module, size, scaling, layers, last in networks():
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        channels = 1 if size == 28 else 3
        fill(module)
        seen = {}
        for ours, theirs in layers.items():
            module.get_submodule(theirs).register_forward_hook(
                lambda _, __, out, ours=ours: keep(seen, ours, out))
        if last:
            module.get_submodule(last).register_forward_pre_hook(
                lambda _, inputs: keep(seen, "features", inputs[0]))
        pixels = 255 * stream("pixels", channels * size * size).reshape(1, channels, size, size)
        scaled = np.ascontiguousarray(scaling(pixels.astype(np.float32).astype(np.float64)))
        with torch.no_grad():
            seen["logits"] = sampled(module(torch.from_numpy(scaled)))
        result["networks"][name] = {"size": size, "outputs": seen}
        print(name, {key: value["largest"] for key, value in seen.items()}, flush=True)
    with open(path, "w") as file:
        json.dump(result, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
