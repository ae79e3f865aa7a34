// TensorFlow.js on its CPU and on its WebAssembly backend: models by hand from ops and variables, trained with tf.train. In
// Node the WebAssembly backend starts no threads, whatever it is told. Models: tfjsModels.mjs.
import { integers, uniform } from '../data.mjs'
import { load, versionOf } from '../install.mjs'
import { skip, withoutCache } from '../skip.mjs'
import { makeModels } from './tfjsModels.mjs'

/** @param backend `cpu` or `wasm` */
export async function open(backend, { threads }) {
  if (threads !== 1) throw skip('runs on one thread only in Node')
  const { default: tf } = await load('@tensorflow/tfjs')
  if (backend === 'wasm') await load('@tensorflow/tfjs-backend-wasm')
  await tf.setBackend(backend)
  await tf.ready()
  tf.env().set('PROD', true)
  const cannot = { generate: withoutCache }
  return { version: versionOf('@tensorflow/tfjs'), threads: 1, builders: makeBuilders(tf), cannot }
}

function makeBuilders(tf) {
  const models = makeModels(tf)
  const random = (shape, seed) => tf.tensor(uniform(tf.util.sizeFromShape(shape), seed), shape)
  return {
    matmul: ({ size }) => {
      const [a, b] = [random([size, size], 1), random([size, size], 2)]
      return computed(tf, () => tf.matMul(a, b))
    },
    chain: ({ size }) => {
      const [x, a, b] = [random([size], 1), random([size], 2), random([size], 3)]
      return computed(tf, () => tf.add(tf.relu(tf.add(tf.mul(x, a), b)), tf.tanh(x)))
    },
    sum: ({ size }) => {
      const x = random([size], 1)
      return computed(tf, () => tf.sum(x))
    },
    softmax: ({ rows, columns }) => {
      const x = random([rows, columns], 1)
      return computed(tf, () => tf.softmax(x))
    },
    layerNorm: ({ rows, columns }) => {
      const x = random([rows, columns], 1)
      const [scale, shift] = [tf.ones([columns]), tf.zeros([columns])]
      const upstream = random([rows, columns], 2)
      const gradients = tf.grads((input, g, b) => models.layerNorm(input, g, b))
      return computed(tf, () => gradients([x, scale, shift], upstream))
    },
    mlp: (spec) => {
      const { sizes, batch } = spec
      const y = tf.tensor1d(integers(batch, sizes.at(-1)), 'int32')
      return training(tf, models.mlp(spec), random([batch, sizes[0]], 1), y, sizes.at(-1))
    },
    cnn: (spec) => {
      const y = tf.tensor1d(integers(spec.batch, 10), 'int32')
      return training(tf, models.cnn(), random([spec.batch, 28, 28, 1], 1), y, 10)
    },
    lstm: (spec) => {
      const { batch, steps, inputs, outputs } = spec
      const y = tf.tensor1d(integers(batch, outputs), 'int32')
      return training(tf, models.lstm(spec), random([batch, steps, inputs], 1), y, outputs)
    },
    gpt: (spec) => {
      const { batch, context, vocabulary, train } = spec
      const x = tf.tensor(integers(batch * context, vocabulary, 1), [batch, context], 'int32')
      const forward = models.gpt(spec)
      if (!train) return computed(tf, () => forward(x))
      const y = tf.tensor1d(integers(batch * context, vocabulary, 2), 'int32')
      return training(tf, forward, x, y, vocabulary)
    },
    resnet: (spec) => {
      const { batch, size, classes, train } = spec
      const x = random([batch, size, size, 3], 1)
      const forward = models.resnet(spec)
      if (!train) return computed(tf, () => forward(x))
      const y = tf.tensor1d(integers(batch, classes), 'int32')
      return training(tf, forward, x, y, classes, tf.train.momentum(0.01, 0.9))
    },
  }
}

function computed(tf, compute) {
  return { step: () => tf.tidy(() => void compute()), finish: () => tf.disposeVariables() }
}

// tf.train has no decoupled weight decay; Adam is the same work but for one product.
function training(tf, forward, x, y, classes, optimizer = tf.train.adam(1e-3)) {
  const targets = tf.oneHot(y, classes).toFloat()
  const loss = () => tf.losses.softmaxCrossEntropy(targets, forward(x))
  return { step: () => void optimizer.minimize(loss), finish: () => tf.disposeVariables() }
}
