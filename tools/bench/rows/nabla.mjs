// Nabla's side of the bench of row kernels. Every step leaves its results in Variables, as peers leave theirs in memory of
// their own. Read next: cases.mjs (sizes), ../peers/nablaProfile.mjs (what a step costs besides its kernels).
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { integers } from '../data.mjs'
import { open as openPeer } from '../peers/nabla.mjs'
import { nabla } from '../peers/nablaPackage.mjs'
import { observe } from '../peers/nablaProfile.mjs'
import { serve } from '../worker.mjs'

const random = (shape) => new nabla.Variable(nabla.randn(shape))
const parameter = (shape) => new nabla.Parameter(nabla.randn(shape))
const positive = (shape) => new nabla.Variable(nabla.randn(shape).abs().add(1e-3))
const like = (value) => new nabla.Variable(nabla.zeros(value.shape, { dtype: value.dtype }))

/** A step that computes some values and leaves them on the device. */
function computed(compute) {
  const targets = compute().map(like)
  return observed(() => {
    compute().forEach((value, i) => (targets[i].value = value))
    nabla.flush()
  })
}

function observed(step) {
  const observer = observe(nabla.engine, { profile: true })
  return { step: () => observer.step(step), warm: () => observer.start(), finish: () => observer.finish() }
}

function classes(rows, count) {
  return nabla.tensor(integers(rows, count), { shape: [rows], dtype: 'int32' })
}

