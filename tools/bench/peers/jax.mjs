// jax-js on its WebAssembly backend. Values are counted by hand there: `x.ref` where x is used again, plain x at its last use.
// Each case is one jitted function of everything that it reads; a training step takes and gives back weights and moments.
import { integers, uniform, weights } from '../data.mjs'
import { load, versionOf } from '../install.mjs'
import { skip } from '../skip.mjs'

/** @throws where more than one thread is asked for: its threads need a `Worker`, which Node has not */
export async function open({ threads }) {
  if (threads !== 1) throw skip('its threads need a global Worker, which Node has not')
  const jax = await load('@jax-js/jax')
  await jax.init('wasm')
  jax.defaultDevice('wasm')
  const cannot = {
    lstm: 'not written for this peer',
    gpt: 'not written for this peer',
    resnet: 'not written for this peer',
  }
  return { version: versionOf('@jax-js/jax'), threads: 1, builders: makeBuilders(jax), cannot }
}

function makeBuilders(jax) {
  const { numpy: np, nn, lax } = jax
  const random = (shape, seed) => np.array(uniform(product(shape), seed)).reshape(shape)
  const constant = (shape, fanIn, seed) => np.array(weights(shape, fanIn, seed)).reshape(shape)

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

  /** A training step: `predict` from a list of parameters and the input, cross-entropy, Adam. */
  const training = (initial, predict, input, labels, classes) => {
    const targets = nn.oneHot(np.array(labels, { dtype: np.int32 }), classes)
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
    mlp: ({ sizes, batch }) => {
      const initial = sizes
        .slice(1)
        .flatMap((size, i) => [constant([sizes[i], size], sizes[i], i + 1), np.zeros([size])])
      const predict = (parameters, x) => {
        let value = x
        for (let i = 0; i < parameters.length; i += 2) {
          value = np.matmul(i === 0 ? value : nn.relu(value), parameters[i]).add(parameters[i + 1])
        }
        return value
      }
      return training(
        initial,
        predict,
        random([batch, sizes[0]], 9),
        integers(batch, sizes.at(-1)),
        sizes.at(-1),
      )
    },
    cnn: ({ batch }) => {
      const initial = [
        [constant([32, 1, 3, 3], 9, 1), np.zeros([32, 1, 1])],
        [constant([64, 32, 3, 3], 288, 2), np.zeros([64, 1, 1])],
        [constant([1600, 128], 1600, 3), np.zeros([128])],
        [constant([128, 10], 128, 4), np.zeros([10])],
      ].flat()
      // The largest of each 2 x 2 block; an odd last row and column are left out.
      const pool = (x) => {
        const [count, channels, height] = x.shape
        const half = height >> 1
        const even = x.slice([], [], [0, 2 * half], [0, 2 * half])
        return np.max(even.reshape([count, channels, half, 2, half, 2]), [3, 5])
      }
      const predict = ([w1, b1, w2, b2, w3, b3, w4, b4], x) => {
        const small = pool(nn.relu(lax.conv(x, w1, [1, 1], 'VALID').add(b1)))
        const smaller = pool(nn.relu(lax.conv(small, w2, [1, 1], 'VALID').add(b2)))
        return np.matmul(nn.relu(np.matmul(smaller.reshape([batch, 1600]), w3).add(b3)), w4).add(b4)
      }
      return training(initial, predict, random([batch, 1, 28, 28], 9), integers(batch, 10), 10)
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

function product(shape) {
  return shape.reduce((total, size) => total * size, 1)
}
