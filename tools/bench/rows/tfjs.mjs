// TensorFlow.js on its WebAssembly backend, in the bench of row kernels (see cases.mjs).
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { integers } from '../data.mjs'
import { load, versionOf } from '../install.mjs'
import { skip } from '../skip.mjs'
import { serve } from '../worker.mjs'

function makeKinds(tf) {
  const random = (shape) => tf.randomNormal(shape)
  const unary = (compute) => (shape) => {
    const x = random(shape)
    return () => compute(x)
  }
  return {
    softmax: unary((x) => tf.softmax(x)),
    logSoftmax: unary((x) => tf.logSoftmax(x)),
    crossEntropy: ([rows, columns]) => {
      const x = random([rows, columns])
      const y = tf.oneHot(tf.tensor1d(integers(rows, columns), 'int32'), columns).toFloat()
      const gradient = tf.grad((logits) => tf.losses.softmaxCrossEntropy(y, logits))
      return () => gradient(x)
    },
    sum: unary((x) => tf.sum(x)),
    chain: (shape) => {
      const [x, a, b] = [random(shape), random(shape), random(shape)]
      return () => tf.add(tf.relu(tf.add(tf.mul(x, a), b)), tf.tanh(x))
    },
    columnSums: unary((x) => tf.sum(x, 0)),
    batchStatistics: unary((x) => Object.values(tf.moments(x, [0, 2, 3]))),
    addColumns: ([rows, columns]) => {
      const [x, b] = [random([rows, columns]), random([columns])]
      return () => tf.add(x, b)
    },
    addRows: ([rows, columns]) => {
      const [x, b] = [random([rows, columns]), random([rows, 1])]
      return () => tf.add(x, b)
    },
    addTransposed: ([rows, columns]) => {
      const [x, z] = [random([rows, columns]), random([columns, rows])]
      return () => tf.add(x, tf.transpose(z))
    },
    argmax: unary((x) => tf.argMax(x, -1)),
    where: (shape) => {
      const [x, y] = [random(shape), random(shape)]
      return () => tf.where(tf.greater(x, 0), x, tf.mul(y, 0.1))
    },
    toInteger: unary((x) => tf.cast(tf.mul(x, 100), 'int32')),
    // Its images lie with their channels last.
    maxPool: pool((x) => tf.maxPool(x, 2, 2, 'valid')),
    avgPool: pool((x) => tf.avgPool(x, 2, 2, 'valid')),
    embedding: ([rows, columns]) => {
      const table = random([4096, columns])
      const x = tf.tensor1d(integers(rows, 4096), 'int32')
      return () => tf.gather(table, x)
    },
    cumsum: unary((x) => tf.cumsum(x, -1)),
    'f:gelu': positive((x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))),
    'f:pow': (shape) => {
      const [x, y] = [tf.abs(random(shape)), random(shape)]
      return () => tf.pow(x, y)
    },
    ...Object.fromEntries(
      ['exp', 'expm1', 'tanh', 'sigmoid', 'erf', 'log', 'log1p', 'sin', 'cos', 'sqrt', 'rsqrt'].map(
        (name) => [`f:${name}`, positive((x) => tf[name](x))],
      ),
    ),
  }

  function positive(compute) {
    return (shape) => {
      const x = tf.add(tf.abs(random(shape)), 1e-3)
      return () => compute(x)
    }
  }

  function pool(compute) {
    return ([samples, channels, height, width]) => {
      const x = random([samples, height, width, channels])
      return () => compute(x)
    }
  }
}

async function open({ threads }) {
  if (threads !== 1) throw skip('runs on one thread only in Node')
  const { default: tf } = await load('@tensorflow/tfjs')
  await load('@tensorflow/tfjs-backend-wasm')
  await tf.setBackend('wasm')
  await tf.ready()
  tf.env().set('PROD', true)
  const builders = {}
  for (const [kind, build] of Object.entries(makeKinds(tf))) {
    builders[kind] = ({ shape }) => {
      const compute = build(shape)
      return { step: () => tf.tidy(() => void compute()), finish: () => tf.disposeVariables() }
    }
  }
  return { version: versionOf('@tensorflow/tfjs'), threads: 1, builders }
}

const answer = serve(async () => ({ open }))
for await (const line of createInterface({ input: process.stdin })) {
  writeSync(3, `${JSON.stringify(await answer(JSON.parse(line)))}\n`)
}
process.exit(0)
