#!/usr/bin/env python3
"""Writes test/fixtures/nn.json, optim.json and random.json: PyTorch's values for layers, losses and optimizers, and the
random numbers of NumPy and PyTorch.

Run with a Python that has NumPy and PyTorch (made with 1.24 and 1.13): python3 scripts/make_fixtures.py
Numbers are float64 but for the random ones. Options are named as in thalweg; PyTorch's names follow from them. Format the result with
npx biome format --write test/fixtures.
"""
import json
import math
import re
from pathlib import Path

import torch
import torch.nn.functional as F

from random_fixtures import random_numbers

torch.set_default_dtype(torch.float64)
torch.manual_seed(20)
FIXTURES = Path(__file__).resolve().parent.parent / "test" / "fixtures"


def snake(options):
    return {re.sub("[A-Z]", lambda m: "_" + m[0].lower(), name): value for name, value in options.items()}


def dump(tensor):
    return {"shape": list(tensor.shape), "data": tensor.detach().reshape(-1).tolist()}


def dump_input(tensor):
    dtype = {torch.float64: "float64", torch.int64: "int32"}[tensor.dtype]
    return {**dump(tensor), "dtype": dtype}


cases = []


def case(fn, torch_fn, tensors, frozen=(), **options):
    """One call: its value, and the gradients of Σ cotangent · value with respect to the floating tensors."""
    leaves = {
        name: value.clone().requires_grad_(value.is_floating_point() and name not in frozen)
        for name, value in tensors.items()
    }
    output = torch_fn(**leaves, **snake(options))
    cotangent = torch.cos(torch.arange(output.numel(), dtype=torch.float64)).reshape(output.shape)
    (output * cotangent).sum().backward()
    grads = {name: dump(leaf.grad) for name, leaf in leaves.items() if leaf.grad is not None}
    cases.append(
        {
            "fn": fn,
            "tensors": {name: dump_input(value) for name, value in tensors.items()},
            "options": options,
            "output": dump(output),
            "cotangent": dump(cotangent),
            "grads": grads,
        }
    )


def losses():
    logits, labels = torch.randn(4, 3) * 2, torch.tensor([2, 0, 1, 2])
    weight = torch.tensor([0.3, 1.7, 0.6])
    for reduction in ["mean", "sum", "none"]:
        for smoothing in [0.0, 0.1]:
            for ignore in [-100, 2]:
                for weights in [{}, {"weight": weight}]:
                    case(
                        "crossEntropy", F.cross_entropy, {"input": logits, "target": labels, **weights}, ["weight"],
                        reduction=reduction, labelSmoothing=smoothing, ignoreIndex=ignore,
                    )
        probabilities = torch.softmax(torch.randn(4, 3), 1)
        for smoothing in [0.0, 0.2]:
            for weights in [{}, {"weight": weight}]:
                case(
                    "crossEntropy", F.cross_entropy, {"input": logits, "target": probabilities, **weights},
                    ["weight", "target"], reduction=reduction, labelSmoothing=smoothing,
                )
        images, positions = torch.randn(2, 3, 2, 2), torch.tensor([[[0, 1], [2, 2]], [[1, 1], [0, -100]]])
        case("crossEntropy", F.cross_entropy, {"input": images, "target": positions}, reduction=reduction)
        case(
            "nllLoss", F.nll_loss, {"input": images.log_softmax(1), "target": positions, "weight": weight},
            ["weight"], reduction=reduction,
        )
        case("nllLoss", F.nll_loss, {"input": logits.log_softmax(1), "target": labels}, reduction=reduction, ignoreIndex=0)
    case("crossEntropy", F.cross_entropy, {"input": logits[0], "target": labels[0]}, labelSmoothing=0.1)

    x, y = torch.randn(3, 4) * 2, torch.randn(3, 4) * 2
    binary, positive = (torch.rand(3, 4) > 0.5).double(), torch.tensor([0.5, 1.0, 2.0, 3.0])
    factors = torch.rand(3, 1) + 0.5
    for reduction in ["mean", "sum", "none"]:
        case("mseLoss", F.mse_loss, {"input": x, "target": y}, reduction=reduction)
        case("l1Loss", F.l1_loss, {"input": x, "target": y}, reduction=reduction)
        case("huberLoss", F.huber_loss, {"input": x, "target": y}, reduction=reduction, delta=0.7)
        case("smoothL1Loss", F.smooth_l1_loss, {"input": x, "target": y}, reduction=reduction, beta=0.7)
        case("smoothL1Loss", F.smooth_l1_loss, {"input": x, "target": y}, reduction=reduction, beta=0.0)
        for extra in [{}, {"weight": factors}, {"pos_weight": positive}, {"weight": factors, "pos_weight": positive}]:
            case(
                "binaryCrossEntropyWithLogits", F.binary_cross_entropy_with_logits,
                {"input": x * 10, "target": binary, **extra}, ["target", *extra], reduction=reduction,
            )


