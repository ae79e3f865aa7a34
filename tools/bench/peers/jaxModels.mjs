// The models of the cases in jax-js: by kind a list of initial parameters and a function `predict(parameters, x)`. Values are
// counted by hand there: `x.ref` where x is used again, plain x at its last use.
import { weights } from '../data.mjs'

/** Makes the models with the library given. */
export function makeModels({ numpy: np, nn, lax }) {
  const constant = (shape, fanIn, seed) => np.array(weights(shape, fanIn, seed)).reshape(shape)

  /** Hands out parameters one after the other, in the order in which `predict` takes them. */
  const collect = () => {
    const initial = []
    return {
      initial,
      weight: (...shape) => initial.push(constant(shape, shape.at(-2) ?? shape[0], initial.length + 1)),
      // Of a convolution, [out, in, height, width].
      filter: (...shape) => initial.push(constant(shape, shape[1] * shape[2] * shape[3], initial.length + 1)),
      ones: (...shape) => initial.push(np.ones(shape)),
      zeros: (...shape) => initial.push(np.zeros(shape)),
    }
  }

  const mlp = ({ sizes }) => {
    const { initial, weight, zeros } = collect()
    for (let i = 1; i < sizes.length; i++) {
      weight(sizes[i - 1], sizes[i])
      zeros(sizes[i])
    }
    const predict = (parameters, x) => {
      let value = x
      for (let i = 0; i < parameters.length; i += 2) {
        value = np.matmul(i === 0 ? value : nn.relu(value), parameters[i]).add(parameters[i + 1])
      }
      return value
    }
    return { initial, predict }
  }

  /** The largest of each 2 x 2 block; an odd last row and column are left out. */
  const pool = (x) => {
    const [count, channels, height] = x.shape
    const half = height >> 1
    const even = x.slice([], [], [0, 2 * half], [0, 2 * half])
    return np.max(even.reshape([count, channels, half, 2, half, 2]), [3, 5])
  }

  const cnn = ({ batch }) => {
    const { initial, weight, filter, zeros } = collect()
    filter(32, 1, 3, 3)
    zeros(32, 1, 1)
    filter(64, 32, 3, 3)
    zeros(64, 1, 1)
    weight(1600, 128)
    zeros(128)
    weight(128, 10)
    zeros(10)
    const predict = ([w1, b1, w2, b2, w3, b3, w4, b4], x) => {
      const small = pool(nn.relu(lax.conv(x, w1, [1, 1], 'VALID').add(b1)))
      const smaller = pool(nn.relu(lax.conv(small, w2, [1, 1], 'VALID').add(b2)))
      return np.matmul(nn.relu(np.matmul(smaller.reshape([batch, 1600]), w3).add(b3)), w4).add(b4)
    }
    return { initial, predict }
  }

  const lstm = ({ batch, steps, inputs, hidden, outputs }) => {
    const { initial, weight, zeros } = collect()
    weight(inputs, 4 * hidden)
    weight(hidden, 4 * hidden)
    zeros(4 * hidden)
    weight(hidden, outputs)
    zeros(outputs)
    const predict = ([ofInputs, ofStates, shift, last, lastShift], x) => {
      let state = np.zeros([batch, hidden])
      let cell = np.zeros([batch, hidden])
      for (let t = 0; t < steps; t++) {
        // A product for each step: the gradient of slices of one for all is a sum of arrays as large as that.
        const projected = np.matmul(x.ref.slice([], t, []), ofInputs.ref).add(shift.ref)
        const gates = projected.add(np.matmul(state, ofStates.ref))
        const [input, forget, candidate, output] = np.split(gates, 4, 1)
        cell = nn
          .sigmoid(forget)
          .mul(cell)
          .add(nn.sigmoid(input).mul(np.tanh(candidate)))
        state = nn.sigmoid(output).mul(np.tanh(cell.ref))
      }
      for (const value of [x, ofInputs, ofStates, shift, cell]) value.dispose()
      return np.matmul(state, last).add(lastShift)
    }
    return { initial, predict }
  }

  const gpt = ({ layers, width, heads, context, batch, vocabulary }) => {
    const { initial, weight, ones, zeros } = collect()
    weight(vocabulary, width)
    weight(context, width)
    for (let layer = 0; layer < layers; layer++) {
      for (const [from, to] of [
        [width, 3 * width],
        [width, width],
        [width, 4 * width],
        [4 * width, width],
      ]) {
        weight(from, to)
        zeros(to)
      }
      for (let i = 0; i < 2; i++) {
        ones(width)
        zeros(width)
      }
    }
    ones(width)
    zeros(width)
    weight(width, vocabulary)
    const hidden = np.triu(np.ones([context, context]), 1).mul(-1e9)
    const norm = (x, scale, shift) => nn.standardize(x, -1).mul(scale).add(shift)
    const predict = (parameters, x) => {
      const rest = [...parameters]
      const take = (count) => rest.splice(0, count)
      const [tokens, positions] = take(2)
      // A product with one-hot rows, whose gradient is a product as well.
      let value = np.matmul(nn.oneHot(x, vocabulary), tokens).add(positions) // [N, T, C]
      for (let layer = 0; layer < layers; layer++) {
        const [project, b1, join, b2, expand, b3, contract, b4] = take(8)
        const [scale1, shift1, scale2, shift2] = take(4)
        const qkv = np.matmul(norm(value.ref, scale1, shift1), project).add(b1)
        const parts = np.split(qkv, 3, 2).map((part) => part.reshape([batch, context, heads, width / heads]))
        const [q, v] = [parts[0], parts[2]].map((part) => np.transpose(part, [0, 2, 1, 3]))
        const scores = np.matmul(q, np.transpose(parts[1], [0, 2, 3, 1])).mul((width / heads) ** -0.5)
        const mixed = np.transpose(np.matmul(nn.softmax(scores.add(hidden.ref), -1), v), [0, 2, 1, 3])
        value = value.add(np.matmul(mixed.reshape([batch, context, width]), join).add(b2))
        const fed = nn.gelu(np.matmul(norm(value.ref, scale2, shift2), expand).add(b3), { approximate: true })
        value = value.add(np.matmul(fed, contract).add(b4))
      }
      const [scale, shift, head] = take(3)
      return np.matmul(norm(value, scale, shift), head).reshape([batch * context, vocabulary])
    }
    return { initial, predict }
  }

  const resnet = ({ batch, classes }) => {
    const { initial, weight, filter, ones, zeros } = collect()
    const pair = (from, to, side) => {
      filter(to, from, side, side)
      ones(to, 1, 1)
      zeros(to, 1, 1)
    }
    const blocks = [64, 128, 256, 512].flatMap((to, i) => [
      { from: i === 0 ? 64 : to / 2, to, stride: i === 0 ? 1 : 2 },
      { from: to, to, stride: 1 },
    ])
    pair(3, 64, 7)
    for (const { from, to, stride } of blocks) {
      pair(from, to, 3)
      pair(to, to, 3)
      if (stride !== 1 || from !== to) pair(from, to, 1)
    }
    weight(512, classes)
    zeros(classes)
    const predict = (parameters, x) => {
      const rest = [...parameters]
      // A convolution and the statistics of its batch, which is what training does; inference does the same work here.
      const apply = (value, stride, pad) => {
        const [kernel, scale, shift] = rest.splice(0, 3)
        const y = lax.convGeneralDilated(
          value,
          kernel,
          [stride, stride],
          [
            [pad, pad],
            [pad, pad],
          ],
        )
        return nn.standardize(y, [0, 2, 3]).mul(scale).add(shift)
      }
      const [count, channels, half] = [batch, 64, x.shape[2] / 4]
      // The stem's pooling takes windows of 2 instead of 3, since overlapping ones have no gradient here.
      let value = nn.relu(apply(x, 2, 3)).reshape([count, channels, half, 2, half, 2])
      value = np.max(value, [3, 5])
      for (const { from, to, stride } of blocks) {
        const inner = apply(nn.relu(apply(value.ref, stride, 1)), 1, 1)
        const shortcut = stride === 1 && from === to ? value : apply(value, stride, 0)
        value = nn.relu(inner.add(shortcut))
      }
      const [last, lastShift] = rest
      return np.matmul(np.mean(value, [2, 3]), last).add(lastShift)
    }
    return { initial, predict }
  }

  return { mlp, cnn, lstm, gpt, resnet }
}
