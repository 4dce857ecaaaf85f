"""The random numbers of NumPy and PyTorch that lib/random repeats: sessions of draws from one seed, in their order.

A draw is named as in thalweg. Short results are written out, long ones as SHA-256 of their bytes (little-endian) and
their last values; integers of 64 bits are strings. Normal numbers of float64 depend on the C library: made with glibc
2.36 (Debian 12) on x86-64 with FMA, NumPy 1.24 and PyTorch 1.13.
"""
import hashlib
import math

import numpy as np
import torch
from mpmath import mp, mpf

SHORT = 20
LAST = 4


def listed(array):
    return [str(x) for x in array.tolist()] if array.dtype == np.int64 else array.tolist()


class Session:
    """Draws from one generator; `draw` takes what thalweg is asked for and what the original gave."""

    def __init__(self, algorithm, seed):
        self.content = {"algorithm": algorithm, "seed": str(seed), "draws": []}

    def draw(self, call, args, array, **options):
        flat = np.ascontiguousarray(array).reshape(-1)
        entry = {"call": call, "args": args, "options": options}
        if flat.size <= SHORT:
            entry["values"] = listed(flat)
        else:
            entry["sha256"] = hashlib.sha256(flat.tobytes()).hexdigest()
            entry["last"] = listed(flat[-LAST:])
        self.content["draws"].append(entry)

    def integers(self, draw, ranges, size):
        for low, high in ranges:
            fits = -(2**31) <= low and high <= 2**31
            dtype = "int32" if fits else "int64"
            array = np.asarray(draw(low, high, size)).astype(dtype)
            self.draw("integers", [str(low), str(high), [size]], array, dtype=dtype)


NARROW = [(0, 10), (5, 6), (-7, 1000), (0, 2**28 - 1)]
WIDE = [(0, 2**32 + 1), (-(2**63), 2**63 - 1), (10, 2**62 + 5)]
# Between these, PyTorch has changed how many bits it takes.
ALL_WORDS = [(0, 2**31 - 1), (-(2**31), 2**31), (0, 2**32)]


def numpy_legacy(seed):
    rng, session = np.random.RandomState(seed), Session("numpy-legacy", seed)
    draw = session.draw
    draw("uniform", [[4]], rng.rand(4), dtype="float64")
    draw("normal", [[3, 5]], rng.randn(3, 5), dtype="float64")
    draw("uniform", [[2, 3]], rng.rand(2, 3).astype(np.float32), dtype="float32")
    draw("normal", [[5001]], rng.randn(5001), dtype="float64")
    draw("normal", [[401]], rng.randn(401).astype(np.float32), dtype="float32")
    draw("uniform", [[7]], rng.uniform(-2.5, 0.3, 7), dtype="float64", low=-2.5, high=0.3)
    draw("normal", [[7]], rng.normal(1.7, 0.3, 7), dtype="float64", mean=1.7, std=0.3)
    session.integers(lambda *args: rng.randint(*args, dtype=np.int64), NARROW + ALL_WORDS + WIDE, 9)
    draw("permutation", [1], rng.permutation(1).astype(np.int32))
    draw("permutation", [1000], rng.permutation(1000).astype(np.int32))
    items = np.arange(10, dtype=np.int32)
    rng.shuffle(items)
    draw("shuffle", [10], items)
    draw("dropoutMask", [[50], 0.3], (rng.rand(50) < 1 - 0.3) / (1 - 0.3), dtype="float64")
    draw("uniform", [[]], np.asarray(rng.rand()), dtype="float64")
    state = rng.get_state(legacy=False)
    cached = state["gauss"] if state["has_gauss"] else None
    session.content["state"] = {"position": state["state"]["pos"], "cached": cached}
    return session.content


def pcg64(seed):
    rng, session = np.random.default_rng(seed), Session("pcg64", seed)
    draw, single = session.draw, np.float32
    draw("uniform", [[3]], rng.random(3, dtype=single), dtype="float32")
    draw("uniform", [[2, 3]], rng.random((2, 3)), dtype="float64")
    draw("normal", [[3, 5]], rng.standard_normal((3, 5)), dtype="float64")
    draw("normal", [[3, 5]], rng.standard_normal((3, 5), dtype=single), dtype="float32")
    draw("normal", [[20001]], rng.standard_normal(20001), dtype="float64")
    draw("normal", [[20001]], rng.standard_normal(20001, dtype=single), dtype="float32")
    draw("uniform", [[7]], rng.uniform(-2.5, 0.3, 7), dtype="float64", low=-2.5, high=0.3)
    scaled = single(-2.5) + single(0.3 + 2.5) * rng.random(9, dtype=single)
    draw("uniform", [[9]], scaled, dtype="float32", low=-2.5, high=0.3)
    draw("normal", [[7]], rng.normal(1.7, 0.3, 7), dtype="float64", mean=1.7, std=0.3)
    scaled = single(1.7) + single(0.3) * rng.standard_normal(9, dtype=single)
    draw("normal", [[9]], scaled, dtype="float32", mean=1.7, std=0.3)
    session.integers(rng.integers, NARROW + ALL_WORDS + WIDE, 9)
    draw("permutation", [1], rng.permutation(1).astype(np.int32))
    draw("permutation", [1000], rng.permutation(1000).astype(np.int32))
    items = np.arange(10, dtype=np.int32)
    rng.shuffle(items)
    draw("shuffle", [10], items)
    draw("dropoutMask", [[50], 0.3], (rng.random(50) < 1 - 0.3) / (1 - 0.3), dtype="float64")
    draw("uniform", [[]], np.asarray(rng.random()), dtype="float64")
    state = rng.bit_generator.state
    session.content["state"] = {
        "state": str(state["state"]["state"]),
        "increment": str(state["state"]["inc"]),
        "buffered": state["uinteger"] if state["has_uint32"] else None,
    }
    return session.content


