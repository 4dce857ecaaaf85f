"""PyTorch's eager training step, driven by one JSON line at a time on standard input."""

import ctypes
import glob
import json
import sys
import time

import numpy
import torch


def read(spec):
    return torch.from_numpy(numpy.fromfile(spec["path"], dtype=numpy.float32).reshape(spec["shape"]).copy())


def set_threads(n):
    torch.set_num_threads(n)
    # Debian's PyTorch calls OpenBLAS, which has threads of its own.
    for path in glob.glob("/usr/lib/*/libopenblas.so.0") + glob.glob("/usr/lib/*/openblas-*/libopenblas.so.0"):
        try:
            ctypes.CDLL(path).openblas_set_num_threads(n)
        except (OSError, AttributeError):
            pass


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
        set_threads(request["threads"])
    else:
        start = time.perf_counter_ns()
        for _ in range(request["calls"]):
            trainer.step()
        reply["nanoseconds"] = time.perf_counter_ns() - start
    print(json.dumps(reply), flush=True)
