"""PyTorch, behind the same protocol as the JavaScript peers (see ../client.mjs). Models are those of nablaModels.mjs."""

import json
import os
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

FEWEST_WARM_UPS = 3
WARM_UP_MS = 500


def matmul(spec):
    a, b = torch.randn(spec["size"], spec["size"]), torch.randn(spec["size"], spec["size"])
    return lambda: torch.matmul(a, b)


def chain(spec):
    x, a, b = (torch.randn(spec["size"]) for _ in range(3))
    return lambda: torch.relu(x * a + b) + torch.tanh(x)


def total(spec):
    x = torch.randn(spec["size"])
    return lambda: x.sum()


def softmax(spec):
    x = torch.randn(spec["rows"], spec["columns"])
    return lambda: torch.softmax(x, -1)


def layer_norm(spec):
    layer = nn.LayerNorm(spec["columns"])
    x = torch.randn(spec["rows"], spec["columns"], requires_grad=True)
    upstream = torch.randn(spec["rows"], spec["columns"])
    return lambda: torch.autograd.grad(layer(x), [x, layer.weight, layer.bias], upstream)


def training(model, x, y, optimizer):
    def step():
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step


def inferring(model, x):
    model.eval()

    def infer():
        with torch.no_grad():
            model(x)

    return infer


def mlp(spec):
    sizes = spec["sizes"]
    layers = []
    for before, after in zip(sizes, sizes[1:]):
        layers += [nn.Linear(before, after), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    x = torch.rand(spec["batch"], sizes[0])
    y = torch.randint(sizes[-1], (spec["batch"],))
    return training(model, x, y, torch.optim.Adam(model.parameters(), lr=1e-3))


def cnn(spec):
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10),
    )
    x = torch.rand(spec["batch"], 1, 28, 28)
    y = torch.randint(10, (spec["batch"],))
    return training(model, x, y, torch.optim.Adam(model.parameters(), lr=1e-3))


class Lstm(nn.Module):
    def __init__(self, spec):
        super().__init__()
        self.cell = nn.LSTM(spec["inputs"], spec["hidden"], batch_first=True)
        self.last = nn.Linear(spec["hidden"], spec["outputs"])

    def forward(self, x):
        return self.last(self.cell(x)[0][:, -1])


def lstm(spec):
    model = Lstm(spec)
    x = torch.rand(spec["batch"], spec["steps"], spec["inputs"])
    y = torch.randint(spec["outputs"], (spec["batch"],))
    return training(model, x, y, torch.optim.Adam(model.parameters(), lr=1e-3))


class Block(nn.Module):
    def __init__(self, width, heads, context):
        super().__init__()
        self.heads = heads
        self.before_attention = nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.before_feed = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 4 * width)
        self.contract = nn.Linear(4 * width, width)
        self.register_buffer("hidden", torch.triu(torch.full((context, context), float("-inf")), 1))

    def forward(self, x):
        x = x + self.join(self.attend(self.before_attention(x)))
        return x + self.contract(F.gelu(self.expand(self.before_feed(x)), approximate="tanh"))

    def attend(self, x):
        batch, length, width = x.shape
        q, k, v = (
            part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for part in self.project(x).chunk(3, -1)
        )
        if hasattr(F, "scaled_dot_product_attention"):
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = q @ k.transpose(-2, -1) * (width // self.heads) ** -0.5 + self.hidden
            mixed = torch.softmax(scores, -1) @ v
        return mixed.transpose(1, 2).reshape(batch, length, width)


class Gpt(nn.Module):
    def __init__(self, spec):
        super().__init__()
        width, context = spec["width"], spec["context"]
        self.tokens = nn.Embedding(spec["vocabulary"], width)
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, spec["heads"], context) for _ in range(spec["layers"])))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, spec["vocabulary"], bias=False)

    def forward(self, tokens):
        return self.head(self.norm(self.blocks(self.tokens(tokens) + self.positions.weight))).flatten(0, 1)


def gpt(spec):
    model = Gpt(spec)
    shape = (spec["batch"], spec["context"])
    x = torch.randint(spec["vocabulary"], shape)
    if not spec["train"]:
        return inferring(model, x)
    y = torch.randint(spec["vocabulary"], shape).flatten()
    return training(model, x, y, torch.optim.AdamW(model.parameters(), lr=1e-3))