def pytorch(seed):
    g, session = torch.Generator(), Session("torch", seed)
    g.manual_seed(seed if seed < 2**63 else seed - 2**64)
    f32, f64 = torch.float32, torch.float64

    def draw(call, args, tensor, **options):
        session.draw(call, args, tensor.numpy(), **options)

    draw("uniform", [[3]], torch.rand(3, generator=g, dtype=f32), dtype="float32")
    draw("uniform", [[2, 3]], torch.rand(2, 3, generator=g, dtype=f64), dtype="float64")
    draw("normal", [[3]], torch.randn(3, generator=g, dtype=f32), dtype="float32")
    draw("normal", [[4, 4]], torch.randn(4, 4, generator=g, dtype=f32), dtype="float32")
    draw("normal", [[2]], torch.randn(2, generator=g, dtype=f32), dtype="float32")
    draw("normal", [[19]], torch.randn(19, generator=g, dtype=f32), dtype="float32")
    draw("normal", [[40003]], torch.randn(40003, generator=g, dtype=f32), dtype="float32")
    draw("normal", [[19]], torch.randn(19, generator=g, dtype=f64), dtype="float64")
    draw("normal", [[7]], torch.randn(7, generator=g, dtype=f64), dtype="float64")
    for dtype, torch_dtype in [("float32", f32), ("float64", f64)]:
        empty = torch.empty(1000, dtype=torch_dtype)
        uniform = empty.clone().uniform_(-0.3, 0.41, generator=g)
        draw("uniform", [[1000]], uniform, dtype=dtype, low=-0.3, high=0.41)
        mask = empty.clone().bernoulli_(1 - 0.15, generator=g).div_(1 - 0.15)
        draw("dropoutMask", [[1000], 0.15], mask, dtype=dtype)
    for size in [5, 1000]:
        normal = torch.empty(size, dtype=f32).normal_(1.7, 0.3, generator=g)
        draw("normal", [[size]], normal, dtype="float32", mean=1.7, std=0.3)
    session.integers(lambda low, high, size: torch.randint(low, high, (size,), generator=g), NARROW + WIDE, 9)
    draw("permutation", [1], torch.randperm(1, generator=g).int())
    draw("permutation", [1000], torch.randperm(1000, generator=g).int())
    draw("uniform", [[]], torch.rand((), generator=g, dtype=f32), dtype="float32")
    return session.content


def linear():
    """A layer made after manual_seed(7), and the orders of two epochs of a shuffling loader."""
    torch.manual_seed(7)
    layer = torch.nn.Linear(7, 5, dtype=torch.float32)
    loader = torch.utils.data.DataLoader(list(range(12)), batch_size=12, shuffle=True)
    epochs = [next(iter(loader)).tolist() for _ in range(2)]
    weight, bias = (p.detach().reshape(-1).tolist() for p in (layer.weight, layer.bias))
    return {"seed": 7, "weight": weight, "bias": bias, "epochs": epochs}


def functions():
    """ln, exp, sin and cos rounded correctly, and the C library's ln and ln(1 + x)."""
    rng = np.random.RandomState(3)
    u = rng.rand(40).tolist() + [2.0**-k for k in (1, 2, 20, 21, 30, 53)] + [1 - 2.0**-k for k in (5, 20, 21, 29, 30, 53)]
    near = [c + s * 2.0**-k for c in (0.5, 0.75, 0.875) for s in (-1, 1) for k in (22, 23, 25, 30, 40)]
    mp.prec = 200
    angles = [2 * math.pi * x for x in u]
    return {
        "log": [[x, float(mp.log(mpf(x)))] for x in u],
        "exp": [[-7 * x, float(mp.exp(mpf(-7 * x)))] for x in u],
        "sin": [[x, float(mp.sin(mpf(x)))] for x in angles],
        "cos": [[x, float(mp.cos(mpf(x)))] for x in angles],
        "libmLog": [[x, math.log(x)] for x in u + [1 + k / 937 for k in range(1, 70)]],
        "libmLog1p": [[-x, math.log1p(-x)] for x in u + near],
    }


def random_numbers():
    return {
        "functions": functions(),
        "sessions": [
            *(numpy_legacy(seed) for seed in [0, 42, 2**32 - 1]),
            *(pcg64(seed) for seed in [0, 42, 2**64 - 1, 2**130 + 12345]),
            *(pytorch(seed) for seed in [0, 42, 2**32 + 7, 2**64 - 1]),
        ],
        "linear": linear(),
    }
