#!/usr/bin/env python3
"""Writes PyTorch's values for layers, losses, optimizers and schedulers to test/fixtures/ (nn.json, optim.json,
optim_long.json, optim_resumed.json, lbfgs.json, schedulers.json), and the random numbers of NumPy and PyTorch
(random.json).

Run with a Python that has NumPy and PyTorch (made with 1.24 and 1.13): python3 scripts/make_fixtures.py
Numbers are float64 but for the random ones. Options are named as in thalweg; PyTorch's names follow from them.
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
LONG_STEPS = 200
LONG_KEPT = [1, 10, 60, LONG_STEPS]


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, algorithm 2; PyTorch has none."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, maximize=False):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay, maximize=maximize))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            lr, (b1, b2) = group["lr"], group["betas"]
            for p in group["params"]:
                g = -p.grad if group["maximize"] else p.grad
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                p.mul_(1 - lr * group["weight_decay"])
                p.sub_(lr * torch.sign(b1 * m + (1 - b1) * g))
                m.copy_(b2 * m + (1 - b2) * g)


class Muon(torch.optim.Optimizer):
    """Jordan et al. 2024, in float64, with AdamW's rule for what is no matrix; later versions of PyTorch have it."""

    def __init__(self, params, lr=1e-3, momentum=0.95, nesterov=True, weight_decay=0.1, ns_steps=5, adjust_lr="original"):
        options = dict(lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)
        super().__init__(params, dict(options, ns_steps=ns_steps, adjust_lr=adjust_lr))

    @staticmethod
    def orthogonal(x, steps):
        a, b, c = 3.4445, -4.775, 2.0315
        x = x / max(x.norm().item(), 1e-7)
        for _ in range(steps):
            gram = x @ x.T
            x = a * x + (b * gram + c * gram @ gram) @ x
        return x

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            lr, beta, decay = group["lr"], group["momentum"], group["weight_decay"]
            for p in group["params"]:
                state = self.state[p]
                if p.ndim != 2:
                    state["step"] = state.get("step", 0) + 1
                    m = state.setdefault("exp_avg", torch.zeros_like(p))
                    v = state.setdefault("exp_avg_sq", torch.zeros_like(p))
                    p.mul_(1 - lr * decay)
                    m.copy_(0.9 * m + 0.1 * p.grad)
                    v.copy_(0.999 * v + 0.001 * p.grad**2)
                    k = state["step"]
                    p.sub_(lr * (m / (1 - 0.9**k)) / ((v / (1 - 0.999**k)).sqrt() + 1e-8))
                    continue
                u = state.setdefault("momentum_buffer", torch.zeros_like(p))
                u.copy_(beta * u + (1 - beta) * p.grad)
                d = beta * u + (1 - beta) * p.grad if group["nesterov"] else u
                rows, columns = p.shape
                # Along the longer side too: X X^T X = X (X^T X).
                ratio = math.sqrt(max(1, rows / columns))
                if group["adjust_lr"] != "original":
                    ratio = 0.2 * math.sqrt(max(rows, columns))
                p.mul_(1 - lr * decay)
                p.sub_(lr * ratio * self.orthogonal(d, group["ns_steps"]))


OWN_RULES = {"Lion": Lion, "Muon": Muon}


