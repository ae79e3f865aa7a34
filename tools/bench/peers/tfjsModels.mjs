// The models of the cases in TensorFlow.js ops; images are [N, H, W, C], as it likes them best.
import { weights } from '../data.mjs'

/** Functions that make a model's variables and give its forward pass. */
export function makeModels(tf) {
  let seed = 1
  const variable = (shape, fanIn) => tf.variable(tf.tensor(weights(shape, fanIn, seed++), shape))
  const linear = (from, to, bias = true) => {
    const weight = variable([from, to], from)
    const shift = bias ? tf.variable(tf.zeros([to])) : null
    return (x) => {
      const flat = x.rank === 2 ? x : x.reshape([-1, from])
      const y = shift === null ? tf.matMul(flat, weight) : tf.matMul(flat, weight).add(shift)
      return x.rank === 2 ? y : y.reshape([...x.shape.slice(0, -1), to])
    }
  }
  const layerNorm = (x, scale, shift) => {
    const { mean, variance } = tf.moments(x, -1, true)
    return x
      .sub(mean)
      .mul(tf.rsqrt(variance.add(1e-5)))
      .mul(scale)
      .add(shift)
  }
  const norm = (width) => {
    const [scale, shift] = [tf.variable(tf.ones([width])), tf.variable(tf.zeros([width]))]
    return (x) => layerNorm(x, scale, shift)
  }
  const gelu = (x) => x.mul(0.5).mul(tf.tanh(x.add(x.mul(x).mul(x).mul(0.044715)).mul(0.7978845608)).add(1))
  const convolution = (from, to, stride, size, padding) => {
    const weight = variable([size, size, from, to], size * size * from)
    return (x) => tf.conv2d(x, weight, stride, padding)
  }

  return {
    layerNorm,
    mlp({ sizes }) {
      const layers = sizes.slice(1).map((size, i) => linear(sizes[i], size))
      return (x) => layers.reduce((value, layer, i) => (i === 0 ? layer(value) : layer(value.relu())), x)
    },
    cnn() {
      const [first, second] = [convolution(1, 32, 1, 3, 'valid'), convolution(32, 64, 1, 3, 'valid')]
      const [shift1, shift2] = [tf.variable(tf.zeros([32])), tf.variable(tf.zeros([64]))]
      const [hidden, last] = [linear(1600, 128), linear(128, 10)]
      return (x) => {
        const small = tf.maxPool(first(x).add(shift1).relu(), 2, 2, 'valid')
        const smaller = tf.maxPool(second(small).add(shift2).relu(), 2, 2, 'valid')
        return last(hidden(smaller.reshape([-1, 1600])).relu())
      }
    },
    lstm({ inputs, hidden, outputs }) {
      const [ofInputs, ofStates] = [linear(inputs, 4 * hidden), linear(hidden, 4 * hidden)]
      const last = linear(hidden, outputs)
      return (x) => {
        let state = tf.zeros([x.shape[0], hidden])
        let cell = tf.zeros([x.shape[0], hidden])
        for (const projected of tf.unstack(ofInputs(x), 1)) {
          const [input, forget, candidate, output] = tf.split(projected.add(ofStates(state)), 4, 1)
          cell = forget.sigmoid().mul(cell).add(input.sigmoid().mul(candidate.tanh()))
          state = output.sigmoid().mul(cell.tanh())
        }
        return last(state)
      }
    },
    gpt({ layers, width, heads, context, vocabulary }) {
      const [tokens, positions] = [variable([vocabulary, width], width), variable([context, width], width)]
      const hidden = tf.keep(
        tf.tidy(() =>
          tf.linalg
            .bandPart(tf.ones([context, context]), -1, 0)
            .sub(1)
            .mul(1e9),
        ),
      )
      const blocks = Array.from({ length: layers }, () => ({
        beforeAttention: norm(width),
        project: linear(width, 3 * width),
        join: linear(width, width),
        beforeFeed: norm(width),
        expand: linear(width, 4 * width),
        contract: linear(4 * width, width),
      }))
      const attend = (x, { project, join }) => {
        const [batch] = x.shape
        const parts = tf.split(project(x), 3, -1)
        const split = (part) => part.reshape([batch, context, heads, width / heads]).transpose([0, 2, 1, 3])
        const [q, k, v] = parts.map(split)
        const scores = tf
          .matMul(q, k, false, true)
          .mul((width / heads) ** -0.5)
          .add(hidden)
        const mixed = tf.matMul(tf.softmax(scores), v).transpose([0, 2, 1, 3])
        return join(mixed.reshape([batch, context, width]))
      }
      const [final, head] = [norm(width), linear(width, vocabulary, false)]
      return (x) => {
        // A product with one-hot rows: the gradient of gather is missing in the WebAssembly backend.
        const found = tf.matMul(tf.oneHot(x.flatten(), vocabulary).toFloat(), tokens)
        let value = found.reshape([-1, context, width]).add(positions)
        for (const block of blocks) {
          value = value.add(attend(block.beforeAttention(value), block))
          value = value.add(block.contract(gelu(block.expand(block.beforeFeed(value)))))
        }
        return head(final(value)).reshape([-1, vocabulary])
      }
    },
    resnet({ classes, train }) {
      const batchNorm = (channels) => {
        const [scale, shift] = [tf.variable(tf.ones([channels])), tf.variable(tf.zeros([channels]))]
        const [mean, variance] = [tf.zeros([channels]), tf.ones([channels])]
        return (x) => {
          const used = train ? tf.moments(x, [0, 1, 2]) : { mean, variance }
          return tf.batchNorm(x, used.mean, used.variance, shift, scale, 1e-5)
        }
      }
      const pair = (...sizes) => {
        const [weight, normalize] = [convolution(...sizes, 'same'), batchNorm(sizes[1])]
        return (x) => normalize(weight(x))
      }
      const residual = (from, to, stride) => {
        const [first, second] = [pair(from, to, stride, 3), pair(to, to, 1, 3)]
        const shortcut = from === to && stride === 1 ? (x) => x : pair(from, to, stride, 1)
        return (x) => second(first(x).relu()).add(shortcut(x)).relu()
      }
      const stem = pair(3, 64, 2, 7)
      const blocks = [64, 128, 256, 512].flatMap((to, i) => [
        residual(i === 0 ? 64 : to / 2, to, i === 0 ? 1 : 2),
        residual(to, to, 1),
      ])
      const last = linear(512, classes)
      return (x) => {
        const start = tf.maxPool(stem(x).relu(), 3, 2, 'same')
        return last(
          tf.mean(
            blocks.reduce((value, block) => block(value), start),
            [1, 2],
          ),
        )
      }
    },
  }
}
