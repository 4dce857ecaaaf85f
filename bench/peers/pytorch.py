"""PyTorch's eager training step, driven by one JSON line at a time on standard input."""

import ctypes
import json
import sys
import time

import numpy
import torch


def read(spec):
    return torch.from_numpy(numpy.fromfile(spec["path"], dtype=numpy.float32).reshape(spec["shape"]).copy())


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
    return "reference BLAS: apt-get install libopenblas0-pthread for a fair one"


class Trainer:
    def __init__(self, request):
        tensors = [read(spec) for spec in request["parameters"]]
        layers = []
        for weight, bias in zip(tensors[::2], tensors[1::2]):
            linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
            with torch.no_grad():
                linear.weight.copy_(weight)
                linear.bias.copy_(bias)
            layers += [linear, torch.nn.ReLU()]
        self.model = torch.nn.Sequential(*layers[:-1])
        parameters = self.model.parameters()
        adam = request["optimizer"] == "adam"
        self.optimizer = torch.optim.Adam(parameters, lr=1e-3) if adam else torch.optim.SGD(parameters, lr=0.1)
        self.x = read(request["x"])
        self.y = torch.tensor(request["labels"])

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(self.model(self.x), self.y)
        loss.backward()
        self.optimizer.step()
        return loss.item()


trainer = None
for line in sys.stdin:
    request = json.loads(line)
    reply = {}
    if request["command"] == "prepare":
        trainer = Trainer(request)
        reply["losses"] = [trainer.step() for _ in range(request["verify"])]
    elif request["command"] == "threads":
        reply["library"] = set_threads(request["threads"], request["blas"])
    else:
        start = time.perf_counter_ns()
        for _ in range(request["calls"]):
            trainer.step()
        reply["nanoseconds"] = time.perf_counter_ns() - start
    print(json.dumps(reply), flush=True)