const kinds = {
  softmax: (shape) => {
    const x = random(shape)
    return computed(() => [x.value.softmax(-1)])
  },
  logSoftmax: (shape) => {
    const x = random(shape)
    return computed(() => [x.value.logSoftmax(-1)])
  },
  crossEntropy: ([rows, columns]) => {
    const x = parameter([rows, columns])
    const y = new nabla.Variable(classes(rows, columns))
    return computed(() => {
      const loss = nabla.crossEntropy(x.value, y.value)
      return [loss, ...nabla.grad(loss, [x])]
    })
  },
  layerNorm: ([rows, columns]) => {
    const [x, weight, bias] = [random([rows, columns]), random([columns]), random([columns])]
    return computed(() => [nabla.layerNorm(x.value, columns, { weight: weight.value, bias: bias.value })])
  },
  layerNormTraining: ([rows, columns]) => {
    const [x, weight, bias] = [parameter([rows, columns]), parameter([columns]), parameter([columns])]
    const upstream = random([rows, columns])
    return computed(() => {
      const output = nabla.layerNorm(x.value, columns, { weight, bias })
      return [output, ...nabla.grad(output, [x, weight, bias], { gradOutputs: [upstream.value] })]
    })
  },
  rmsNorm: ([rows, columns]) => {
    const [x, weight] = [random([rows, columns]), random([columns])]
    return computed(() => [nabla.rmsNorm(x.value, columns, { weight: weight.value })])
  },
  sum: (shape) => {
    const x = random(shape)
    return computed(() => [x.value.sum()])
  },
  chain: (shape) => {
    const [x, a, b] = [random(shape), random(shape), random(shape)]
    return computed(() => [x.value.mul(a.value).add(b.value).relu().add(x.value.tanh())])
  },
  adam: (shape) => {
    const weight = new nabla.Parameter(nabla.randn(shape))
    const gradient = random(shape)
    const optimizer = new nabla.Adam([weight], { lr: 1e-3 })
    return observed(() => {
      weight.grad = gradient.value
      optimizer.step()
    })
  },
  columnSums: (shape) => {
    const x = random(shape)
    return computed(() => [x.value.sum(0)])
  },
  batchStatistics: (shape) => {
    const x = random(shape)
    return computed(() => Object.values(nabla.varMean(x.value, [0, 2, 3], { correction: 0 })))
  },
  addColumns: ([rows, columns]) => {
    const [x, b] = [random([rows, columns]), random([columns])]
    return computed(() => [x.value.add(b.value)])
  },
  addRows: ([rows, columns]) => {
    const [x, b] = [random([rows, columns]), random([rows, 1])]
    return computed(() => [x.value.add(b.value)])
  },
  addTransposed: ([rows, columns]) => {
    const [x, z] = [random([rows, columns]), random([columns, rows])]
    return computed(() => [x.value.add(z.value.transpose(0, 1))])
  },
  scaleAndShift: ([rows, columns]) => {
    const [x, a, b] = [random([rows, columns]), random([columns]), random([columns])]
    const [c, d] = [random([rows, 1]), random([rows, 1])]
    return computed(() => [x.value.sub(c.value).mul(d.value).mul(a.value).add(b.value)])
  },
  argmax: (shape) => {
    const x = random(shape)
    return computed(() => [x.value.argmax(-1)])
  },
  where: (shape) => {
    const [x, y] = [random(shape), random(shape)]
    return computed(() => [nabla.where(x.value.gt(0), x.value, y.value.mul(0.1))])
  },
  toInteger: (shape) => {
    const x = random(shape)
    return computed(() => [x.value.mul(100).to('int32')])
  },
  maxPool: (shape) => pooled(shape, (x) => nabla.maxPool2d(x, 2)),
  maxPool3: (shape) => pooled(shape, (x) => nabla.maxPool2d(x, 3, { stride: 2, padding: 1 })),
  avgPool: (shape) => pooled(shape, (x) => nabla.avgPool2d(x, 2)),
  dropout: (shape) => {
    const x = random(shape)
    return computed(() => [nabla.dropout(x.value, 0.5)])
  },
  rand: (shape) => computed(() => [nabla.rand(shape)]),
  randn: (shape) => computed(() => [nabla.randn(shape)]),
  embedding: ([rows, columns]) => {
    const table = random([4096, columns])
    const x = new nabla.Variable(classes(rows, 4096))
    return computed(() => [nabla.embedding(table.value, x.value)])
  },
  embeddingTraining: ([rows, columns]) => {
    const table = parameter([4096, columns])
    const x = new nabla.Variable(classes(rows, 4096))
    const upstream = random([rows, columns])
    return computed(() =>
      nabla.grad(nabla.embedding(table.value, x.value), [table], { gradOutputs: [upstream.value] }),
    )
  },
  cumsum: (shape) => {
    const x = random(shape)
    return computed(() => [nabla.cumsum(x.value, -1)])
  },
  sort: (shape) => {
    const x = random(shape)
    return computed(() => [x.value.argsort(-1)])
  },
  upload: (shape) => {
    const data = new Float32Array(shape[0])
    return computed(() => [nabla.tensor(data)])
  },
  download: (shape) => {
    const x = random(shape)
    nabla.flush()
    return { step: () => x.value.data() }
  },
}

function pooled(shape, pool) {
  const x = random(shape)
  return computed(() => [pool(x.value)])
}

const functions = {
  gelu: (x) => nabla.gelu(x),
  geluTanh: (x) => nabla.gelu(x, { approximate: 'tanh' }),
  pow: (x, y) => nabla.pow(x, y),
}

function builderOf(kind) {
  if (!kind.startsWith('f:')) return ({ shape }) => kinds[kind](shape)
  const name = kind.slice(2)
  const apply = functions[name] ?? ((x) => nabla[name](x))
  return ({ shape }) => {
    const [x, y] = [positive(shape), random(shape)]
    return computed(() => [name === 'pow' ? apply(x.value, y.value) : apply(x.value)])
  }
}

const builders = new Proxy({}, { get: (_, kind) => builderOf(kind) })

const answer = serve(async () => ({ open: async (message) => ({ ...(await openPeer(message)), builders }) }))
for await (const line of createInterface({ input: process.stdin })) {
  writeSync(3, `${JSON.stringify(await answer(JSON.parse(line)))}\n`)
}
process.exit(0)
