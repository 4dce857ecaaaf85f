"""PyTorch's side of the benchmark, driven by one JSON line at a time on standard input.

prepare  makes a case ready and calls it once; the outputs are written to files
threads  sets the threads of PyTorch and of its BLAS
run      calls it so many times and says how long that took
images   keeps labelled images for `fit`, as floats in [0, 1]
fit      trains on them until the accuracy on those for tests is reached, and says how long that took
"""

import ctypes
import json
import os
import sys
import time

import numpy
import torch

functional = torch.nn.functional


def read(spec):
    array = numpy.fromfile(spec["path"], dtype=spec["dtype"]).reshape(spec["shape"])
    return torch.from_numpy(array.copy())


def set_threads(threads, blas):
    """Sets both; Debian's PyTorch calls whatever BLAS the system has, and OpenBLAS has threads of its own."""
    torch.set_num_threads(threads)
    with open("/proc/self/maps") as maps:
        loaded = {line.split()[-1] for line in maps if "blas" in line}
    for path in loaded:
        try:
            ctypes.CDLL(path).openblas_set_num_threads(blas)
            return "OpenBLAS"
        except (OSError, AttributeError):
            pass
    return "reference BLAS (apt-get install libopenblas0-pthread for a fair one)"


# Each gives the call and the outputs by name. Results go into arrays that stay, where PyTorch allows it.


def unary(function):
    def prepare(inputs, _request):
        x = inputs["x"]
        y = torch.empty_like(x)
        return lambda: function(x, out=y), {"y": y}

    return prepare


def add(inputs, _request):
    a, b = inputs["a"], inputs["b"]
    y = torch.empty_like(a)
    return lambda: torch.add(a, b, out=y), {"y": y}


def total(inputs, _request):
    x, y = inputs["x"], torch.empty(1)
    return lambda: torch.sum(x, 0, keepdim=True, out=y), {"y": y}


def softmax(inputs, _request):
    x = inputs["x"]
    y = torch.empty_like(x)
    return lambda: torch.ops.aten._softmax.out(x, 1, False, out=y), {"y": y}


def cross_entropy(inputs, _request):
    x, labels = inputs["x"], inputs["labels"].long()
    loss = torch.empty(len(labels))

    def call():
        loss.set_(functional.cross_entropy(x, labels, reduction="none"))

    return call, {"loss": loss}


def optimizer(make):
    def prepare(inputs, request):
        parameter = torch.nn.Parameter(inputs["param"])
        parameter.grad = inputs["grad"]
        return make([parameter]).step, {"param": parameter.detach()}

    return prepare


def make_model(request):
    """A fully connected network with the parameters that were sent, and its optimizer."""
    tensors = [read(spec) for spec in request["parameters"]]
    layers = []
    for weight, bias in zip(tensors[::2], tensors[1::2]):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            linear.weight.copy_(weight)
            linear.bias.copy_(bias)
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    rule = torch.optim.Adam if request["optimizer"] == "adam" else torch.optim.SGD
    return model, rule(model.parameters(), lr=request["lr"])


def train_step(model, rule, x, y):
    rule.zero_grad(set_to_none=True)
    loss = functional.cross_entropy(model(x), y)
    loss.backward()
    rule.step()
    return loss.item()


def train(inputs, request):
    model, rule = make_model(request)
    x, y = inputs["x"], inputs["labels"].long()
    return lambda: train_step(model, rule, x, y), {}


def labelled(inputs, part):
    images = inputs[part + "_images"].flatten(1).float() / 255
    return images, inputs[part + "_labels"].long()


def fit(request):
    """Evaluates after each epoch; that counts as time of its own."""
    (x, y), (test_x, test_y) = images
    model, rule = make_model(request)
    torch.manual_seed(request["seed"])
    accuracies, seconds, evaluation = [], 0.0, 0.0
    while len(accuracies) < request["mostEpochs"]:
        start = time.perf_counter()
        for rows in torch.randperm(len(x)).split(request["batch"]):
            train_step(model, rule, x[rows], y[rows])
        middle = time.perf_counter()
        with torch.no_grad():
            right = (model(test_x).argmax(1) == test_y).sum().item()
            accuracies.append(right / len(test_y))
        seconds += middle - start
        evaluation += time.perf_counter() - middle
        if accuracies[-1] >= request["accuracy"]:
            break
    return {"seconds": seconds, "evaluation": evaluation, "accuracies": accuracies}


PREPARE = {
    "exp": unary(torch.exp),
    "tanh": unary(torch.tanh),
    "sigmoid": unary(torch.sigmoid),
    "gelu": unary(torch._C._nn.gelu),
    "add": add,
    "sum": total,
    "softmax": softmax,
    "cross_entropy": cross_entropy,
    # The loop over tensors, which is the fastest of its forms on a processor for a single large tensor.
    "adam": optimizer(lambda parameters: torch.optim.Adam(parameters, lr=1e-3)),
    "sgd": optimizer(lambda parameters: torch.optim.SGD(parameters, lr=1e-3)),
    "train": train,
}


def prepare(request):
    inputs = {name: read(spec) for name, spec in request["inputs"].items()}
    call, outputs = PREPARE[request["kind"]](inputs, request)
    if request["kind"] == "train":
        return call, {"losses": [call() for _ in range(request["verifiedSteps"])]}
    call()
    paths = {}
    for name, output in outputs.items():
        paths[name] = os.path.join(request["folder"], "output_" + name)
        output.numpy().tofile(paths[name])
    return call, {"outputs": paths}


def run(calls):
    start = time.perf_counter_ns()
    for _ in range(calls):
        call()
    return time.perf_counter_ns() - start


call = None
images = None
for line in sys.stdin:
    request = json.loads(line)
    reply = {}
    try:
        if request["command"] == "version":
            reply["version"] = torch.__version__
        elif request["command"] == "prepare":
            call, reply = prepare(request)
        elif request["command"] == "threads":
            reply["library"] = set_threads(request["threads"], request["blas"])
        elif request["command"] == "images":
            arrays = {name: read(spec) for name, spec in request["inputs"].items()}
            images = labelled(arrays, "train"), labelled(arrays, "test")
        elif request["command"] == "fit":
            reply = fit(request)
        else:
            reply["nanoseconds"] = run(request["calls"])
    except Exception as error:
        reply["error"] = f"{type(error).__name__}: {error}"
    print(json.dumps(reply), flush=True)
