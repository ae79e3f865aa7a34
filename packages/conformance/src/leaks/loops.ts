// Training loops like those of the examples, on made-up data: the classifier, the conv net, and what else people train. Each
// is made once and then gives one step at a time. Read next: ../leaks.test.ts.
import { backward } from '@nabla/autograd'
import { ArrayDataset, DataLoader } from '@nabla/data'
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Embedding,
  Flatten,
  GELU,
  LayerNorm,
  Linear,
  LSTM,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
  Sigmoid,
  Tanh,
} from '@nabla/layers'
import { binaryCrossEntropy, binaryCrossEntropyWithLogits, crossEntropy, mseLoss } from '@nabla/losses'
import { Accuracy, Mean } from '@nabla/metrics'
import { Adam, AdamW, clipGradNorm, CosineAnnealingLR, SGD } from '@nabla/optimizers'
import { Trainer } from '@nabla/training'
import { noGrad, randn, tensor, Variable, zeros, type Tensor, type TensorLike } from '@nabla/tensor'

/** One step of training. */
export type Step = (index: number) => void | Promise<void>

function features(rows: number, columns: number): Float32Array {
  return Float32Array.from(
    { length: rows * columns },
    (_, i) => Math.sin(0.7 * i) + 0.5 * Math.cos(0.3 * i * i),
  )
}

function labels(rows: number, classes: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, i) => (i * i + 3 * i) % classes)
}

function binaryClassifier(): Step {
  const model = new Sequential(new Linear(10, 10), new ReLU(), new Linear(10, 1), new Sigmoid())
  const optimizer = new Adam(model.parameters())
  const accuracy = new Accuracy()
  return async () => {
    const x = tensor(features(32, 10), { shape: [32, 10] })
    const y = tensor(Float32Array.from(labels(32, 2)), { shape: [32, 1] })
    const output = model.forward(x)
    const loss = binaryCrossEntropy(output, y)
    backward(loss)
    accuracy.update(output, y)
    optimizer.step()
    await loss.item()
  }
}

function convNet(): Step {
  const model = new Sequential(
    new Conv2d(1, 4, 3, { padding: 1 }), // [N, 4, 8, 8]
    new BatchNorm2d(4),
    new ReLU(),
    new MaxPool2d(2), // [N, 4, 4, 4]
    new Flatten(), // [N, 64]
    new Dropout(0.2),
    new Linear(64, 5),
  )
  const optimizer = new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 })
  return async () => {
    const x = tensor(features(16, 64), { shape: [16, 1, 8, 8] })
    const loss = crossEntropy(model.forward(x), tensor(labels(16, 5)))
    backward(loss)
    optimizer.step()
    await loss.item()
  }
}

function neverAwaits(): Step {
  const model = new Sequential(new Linear(6, 12), new Tanh(), new Linear(12, 2))
  const optimizer = new AdamW(model.parameters(), { lr: 0.01 })
  const mean = new Mean()
  return () => {
    const loss = crossEntropy(
      model.forward(tensor(features(20, 6), { shape: [20, 6] })),
      tensor(labels(20, 2)),
    )
    backward(loss)
    mean.update(loss)
    clipGradNorm(model.parameters(), 1)
    optimizer.step()
  }
}

function perceptron(): Step {
  const model = new Sequential(
    new Linear(6, 16),
    new ReLU(),
    new Dropout(0.3),
    new Linear(16, 16),
    new GELU(),
    new Linear(16, 3),
  )
  const optimizer = new AdamW(model.parameters(), { lr: 0.01 })
  const schedule = new CosineAnnealingLR(optimizer, { period: 20 })
  return async () => {
    const loss = crossEntropy(model.forward(randn([12, 6])), tensor(labels(12, 3)))
    backward(loss)
    optimizer.step()
    schedule.step()
    await loss.item()
  }
}

function longShortTermMemory(): Step {
  const lstm = new LSTM(3, 5, { numLayers: 2, dropout: 0.2, batchFirst: true })
  const output = new Linear(5, 2)
  const optimizer = new Adam([...lstm.parameters(), ...output.parameters()], { lr: 0.01 })
  return async (index) => {
    optimizer.lr = 0.01 / (1 + index)
    const [states] = lstm.forward(randn([4, 6, 3])) // [N, T, 5]
    const loss = crossEntropy(output.forward(states.select(1, -1)), tensor(labels(4, 2)))
    backward(loss)
    optimizer.step()
    await loss.item()
  }
}

/** A block of attention and a table of vectors, as in a small GPT. */
class TinyTransformer extends Module {
  readonly tokens: Embedding = new Embedding(11, 8)
  readonly norm: LayerNorm = new LayerNorm(8)
  readonly attention: Linear = new Linear(8, 24)
  readonly dropout: Dropout = new Dropout(0.1)
  readonly output: Linear = new Linear(8, 11)

  override forward(ids: TensorLike): Tensor {
    const x = this.tokens.forward(ids) // [N, T, 8]
    const [q, k, v] = this.attention.forward(this.norm.forward(x)).chunk(3, -1) // [N, T, 8] each
    const mixed = q!.scaledDotProductAttention(k!, v!, { causal: true }).add(x) // [N, T, 8]
    return this.output.forward(this.dropout.forward(mixed)).reshape([-1, 11]) // [N T, 11]
  }
}