def layers():
    x = torch.tensor([-30.0, -3.0, -1.0, -0.3, 0.4, 1.0, 2.5, 12.0, 30.0])
    case("relu", F.relu, {"input": x})
    case("leakyRelu", F.leaky_relu, {"input": x}, negativeSlope=0.2)
    case("sigmoid", torch.sigmoid, {"input": x})
    case("tanh", torch.tanh, {"input": x})
    case("silu", F.silu, {"input": x})
    case("gelu", F.gelu, {"input": x}, approximate="none")
    case("gelu", F.gelu, {"input": x}, approximate="tanh")
    case("softplus", F.softplus, {"input": x}, beta=1.0, threshold=20.0)
    case("softplus", F.softplus, {"input": x}, beta=2.5, threshold=5.0)
    table = torch.randn(2, 3, 4)
    for axis in [0, 1, -1]:
        case("softmax", lambda input, axis: F.softmax(input, axis), {"input": table}, axis=axis)
        case("logSoftmax", lambda input, axis: F.log_softmax(input, axis), {"input": table}, axis=axis)
    weight, bias = torch.randn(5, 4), torch.randn(5)
    for input in [torch.randn(3, 4), torch.randn(2, 3, 4), torch.randn(4)]:
        case("linear", F.linear, {"input": input, "weight": weight, "bias": bias})
    case("linear", F.linear, {"input": table, "weight": weight})
    for shape in [[4], [3, 4]]:
        affine = {"weight": torch.randn(shape), "bias": torch.randn(shape)}
        norm = lambda input, normalized_shape, weight=None, bias=None, eps=1e-5: F.layer_norm(
            input, normalized_shape, weight, bias, eps
        )
        case("layerNorm", norm, {"input": table, **affine}, normalizedShape=shape, eps=1e-5)
        case("layerNorm", norm, {"input": table}, normalizedShape=shape, eps=0.1)
    case(
        "embedding", lambda input, weight, padding_idx=None: F.embedding(input, weight, padding_idx),
        {"input": torch.tensor([[1, 4, 1], [0, 2, 2]]), "weight": torch.randn(5, 2)},
    )
    case(
        "embedding", lambda input, weight, padding_idx=None: F.embedding(input, weight, padding_idx),
        {"input": torch.tensor([[1, 4, 1], [0, 2, 2]]), "weight": torch.randn(5, 2)}, paddingIdx=-1,
    )


def batch_norm_run(module, batches, **options):
    """Three training batches, the last differentiated, then one evaluated; and the state dict in the end."""
    for batch in batches[:2]:
        module(batch)
    x = batches[2].clone().requires_grad_()
    trained = module(x)
    cotangent = torch.cos(torch.arange(trained.numel(), dtype=torch.float64)).reshape(trained.shape)
    (trained * cotangent).sum().backward()
    module.eval()
    parameters = {name: dump(p.grad) for name, p in module.named_parameters()}
    return {
        "options": options,
        "channels": module.num_features,
        "batches": [dump(batch) for batch in batches],
        "cotangent": dump(cotangent),
        "trained": dump(trained),
        "grads": {"input": dump(x.grad), **parameters},
        "evaluated": dump(module(batches[0])),
        "state": {name: dump(tensor) for name, tensor in module.state_dict().items()},
    }


def batch_norms():
    runs = []
    for options in [{}, {"momentum": None, "eps": 0.1}, {"affine": False, "momentum": 0.4}, {"trackRunningStats": False}]:
        for shape in [(4, 3), (2, 3, 5)]:
            module = torch.nn.BatchNorm1d(3, **snake(options))
            if module.affine:
                torch.nn.init.normal_(module.weight)
                torch.nn.init.normal_(module.bias)
            initial = {name: dump(p) for name, p in module.named_parameters()}
            run = batch_norm_run(module, [torch.randn(shape) * 2 + 1 for _ in range(3)], **options)
            runs.append({**run, "initial": initial})
    return runs


