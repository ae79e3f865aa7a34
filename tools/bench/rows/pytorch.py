"""PyTorch's side of the bench of row kernels (see cases.mjs), behind the protocol of ../client.mjs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "peers"))

import torch
import torch.nn.functional as F
from pytorch import serve


def tensors(*shapes):
    return [torch.randn(shape) for shape in shapes]


def unary(function):
    def build(spec):
        (x,) = tensors(spec["shape"])
        return lambda: function(x)

    return build


def cross_entropy(spec):
    rows, columns = spec["shape"]
    x = torch.randn(rows, columns, requires_grad=True)
    y = torch.randint(columns, (rows,))
    return lambda: torch.autograd.grad(F.cross_entropy(x, y), [x])


def layer_norm(spec):
    rows, columns = spec["shape"]
    x, weight, bias = tensors((rows, columns), columns, columns)
    return lambda: F.layer_norm(x, (columns,), weight, bias)


def layer_norm_training(spec):
    rows, columns = spec["shape"]
    sources = [x.requires_grad_() for x in tensors((rows, columns), columns, columns)]
    upstream = torch.randn(rows, columns)
    return lambda: torch.autograd.grad(F.layer_norm(sources[0], (columns,), *sources[1:]), sources, upstream)


def rms_norm(spec):
    rows, columns = spec["shape"]
    x, weight = tensors((rows, columns), columns)
    return lambda: x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-6) * weight


def chain(spec):
    x, a, b = tensors(spec["shape"], spec["shape"], spec["shape"])
    return lambda: torch.relu(x * a + b) + torch.tanh(x)


def adam(spec):
    weight = torch.nn.Parameter(torch.randn(spec["shape"]))
    weight.grad = torch.randn(spec["shape"])
    return torch.optim.Adam([weight], lr=1e-3).step


def add_columns(spec):
    x, b = tensors(spec["shape"], spec["shape"][1:])
    return lambda: x + b


def add_rows(spec):
    x, b = tensors(spec["shape"], (spec["shape"][0], 1))
    return lambda: x + b


def add_transposed(spec):
    x, z = tensors(spec["shape"], spec["shape"][::-1])
    return lambda: x + z.T


def scale_and_shift(spec):
    rows, columns = spec["shape"]
    x, a, b, c, d = tensors((rows, columns), columns, columns, (rows, 1), (rows, 1))
    return lambda: (x - c) * d * a + b


def where(spec):
    x, y = tensors(spec["shape"], spec["shape"])
    return lambda: torch.where(x > 0, x, y * 0.1)


def embedding(spec):
    rows, columns = spec["shape"]
    table, x = torch.randn(4096, columns), torch.randint(4096, (rows,))
    return lambda: F.embedding(x, table)


def embedding_training(spec):
    rows, columns = spec["shape"]
    table, x = torch.randn(4096, columns, requires_grad=True), torch.randint(4096, (rows,))
    upstream = torch.randn(rows, columns)
    return lambda: torch.autograd.grad(F.embedding(x, table), [table], upstream)


def copied(spec):
    (x,) = tensors(spec["shape"])
    return lambda: x.clone()


def of_positive(function):
    def build(spec):
        x = torch.randn(spec["shape"]).abs() + 1e-3
        return lambda: function(x)

    return build


def power(spec):
    x, y = tensors(spec["shape"], spec["shape"])
    x = x.abs() + 1e-3
    return lambda: torch.pow(x, y)


FUNCTIONS = ["exp", "expm1", "tanh", "sigmoid", "erf", "log", "log1p", "sin", "cos", "sqrt", "rsqrt"]

BUILDERS = {
    "softmax": unary(lambda x: torch.softmax(x, -1)),
    "logSoftmax": unary(lambda x: torch.log_softmax(x, -1)),
    "crossEntropy": cross_entropy,
    "layerNorm": layer_norm,
    "layerNormTraining": layer_norm_training,
    "rmsNorm": rms_norm,
    "sum": unary(lambda x: x.sum()),
    "chain": chain,
    "adam": adam,
    "columnSums": unary(lambda x: x.sum(0)),
    "batchStatistics": unary(lambda x: torch.var_mean(x, (0, 2, 3), unbiased=False)),
    "addColumns": add_columns,
    "addRows": add_rows,
    "addTransposed": add_transposed,
    "scaleAndShift": scale_and_shift,
    "argmax": unary(lambda x: x.argmax(-1)),
    "where": where,
    "toInteger": unary(lambda x: (x * 100).int()),
    "maxPool": unary(lambda x: F.max_pool2d(x, 2)),
    "maxPool3": unary(lambda x: F.max_pool2d(x, 3, stride=2, padding=1)),
    "avgPool": unary(lambda x: F.avg_pool2d(x, 2)),
    "dropout": unary(lambda x: F.dropout(x, 0.5)),
    "rand": lambda spec: lambda: torch.rand(spec["shape"]),
    "randn": lambda spec: lambda: torch.randn(spec["shape"]),
    "embedding": embedding,
    "embeddingTraining": embedding_training,
    "cumsum": unary(lambda x: x.cumsum(-1)),
    "sort": unary(lambda x: x.argsort(-1)),
    "upload": copied,
    "download": copied,
    "f:gelu": of_positive(F.gelu),
    "f:geluTanh": of_positive(lambda x: F.gelu(x, approximate="tanh")),
    "f:pow": power,
    **{f"f:{name}": of_positive(getattr(torch, name)) for name in FUNCTIONS},
}

serve(BUILDERS)
