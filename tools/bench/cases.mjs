// What is measured: names, sizes and how many floating-point operations a step is. A peer knows the kinds alone (`mlp`, `gpt`
// ...) and gets the sizes from here, so the scaling series are the same code with other numbers. Operations are those of
// the products (a multiplication and an addition are two), without the gradient by the network's input, which nobody needs.

const mlp = { kind: 'mlp', sizes: [784, 512, 256, 10], batch: 128 }
const gptSizes = { layers: 4, width: 128, heads: 4, context: 128, batch: 16, vocabulary: 96 }
const gpt = { kind: 'gpt', train: true, ...gptSizes }
// One sequence from an empty cache to a full one, the likeliest token each time.
const generate = { kind: 'generate', ...gptSizes, batch: 1, tokens: gptSizes.context }
const resnet = { batch: 8, size: 64, classes: 1000 }

/** Cases that are measured with some peers only: the scaling series would take the slow ones many minutes. */
const peersOf = { j: ['nabla', 'nabla-blas', 'pytorch'] }

/** Every case, in the order of the table. `group` is the letter that `--cases` selects. */
export const cases = [
  ...[256, 512, 1024].map((size) => entry('a', `matmul-${size}`, { kind: 'matmul', size })),
  entry('b', 'chain', { kind: 'chain', size: 1 << 20 }),
  entry('b', 'sum', { kind: 'sum', size: 1 << 20 }),
  entry('b', 'softmax', { kind: 'softmax', rows: 1024, columns: 1000 }),
  entry('b', 'layernorm', { kind: 'layerNorm', rows: 4096, columns: 512 }),
  entry('c', 'mlp', mlp),
  entry('d', 'cnn', { kind: 'cnn', batch: 64 }),
  entry('e', 'lstm', { kind: 'lstm', batch: 32, steps: 50, inputs: 64, hidden: 128, outputs: 10 }),
  entry('f', 'gpt-infer', { ...gpt, train: false }),
  entry('f', 'gpt', gpt),
  entry('g', 'generate', generate),
  entry('h', 'resnet-infer', { kind: 'resnet', train: false, ...resnet }),
  entry('h', 'resnet-train', { kind: 'resnet', train: true, ...resnet }),
  entry('i', 'cold-start', { kind: 'coldStart' }),
  entry('j', 'mlp-width-x2', { ...mlp, sizes: [784, 1024, 512, 10] }),
  entry('j', 'mlp-depth-x2', { ...mlp, sizes: [784, 512, 512, 256, 256, 10] }),
  entry('j', 'mlp-batch-x2', { ...mlp, batch: 256 }),
  entry('j', 'gpt-width-x2', { ...gpt, width: 256 }),
  entry('j', 'gpt-depth-x2', { ...gpt, layers: 8 }),
  entry('j', 'gpt-batch-x2', { ...gpt, batch: 32 }),
]

/** The cases that a list of letters or full names selects, in the table's order; all for an empty list. */
export function selectCases(wanted) {
  const unknown = wanted.filter((word) => !cases.some(({ group, name }) => word === group || word === name))
  if (unknown.length > 0) {
    const known = [...new Set(cases.map(({ group }) => group))].join(', ')
    throw new RangeError(
      `--cases: unknown ${unknown.join(', ')}. Known: ${known}, or a full name such as c/mlp`,
    )
  }
  return cases.filter(
    ({ group, name }) => wanted.length === 0 || wanted.includes(group) || wanted.includes(name),
  )
}

function entry(group, title, spec) {
  return {
    name: `${group}/${title}`,
    group,
    spec,
    operations: operations(spec),
    tokens: spec.tokens ?? null,
    peers: peersOf[group] ?? null,
  }
}

/** Floating-point operations of one step, or null where products are not what the time goes into. */
export function operations(spec) {
  switch (spec.kind) {
    case 'matmul':
      return 2 * spec.size ** 3
    case 'mlp':
      return mlpOperations(spec)
    case 'cnn':
      return cnnOperations(spec)
    case 'lstm': {
      const { batch, steps, inputs, hidden, outputs } = spec
      const ofInputs = 2 * batch * steps * inputs * 4 * hidden
      const ofStates = 2 * batch * steps * hidden * 4 * hidden
      return 2 * ofInputs + 3 * ofStates + 3 * 2 * batch * hidden * outputs
    }
    case 'gpt': {
      const { layers, width, context, batch, vocabulary, train } = spec
      const tokens = batch * context
      const weights = layers * 12 * width * width + vocabulary * width
      const attention = layers * 2 * 2 * tokens * context * width
      return (train ? 3 : 1) * (2 * tokens * weights + attention)
    }
    case 'resnet':
      return resnetOperations(spec)
    default:
      return null
  }
}

function mlpOperations({ sizes, batch }) {
  let total = 0
  for (let i = 1; i < sizes.length; i++) total += (i === 1 ? 2 : 3) * 2 * batch * sizes[i - 1] * sizes[i]
  return total
}

function cnnOperations({ batch }) {
  const first = 2 * batch * 26 * 26 * 32 * 9
  const second = 2 * batch * 11 * 11 * 64 * 32 * 9
  const dense = 2 * batch * (1600 * 128 + 128 * 10)
  return 2 * first + 3 * second + 3 * dense
}

function resnetOperations({ batch, size, classes, train }) {
  const first = 2 * batch * (size / 2) ** 2 * 64 * 3 * 49
  let rest = 2 * batch * 512 * classes
  let channels = 64
  let side = size / 4
  for (const [stage, out] of [64, 128, 256, 512].entries()) {
    const next = stage === 0 ? side : side / 2
    const positions = 2 * batch * next ** 2
    rest += positions * 9 * out * (channels + 3 * out)
    if (stage > 0) rest += positions * channels * out
    channels = out
    side = next
  }
  return train ? 2 * first + 3 * rest : first + rest
}
