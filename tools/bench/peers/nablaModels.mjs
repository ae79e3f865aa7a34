// The models of the cases, as a user of Nabla would write them.
import { nabla } from './nablaPackage.mjs'

const { Module, Linear, Conv2d, BatchNorm2d, Embedding, KeyValueCache, LayerNorm, Sequential } = nabla

/** Linear layers with ReLU between them. */
export class Mlp extends Module {
  constructor(sizes) {
    super()
    this.layers = sizes.slice(1).map((size, i) => new Linear(sizes[i], size))
  }

  forward(x) {
    const last = this.layers.length - 1
    return this.layers.reduce((value, layer, i) => {
      const y = layer.forward(value)
      return i === last ? y : y.relu()
    }, x)
  }
}

/** Two convolutions with pooling, two linear layers: x [N, 1, 28, 28] -> [N, 10]. */
export class Network extends Module {
  constructor() {
    super()
    this.first = new Conv2d(1, 32, 3)
    this.second = new Conv2d(32, 64, 3)
    this.hidden = new Linear(1600, 128)
    this.last = new Linear(128, 10)
  }

  forward(x) {
    const small = this.first.forward(x).relu().maxPool2d(2) // [N, 32, 13, 13]
    const smaller = this.second.forward(small).relu().maxPool2d(2) // [N, 64, 5, 5]
    return this.last.forward(this.hidden.forward(smaller.flatten(1)).relu())
  }
}

/** One LSTM layer by hand (Hochreiter and Schmidhuber 1997, with forget gates), linear on its last state. */
export class Lstm extends Module {
  constructor({ inputs, hidden, outputs }) {
    super()
    this.hidden = hidden
    this.ofInputs = new Linear(inputs, 4 * hidden)
    this.ofStates = new Linear(hidden, 4 * hidden)
    this.last = new Linear(hidden, outputs)
  }

  forward(x) {
    const [batch, steps] = x.shape
    const projected = this.ofInputs.forward(x) // [N, T, 4H], all steps in one product
    let state = nabla.zeros([batch, this.hidden])
    let cell = nabla.zeros([batch, this.hidden])
    for (let t = 0; t < steps; t++) {
      const gates = projected.select(1, t).add(this.ofStates.forward(state))
      const [input, forget, candidate, output] = gates.chunk(4, 1)
      cell = forget.sigmoid().mul(cell).add(input.sigmoid().mul(candidate.tanh()))
      state = output.sigmoid().mul(cell.tanh())
    }
    return this.last.forward(state)
  }
}

class Block extends Module {
  constructor(width, heads) {
    super()
    this.heads = heads
    this.beforeAttention = new LayerNorm(width)
    this.project = new Linear(width, 3 * width)
    this.join = new Linear(width, width)
    this.beforeFeed = new LayerNorm(width)
    this.expand = new Linear(width, 4 * width)
    this.contract = new Linear(4 * width, width)
  }

  forward(x, cache) {
    const attended = x.add(this.join.forward(this.attend(this.beforeAttention.forward(x), cache)))
    const fed = this.expand.forward(this.beforeFeed.forward(attended)).gelu({ approximate: 'tanh' })
    return attended.add(this.contract.forward(fed))
  }

  attend(x, cache) {
    const [batch, length, width] = x.shape
    const split = (part) =>
      part.reshape([batch, length, this.heads, width / this.heads]).permute([0, 2, 1, 3])
    const [q, k, v] = this.project.forward(x).chunk(3, -1).map(split)
    const { keys, values, offset } = cache?.append(k, v) ?? { keys: k, values: v, offset: 0 }
    const mixed = nabla.scaledDotProductAttention(q, keys, values, { causal: true, offset }) // [N, heads, T, E]
    return mixed.permute([0, 2, 1, 3]).reshape([batch, length, width])
  }
}

/** A decoder of the GPT-2 kind (layer norm first): tokens [N, T] -> logits [N * T, vocabulary]. */
export class GPT extends Module {
  constructor({ layers, width, heads, context, vocabulary }) {
    super()
    this.tokens = new Embedding(vocabulary, width)
    this.positions = new Embedding(context, width)
    this.blocks = Array.from({ length: layers }, () => new Block(width, heads))
    this.norm = new LayerNorm(width)
    this.head = new Linear(width, vocabulary, { bias: false })
  }

  /** @param caches one for each block, where tokens are those that follow what the caches hold */
  forward(tokens, caches) {
    const positions = caches === undefined ? this.positions.weight : this.placesOf(tokens, caches[0].length)
    const start = this.tokens.forward(tokens).add(positions)
    const deep = this.blocks.reduce((value, block, i) => block.forward(value, caches?.[i]), start)
    return this.head.forward(this.norm.forward(deep)).flatten(0, 1)
  }

  placesOf(tokens, from) {
    return this.positions.forward(nabla.arange(from, from + tokens.shape[1]))
  }

  createCaches(batch) {
    const [context, width] = this.positions.weight.shape
    return this.blocks.map(({ heads }) => new KeyValueCache(batch, heads, context, width / heads))
  }

  /** The `count` likeliest tokens that follow one another from `first` on, each read as soon as it is known. */
  async generate(first, count, caches) {
    const made = []
    let token = first
    for (const cache of caches) cache.reset()
    while (made.length < count) {
      const input = nabla.tensor([[token]], { dtype: 'int32' })
      const logits = nabla.noGrad(() => this.forward(input, caches))
      token = await logits.argmax(-1).item()
      made.push(token)
    }
    return made
  }
}

function convolution(from, to, stride, size = 3) {
  return new Conv2d(from, to, size, { stride, padding: (size - 1) / 2, bias: false })
}

class Residual extends Module {
  constructor(from, to, stride) {
    super()
    this.first = convolution(from, to, stride)
    this.firstNorm = new BatchNorm2d(to)
    this.second = convolution(to, to, 1)
    this.secondNorm = new BatchNorm2d(to)
    const same = from === to && stride === 1
    this.shortcut = same ? null : new Sequential(convolution(from, to, stride, 1), new BatchNorm2d(to))
  }

  forward(x) {
    const inner = this.firstNorm.forward(this.first.forward(x)).relu()
    const outer = this.secondNorm.forward(this.second.forward(inner))
    return outer.add(this.shortcut === null ? x : this.shortcut.forward(x)).relu()
  }
}

/** ResNet-18 (He et al. 2016): x [N, 3, H, W] -> [N, classes]. */
export class ResNet18 extends Module {
  constructor(classes) {
    super()
    this.stem = convolution(3, 64, 2, 7)
    this.norm = new BatchNorm2d(64)
    this.blocks = [64, 128, 256, 512].flatMap((to, i) => [
      new Residual(i === 0 ? 64 : to / 2, to, i === 0 ? 1 : 2),
      new Residual(to, to, 1),
    ])
    this.last = new Linear(512, classes)
  }

  forward(x) {
    const start = this.norm.forward(this.stem.forward(x)).relu().maxPool2d(3, { stride: 2, padding: 1 })
    const deep = this.blocks.reduce((value, block) => block.forward(value), start)
    return this.last.forward(deep.mean([2, 3]))
  }
}