function transformer(): Step {
  const model = new TinyTransformer()
  const optimizer = new AdamW(model.parameters(), { lr: 0.01 })
  return async (index) => {
    optimizer.lr = 0.01 * 0.99 ** index
    const ids = labels(24, 11).map((id) => (id + index) % 11)
    const inputs = tensor(ids, { shape: [4, 6] })
    const loss = crossEntropy(model.forward(inputs), tensor(ids.map((id) => (id + 1) % 11)))
    backward(loss)
    optimizer.step()
    await loss.item()
  }
}

function recurrent(): Step {
  const input = new Linear(3, 7)
  const hiddenToHidden = new Linear(7, 7)
  const output = new Linear(7, 1)
  const parameters = [input, hiddenToHidden, output].flatMap((layer) => layer.parameters())
  const optimizer = new Adam(parameters, { lr: 0.01 })
  const state = new Variable(new Float32Array(4 * 7), { shape: [4, 7] })
  return async () => {
    let hidden: Tensor = state.value
    let total = zeros([])
    for (let time = 0; time < 5; time++) {
      const x = randn([4, 3])
      hidden = input.forward(x).add(hiddenToHidden.forward(hidden)).tanh()
      total = total.add(mseLoss(output.forward(hidden), x.sum(1, { keepdim: true })))
    }
    backward(total)
    state.value = hidden.detach()
    optimizer.step()
    await total.item()
  }
}

function adversarial(): Step {
  const generator = new Sequential(new Linear(2, 6), new Tanh(), new Linear(6, 1))
  const critic = new Sequential(new Linear(1, 6), new ReLU(), new Linear(6, 1))
  const generatorOptimizer = new Adam(generator.parameters())
  const criticOptimizer = new Adam(critic.parameters())
  return async () => {
    const [ones, nothing] = [zeros([8, 1]).add(1), zeros([8, 1])]
    const fake = generator.forward(randn([8, 2]))
    const real = randn([8, 1]).add(2)
    const criticLoss = binaryCrossEntropyWithLogits(critic.forward(real), ones).add(
      binaryCrossEntropyWithLogits(critic.forward(fake.detach()), nothing),
    )
    backward(criticLoss)
    criticOptimizer.step()
    backward(binaryCrossEntropyWithLogits(critic.forward(generator.forward(randn([8, 2]))), ones))
    criticOptimizer.zeroGrad()
    generatorOptimizer.step()
    await criticLoss.item()
  }
}

function accumulatingWithAverage(): Step {
  const model = new Linear(5, 1)
  const optimizer = new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 })
  const average = new Variable(new Float32Array(5), { shape: [1, 5] })
  return async () => {
    for (let part = 0; part < 3; part++) {
      const x = tensor(features(8, 5), { shape: [8, 5] })
      const loss = mseLoss(model.forward(x), x.sum(1, { keepdim: true }).add(part))
      backward(loss.div(3))
      await loss.item()
    }
    optimizer.step()
    noGrad(() => (average.value = average.value.lerp(model.weight.value, 0.1)))
  }
}

function evaluating(): Step {
  const model = new Sequential(new Linear(4, 8), new ReLU(), new Dropout(0.5), new Linear(8, 3))
  const optimizer = new Adam(model.parameters())
  const accuracy = new Accuracy()
  return async () => {
    const x = tensor(features(12, 4), { shape: [12, 4] })
    const y = tensor(labels(12, 3))
    backward(crossEntropy(model.forward(x), y))
    optimizer.step()
    model.eval()
    noGrad(() => accuracy.update(model.forward(x), y))
    await accuracy.compute()
    accuracy.reset()
    model.train()
  }
}

function fromLoader(): Step {
  const dataset = new ArrayDataset({
    x: { data: features(64, 4), shape: [64, 4] },
    y: { data: labels(64, 3), shape: [64] },
  })
  const loader = new DataLoader(dataset, { batchSize: 16, shuffle: true, seed: 3 })
  const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 3))
  const optimizer = new Adam(model.parameters())
  // One step is an epoch here.
  return async () => {
    for await (const batch of loader) {
      backward(crossEntropy(model.forward(batch['x']!), batch['y']!))
      optimizer.step()
    }
  }
}

function trainer(): Step {
  const model = new Sequential(new Linear(10, 10), new ReLU(), new Linear(10, 1), new Sigmoid())
  const trained = new Trainer(model, { optimizer: 'adam', loss: 'binaryCrossEntropy', metrics: ['accuracy'] })
  const x = { data: features(80, 10), shape: [80, 10] }
  const y = { data: Float32Array.from(labels(80, 2)), shape: [80, 1] }
  // One step is an epoch of three batches here, the last one shorter, with an evaluation after it.
  return async () => {
    await trained.fit({ x, y }, { epochs: 1, batchSize: 32, validationData: { x, y }, verbose: 0 })
  }
}

/** Makers of loops, by what they are like. */
export const trainingLoops: Readonly<Record<string, () => Step | Promise<Step>>> = {
  'binary classifier with a metric': binaryClassifier,
  'conv net with batch norm and dropout': convNet,
  'perceptron with dropout and a schedule': perceptron,
  'LSTM of two layers with dropout and a schedule': longShortTermMemory,
  'a loop that never awaits, with clipping': neverAwaits,
  'transformer with dropout and a schedule': transformer,
  'recurrent network with a carried state': recurrent,
  'two models, two optimizers': adversarial,
  'accumulated gradients and averaged weights': accumulatingWithAverage,
  'evaluation in every step': evaluating,
  'batches from a shuffled loader': fromLoader,
  'a Trainer that fits and evaluates': trainer,
}