def trajectory(name, steps=STEPS, at=KEPT, **options):
    """Σ (c θ²/2 + sin θ) over two parameters, minimized or maximized: the parameters after some steps."""
    start = [torch.linspace(-2, 3, 6).reshape(2, 3), torch.linspace(1, -1.5, 4)]
    curvature = [torch.linspace(0.1, 2, 6).reshape(2, 3), torch.linspace(3, 0.5, 4)]
    parameters = [p.clone().requires_grad_() for p in start]
    rule = OWN_RULES.get(name) or getattr(torch.optim, name)
    # 1.13's loop over single tensors multiplies NAdam's product by mu twice; its other path, and later versions, do not.
    path = {"foreach": True} if name == "NAdam" else {}
    optimizer = rule(parameters, **snake(options), **path)
    kept = {}
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        sum((c * p * p / 2 + torch.sin(p)).sum() for p, c in zip(parameters, curvature)).backward()
        optimizer.step()
        if step in at:
            kept[step] = [dump(p) for p in parameters]
    number = lambda value: value.item() if isinstance(value, torch.Tensor) else value
    state = {
        str(index): {
            key: number(value) if key in ("step", "mu_product") else dump(value)
            for key, value in entry.items()
            if value is not None
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


def long_trajectories():
    long = lambda name, **options: trajectory(name, LONG_STEPS, LONG_KEPT, **options)
    return [
        long("SGD", lr=0.05, momentum=0.9, nesterov=True),
        long("Adam", lr=0.05, amsgrad=True, betas=[0.6, 0.9]),
        long("AdamW", lr=0.05, amsgrad=True, betas=[0.6, 0.9], weightDecay=0.1),
        long("NAdam", lr=0.05),
        long("NAdam", lr=0.02, betas=[0.8, 0.95], eps=0.01, weightDecay=0.1, momentumDecay=0.02),
        long("RAdam", lr=0.05),
        long("RAdam", lr=0.03, betas=[0.8, 0.9], eps=0.01, weightDecay=0.1),
        long("Adamax", lr=0.05),
        long("Adamax", lr=0.02, betas=[0.8, 0.95], eps=0.001, weightDecay=0.1, maximize=True),
        long("Adagrad", lr=0.5),
        long("Adagrad", lr=0.1, lrDecay=0.01, weightDecay=0.1, initialAccumulatorValue=0.3, eps=0.01, maximize=True),
        long("Adadelta"),
        long("Adadelta", lr=0.5, rho=0.7, eps=0.01, weightDecay=0.1),
        long("RMSprop", lr=0.01),
        long("RMSprop", lr=0.01, momentum=0.8, alpha=0.9, eps=0.01),
        long("RMSprop", lr=0.01, centered=True, weightDecay=0.1, eps=0.1),
        long("RMSprop", lr=0.01, centered=True, momentum=0.5, alpha=0.9, eps=0.1, maximize=True),
        long("Lion", lr=0.01, weightDecay=0.1),
        long("Lion", lr=0.01, betas=[0.5, 0.7], maximize=True),
        long("Muon", lr=0.01),
        long("Muon", lr=0.01, momentum=0.8, nesterov=False, weightDecay=0.0, nsSteps=3, adjustLr="matchRmsAdamW"),
    ]


def plain(value):
    """A state dict as JSON: tensors, of any place, as in `dump`."""
    if isinstance(value, torch.Tensor):
        return dump(value)
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def resumed(name, options, **torch_options):
    """A state dict just as PyTorch writes it after some steps, and where the next steps lead from there."""
    curvature = [torch.linspace(0.1, 2, 6).reshape(2, 3), torch.linspace(3, 0.5, 4)]
    parameters = [
        p.requires_grad_() for p in (torch.linspace(-2, 3, 6).reshape(2, 3), torch.linspace(1, -1.5, 4))
    ]
    optimizer = getattr(torch.optim, name)(parameters, **{**snake(options), **torch_options})

    def closure():
        optimizer.zero_grad()
        loss = sum((c * p * p / 2 + torch.sin(p)).sum() for p, c in zip(parameters, curvature))
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    state_dict = plain(optimizer.state_dict())
    before = [dump(p) for p in parameters]
    for _ in range(3):
        optimizer.step(closure)
    after = [dump(p) for p in parameters]
    shared = {"optimizer": name, "curvature": [dump(c) for c in curvature]}
    return {**shared, "stateDict": state_dict, "before": before, "after": after}


def resumptions():
    return [
        resumed("SGD", {"lr": 0.1}),
        resumed("SGD", {"lr": 0.05, "momentum": 0.9, "weightDecay": 0.1, "nesterov": True}),
        resumed("Adam", {"lr": 0.1, "amsgrad": True, "betas": [0.8, 0.9]}),
        resumed("AdamW", {"lr": 0.1}),
        resumed("NAdam", {"lr": 0.1}, foreach=True),
        resumed("RAdam", {"lr": 0.1}),
        resumed("Adamax", {"lr": 0.1}),
        resumed("Adagrad", {"lr": 0.5, "lrDecay": 0.1, "initialAccumulatorValue": 0.3}),
        resumed("Adadelta", {"rho": 0.7}),
        resumed("RMSprop", {"centered": True, "momentum": 0.5}),
        resumed("LBFGS", {"maxIter": 2}, line_search_fn="strong_wolfe"),
    ]


def rosenbrock(x):
    """Σ 100(x₂ − x₁²)² + (1 − x₁)² over neighbours."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def lbfgs_run(start, steps, **options):
    x = torch.tensor(start, requires_grad=True)
    search = {"line_search_fn": "strong_wolfe"} if options.get("lineSearch") else {}
    torch_options = {key: value for key, value in options.items() if key != "lineSearch"}
    optimizer = torch.optim.LBFGS([x], **snake(torch_options), **search)

    def closure():
        optimizer.zero_grad()
        loss = rosenbrock(x)
        loss.backward()
        return loss

    points, losses = [], []
    for _ in range(steps):
        losses.append(optimizer.step(closure).item())
        points.append(x.tolist())
    (state,) = optimizer.state_dict()["state"].values()
    counts = {"n_iter": state["n_iter"], "func_evals": state["func_evals"]}
    return {"start": start, "options": options, "losses": losses, "points": points, **counts}


def lbfgs():
    return [
        lbfgs_run([-1.2, 1.0], 6, lineSearch="strongWolfe", maxIter=4),
        lbfgs_run([-1.2, 1.0, -0.5, 0.8], 8, lineSearch="strongWolfe", maxIter=5, historySize=3),
        lbfgs_run([0.5, 0.5, 0.5], 10, lr=0.1, maxIter=3),
        lbfgs_run([-1.2, 1.0], 1, lineSearch="strongWolfe", maxIter=100),
    ]


def schedule(name, steps=25, optimizer="SGD", **options):
    """The rates of two groups, from epoch 0 on, and the momentum where it is cycled."""
    parameters = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    groups = [{"params": [parameters[0]]}, {"params": [parameters[1]], "lr": 0.02}]
    made = getattr(torch.optim, optimizer)(groups, lr=0.1)
    scheduler = build_scheduler(name, made, options)
    rates, momenta = [], []
    for _ in range(steps):
        rates.append([group["lr"] for group in made.param_groups])
        momenta.append(made.param_groups[0].get("momentum", made.param_groups[0].get("betas", [0])[0]))
        made.step()
        scheduler.step()
    extra = {"momenta": momenta} if name == "OneCycleLR" else {}
    return {"scheduler": name, "optimizer": optimizer, "options": options, "rates": rates, **extra}


def build_scheduler(name, optimizer, options):
    torch_names = {"tMax": "T_max", "t0": "T_0", "tMult": "T_mult"}
    if name in ("SequentialLR", "ChainedScheduler"):
        parts = [build_scheduler(part["scheduler"], optimizer, part["options"]) for part in options["schedulers"]]
        if name == "ChainedScheduler":
            return torch.optim.lr_scheduler.ChainedScheduler(parts)
        return torch.optim.lr_scheduler.SequentialLR(optimizer, parts, options["milestones"])
    renamed = {torch_names.get(key, key): value for key, value in options.items()}
    kept = {key: value for key, value in renamed.items() if key in torch_names.values()}
    rest = snake({key: value for key, value in renamed.items() if key not in kept})
    return getattr(torch.optim.lr_scheduler, name)(optimizer, **kept, **rest)


def part(scheduler, **options):
    return {"scheduler": scheduler, "options": options}


def schedules():
    return [
        schedule("StepLR", stepSize=4, gamma=0.3),
        schedule("MultiStepLR", milestones=[3, 7, 7, 12], gamma=0.4),
        schedule("ExponentialLR", gamma=0.9),
        schedule("ConstantLR"),
        schedule("ConstantLR", factor=0.7, totalIters=8),
        schedule("LinearLR"),
        schedule("LinearLR", startFactor=0.9, endFactor=0.1, totalIters=12),
        schedule("PolynomialLR", totalIters=14, power=2.5),
        schedule("CosineAnnealingLR", tMax=9, etaMin=0.01),
        schedule("CosineAnnealingLR", tMax=40),
        schedule("CosineAnnealingWarmRestarts", t0=4),
        schedule("CosineAnnealingWarmRestarts", t0=3, tMult=2, etaMin=0.005),
        schedule("OneCycleLR", maxLr=0.3, totalSteps=25),
        schedule("OneCycleLR", 24, "Adam", maxLr=[0.3, 0.1], epochs=4, stepsPerEpoch=6, annealStrategy="linear", threePhase=True),
        schedule(
            "SequentialLR",
            schedulers=[part("LinearLR", startFactor=0.1, totalIters=4), part("CosineAnnealingLR", tMax=12), part("ExponentialLR", gamma=0.8)],
            milestones=[4, 16],
        ),
        schedule("ChainedScheduler", schedulers=[part("ConstantLR", factor=0.1, totalIters=3), part("ExponentialLR", gamma=0.9)]),
    ]


def plateaus():
    """The rates after each of a row of losses."""
    losses = [3, 2, 1.5, 1.5, 1.49999, 1.6, 1.4, 1.4, 1.4, 1.4, 1.4, 1.4, 1.2, 1.3, 1.3, 1.3, 1.3, 1.3]
    results = []
    for options in [
        {"patience": 1},
        {"patience": 2, "cooldown": 2, "factor": 0.5, "minLr": 0.01},
        {"patience": 0, "thresholdMode": "abs", "threshold": 0.05},
        {"patience": 1, "mode": "max", "minLr": [0.05, 0.001]},
    ]:
        parameters = [torch.zeros(1, requires_grad=True) for _ in range(2)]
        optimizer = torch.optim.SGD([{"params": [parameters[0]]}, {"params": [parameters[1]], "lr": 0.02}], lr=0.1)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **snake(options))
        rates = []
        for loss in losses:
            scheduler.step(loss)
            rates.append([group["lr"] for group in optimizer.param_groups])
        results.append({"options": options, "rates": rates})
    return {"losses": losses, "results": results}


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
write("optim_long.json", long_trajectories())
write("optim_resumed.json", resumptions())
write("lbfgs.json", lbfgs())
write("schedulers.json", {"schedules": schedules(), "plateaus": plateaus()})
