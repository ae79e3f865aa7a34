// jax-js on its WebAssembly backend. Each case is one jitted function of everything that it reads; a training step takes and
// gives back weights and moments. Models, and how values are counted: jaxModels.mjs.
import { integers, sizeOf, uniform } from '../data.mjs'
import { load, versionOf } from '../install.mjs'
import { makeModels } from './jaxModels.mjs'
import { installWorker } from './workerShim.mjs'
import { withoutCache } from '../skip.mjs'

/** With one thread it computes where it is called; otherwise in that many workers, for which it wants a global `Worker`. */
export async function open({ threads }) {
  if (threads > 1) installWorker(threads)
  const jax = await load('@jax-js/jax')
  await jax.init('wasm')
  jax.defaultDevice('wasm')
  return {
    version: versionOf('@jax-js/jax'),
    threads,
    builders: makeBuilders(jax),
    cannot: { generate: withoutCache },
  }
}

function makeBuilders(jax) {
  const { numpy: np, nn } = jax
  const models = makeModels(jax)
  const random = (shape, seed) => np.array(uniform(sizeOf(shape), seed)).reshape(shape)
  const whole = (shape, below, seed) =>
    np.array(integers(sizeOf(shape), below, seed), { dtype: np.int32 }).reshape(shape)

  /** A step that applies a jitted function to the same inputs. */
  const computed = (inputs, fn) => {
    const jitted = jax.jit(fn)
    return {
      async step() {
        const result = jitted(...inputs.map((input) => input.ref))
        await jax.blockUntilReady(result)
        for (const one of [result].flat()) one.dispose()
      },
    }
  }

  const inferring = ({ initial, predict }, input) =>
    computed([...initial, input], (...values) => predict(values.slice(0, -1), values.at(-1)))

  /** A training step: cross-entropy, Adam. */
  const training = ({ initial, predict }, input, labels, classes) => {
    const targets = nn.oneHot(labels, classes)
    const lossOf = (parameters, x, y) =>
      np.mean(np.sum(nn.logSoftmax(predict(parameters, x)).mul(y), 1)).mul(-1)
    const step = jax.jit((parameters, means, squares, x, y) => {
      const held = parameters.map((parameter) => parameter.ref)
      const gradients = jax.grad(lossOf)(held, x, y)
      const updates = parameters.map((parameter, i) =>
        adam(np, parameter, means[i], squares[i], gradients[i]),
      )
      return [0, 1, 2].map((part) => updates.map((update) => update[part]))
    })
    const zerosOf = (values) => values.map((value) => np.zeros(value.shape))
    let state = [initial, zerosOf(initial), zerosOf(initial)]
    return {
      async step() {
        state = step(...state, input.ref, targets.ref)
        await jax.blockUntilReady(state)
      },
    }
  }

  return {
    matmul: ({ size }) =>
      computed([random([size, size], 1), random([size, size], 2)], (a, b) => np.matmul(a, b)),
    chain: ({ size }) =>
      computed([random([size], 1), random([size], 2), random([size], 3)], (x, a, b) =>
        nn.relu(x.ref.mul(a).add(b)).add(np.tanh(x)),
      ),
    sum: ({ size }) => computed([random([size], 1)], (x) => np.sum(x)),
    softmax: ({ rows, columns }) => computed([random([rows, columns], 1)], (x) => nn.softmax(x, -1)),
    layerNorm: ({ rows, columns }) => {
      const normalize = (x, scale, shift) => nn.standardize(x, -1).mul(scale).add(shift)
      const total = (x, scale, shift, upstream) => np.sum(normalize(x, scale, shift).mul(upstream))
      const inputs = [
        random([rows, columns], 1),
        np.ones([columns]),
        np.zeros([columns]),
        random([rows, columns], 2),
      ]
      return computed(inputs, jax.grad(total, { argnums: [0, 1, 2] }))
    },
    mlp: (spec) => {
      const { sizes, batch } = spec
      const classes = sizes.at(-1)
      return training(models.mlp(spec), random([batch, sizes[0]], 9), whole([batch], classes), classes)
    },
    cnn: (spec) =>
      training(models.cnn(spec), random([spec.batch, 1, 28, 28], 9), whole([spec.batch], 10), 10),
    lstm: (spec) => {
      const { batch, steps, inputs, outputs } = spec
      const labels = whole([batch], outputs)
      return training(models.lstm(spec), random([batch, steps, inputs], 9), labels, outputs)
    },
    gpt: (spec) => {
      const { batch, context, vocabulary, train } = spec
      const tokens = whole([batch, context], vocabulary, 1)
      if (!train) return inferring(models.gpt(spec), tokens)
      return training(models.gpt(spec), tokens, whole([batch * context], vocabulary, 2), vocabulary)
    },
    resnet: (spec) => {
      const { batch, size, classes, train } = spec
      const images = random([batch, 3, size, size], 9)
      if (!train) return inferring(models.resnet(spec), images)
      return training(models.resnet(spec), images, whole([batch], classes), classes)
    },
  }
}

// Without the corrections of the first steps, which are two numbers a step.
function adam(np, parameter, mean, square, gradient) {
  const newMean = mean.mul(0.9).add(gradient.ref.mul(0.1))
  const newSquare = square.mul(0.999).add(gradient.ref.mul(gradient).mul(0.001))
  const change = newMean.ref.mul(1e-3).div(np.sqrt(newSquare.ref).add(1e-8))
  return [parameter.sub(change), newMean, newSquare]
}