class GeneratingBlock(Block):
    """A block that sees one more position at each call, with keys and values of all earlier ones in memory."""

    def __init__(self, width, heads, context):
        super().__init__(width, heads, context)
        self.keys = torch.zeros(1, heads, context, width // heads)
        self.values = torch.zeros(1, heads, context, width // heads)
        self.place = 0

    def attend(self, x):
        width = x.shape[-1]
        q, k, v = (part.view(1, 1, self.heads, -1).transpose(1, 2) for part in self.project(x).chunk(3, -1))
        here, end = self.place, self.place + 1
        self.keys[:, :, here:end] = k
        self.values[:, :, here:end] = v
        seen, values = self.keys[:, :, :end], self.values[:, :, :end]
        if hasattr(F, "scaled_dot_product_attention"):
            mixed = F.scaled_dot_product_attention(q, seen, values)
        else:
            mixed = torch.softmax(q @ seen.transpose(-2, -1) * (width // self.heads) ** -0.5, -1) @ values
        return mixed.transpose(1, 2).reshape(1, 1, width)


def generate(spec):
    width, context = spec["width"], spec["context"]
    model = Gpt(spec).eval()
    blocks = [GeneratingBlock(width, spec["heads"], context) for _ in range(spec["layers"])]

    def step():
        token = 1
        with torch.inference_mode():
            for place in range(spec["tokens"]):
                x = model.tokens(torch.tensor([[token]])) + model.positions.weight[place]
                for block in blocks:
                    block.place = place
                    x = block(x)
                token = model.head(model.norm(x)).argmax(-1).item()

    return step


def convolution(before, after, stride, size=3):
    return nn.Conv2d(before, after, size, stride=stride, padding=size // 2, bias=False)


class Residual(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.inner = nn.Sequential(
            convolution(before, after, stride), nn.BatchNorm2d(after), nn.ReLU(),
            convolution(after, after, 1), nn.BatchNorm2d(after),
        )
        same = before == after and stride == 1
        shortcut = [] if same else [convolution(before, after, stride, 1), nn.BatchNorm2d(after)]
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x):
        return torch.relu(self.inner(x) + self.shortcut(x))


def resnet(spec):
    layers = [convolution(3, 64, 2, 7), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    before = 64
    for after in (64, 128, 256, 512):
        layers += [Residual(before, after, 1 if after == 64 else 2), Residual(after, after, 1)]
        before = after
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, spec["classes"]))
    x = torch.rand(spec["batch"], 3, spec["size"], spec["size"])
    if spec["train"]:
        y = torch.randint(spec["classes"], (spec["batch"],))
        return training(model, x, y, torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9))
    return inferring(model, x)


BUILDERS = {
    "matmul": matmul, "chain": chain, "sum": total, "softmax": softmax, "layerNorm": layer_norm, "mlp": mlp,
    "cnn": cnn, "lstm": lstm, "gpt": gpt, "generate": generate, "resnet": resnet,
}


def timed(step):
    before = time.perf_counter()
    step()
    return (time.perf_counter() - before) * 1000


class Peer:
    step = None

    def __init__(self, builders):
        self.builders = builders

    def open(self, message):
        torch.manual_seed(1)
        torch.set_num_threads(message["threads"])
        return {"version": torch.__version__, "threads": torch.get_num_threads(), "notes": []}

    def prepare(self, message):
        build = self.builders.get(message["spec"]["kind"])
        if build is None:
            return {"skipped": "has no such case"}
        self.step = build(message["spec"])
        until = time.perf_counter() + message.get("warmUpMs", WARM_UP_MS) / 1000
        count = 0
        while count < FEWEST_WARM_UPS or time.perf_counter() < until:
            latest = timed(self.step)
            count += 1
        return {"ms": latest}

    def run(self, message):
        for _ in range(message.get("settle", 0)):
            self.step()
        return {"ms": [timed(self.step) for _ in range(message["runs"])]}

    def finish(self, _message):
        self.step = None
        return {"info": {}}


def serve(builders):
    peer = Peer(builders)
    answers = os.fdopen(3, "w")
    for line in sys.stdin:
        message = json.loads(line)
        try:
            answer = getattr(peer, message["command"])(message)
        except Exception as error:  # whatever happened is this case's result, and the next case goes on
            answer = {"error": str(error).split("\n")[0]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve(BUILDERS)