def gains():
    torch_names = {"leakyRelu": "leaky_relu"}
    values = {
        name: torch.nn.init.calculate_gain(torch_names.get(name, name))
        for name in ["linear", "sigmoid", "tanh", "relu", "leakyRelu", "selu"]
    }
    fans = [
        {"shape": shape, "fans": torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))}
        for shape in [[5, 7], [4, 3, 2], [4, 3, 5, 2]]
    ]
    return {"gains": values, "leakyRelu of 0.3": torch.nn.init.calculate_gain("leaky_relu", 0.3), "fans": fans}


STEPS = 20
KEPT = [1, 2, 3, STEPS]


def trajectory(name, **options):
    """Σ (c θ²/2 + sin θ) over two parameters, minimized or maximized: the parameters after some steps."""
    start = [torch.linspace(-2, 3, 6).reshape(2, 3), torch.linspace(1, -1.5, 4)]
    curvature = [torch.linspace(0.1, 2, 6).reshape(2, 3), torch.linspace(3, 0.5, 4)]
    parameters = [p.clone().requires_grad_() for p in start]
    optimizer = getattr(torch.optim, name)(parameters, **snake(options))
    kept = {}
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        sum((c * p * p / 2 + torch.sin(p)).sum() for p, c in zip(parameters, curvature)).backward()
        optimizer.step()
        if step in KEPT:
            kept[step] = [dump(p) for p in parameters]
    state = {
        str(index): {
            key: value.item() if key == "step" else dump(value) for key, value in entry.items() if value is not None
        }
        for index, entry in optimizer.state_dict()["state"].items()
    }
    return {
        "optimizer": name,
        "options": options,
        "start": [dump(p) for p in start],
        "curvature": [dump(c) for c in curvature],
        "kept": kept,
        "state": {index: entry for index, entry in state.items() if entry},
    }


def trajectories():
    return [
        trajectory("SGD", lr=0.1),
        trajectory("SGD", lr=0.1, weightDecay=0.2),
        trajectory("SGD", lr=0.05, momentum=0.9),
        trajectory("SGD", lr=0.05, momentum=0.9, dampening=0.9),
        trajectory("SGD", lr=0.05, momentum=0.8, weightDecay=0.1, nesterov=True),
        trajectory("SGD", lr=0.01, momentum=0.5, maximize=True, weightDecay=0.1),
        trajectory("SGD", lr=0.01, maximize=True, weightDecay=0.1),
        trajectory("Adam", lr=0.1),
        trajectory("Adam", lr=0.6, betas=[0.7, 0.8], eps=0.01, weightDecay=0.3),
        trajectory("Adam", lr=0.1, maximize=True, weightDecay=0.1),
        trajectory("AdamW", lr=0.1),
        trajectory("AdamW", lr=0.2, betas=[0.8, 0.95], eps=0.001, weightDecay=0.5, maximize=True),
    ]


def norms():
    """The norm before clipping and the gradients after it, for norms above and below the bound."""
    grads = [torch.tensor([3.0, -4.0]), torch.tensor([[12.0], [0.5]])]
    results = []
    for max_norm in [1.0, 100.0]:
        for norm_type in [1.0, 2.0, 3.0, math.inf]:
            parameters = [torch.zeros_like(g, requires_grad=True) for g in grads]
            for p, g in zip(parameters, grads):
                p.grad = g.clone()
            total = torch.nn.utils.clip_grad_norm_(parameters, max_norm, norm_type)
            results.append(
                {
                    "maxNorm": max_norm,
                    "normType": "Infinity" if norm_type == math.inf else norm_type,
                    "total": total.item(),
                    "grads": [dump(p.grad) for p in parameters],
                }
            )
    return {"grads": [dump(g) for g in grads], "results": results}


def write(name, content):
    FIXTURES.mkdir(parents=True, exist_ok=True)
    (FIXTURES / name).write_text(json.dumps(content, separators=(",", ":")) + "\n")


losses()
layers()
write("nn.json", {"cases": cases, "batchNorm": batch_norms(), "init": gains(), "clipGradNorm": norms()})
write("optim.json", trajectories())
write("random.json", random_numbers())
