// What the bench of row kernels measures: names, sizes, and the bytes that cannot be avoided (each input and each result
// once), from which rates follow. A peer knows the kinds alone (nabla.mjs, pytorch.py, tfjs.mjs) and gets the sizes from here.

const million = 1 << 20

/** Functions of one number, measured over a million numbers each; `pow` takes two. */
const functions = [
  'exp',
  'expm1',
  'tanh',
  'sigmoid',
  'erf',
  'gelu',
  'geluTanh',
  'log',
  'log1p',
  'sin',
  'cos',
  'sqrt',
  'rsqrt',
  'pow',
]

/** Every case, in the order of the table. `reads` and `writes` count elements of four bytes. */
export const cases = [
  matrix('softmax', 1024, 1000),
  matrix('softmax', 1024, 1003),
  matrix('softmax', 8000, 31),
  matrix('softmax', 100_000, 10),
  matrix('logSoftmax', 1024, 1000),
  matrix('crossEntropy', 1024, 1000),
  matrix('layerNorm', 4096, 512),
  matrix('layerNormTraining', 4096, 512, 2, 2),
  matrix('rmsNorm', 4096, 512),
  flat('sum', million, 1, 0),
  flat('chain', million, 3, 1),
  flat('adam', million, 4, 3),
  matrix('columnSums', 1024, 1000, 1, 0),
  entry('batchStatistics', [64, 32, 28, 28], 1, 0),
  matrix('addColumns', 1024, 1000),
  matrix('addRows', 1024, 1000),
  matrix('addTransposed', 1024, 1000, 2, 1),
  matrix('scaleAndShift', 1024, 1000),
  matrix('argmax', 1024, 1000, 1, 0),
  flat('where', million, 2, 1),
  flat('toInteger', million, 1, 1),
  entry('maxPool', [64, 32, 26, 26], 1, 0.25),
  entry('maxPool3', [8, 64, 32, 32], 1, 0.25),
  entry('avgPool', [64, 32, 26, 26], 1, 0.25),
  flat('dropout', million, 1, 1),
  flat('rand', million, 0, 1),
  flat('randn', million, 0, 1),
  matrix('embedding', 8192, 256),
  matrix('embeddingTraining', 8192, 256),
  matrix('cumsum', 1024, 1000),
  matrix('sort', 1024, 1000),
  flat('upload', million, 1, 1),
  flat('download', million, 1, 1),
  ...functions.map((name) => flat(`f:${name}`, million, name === 'pow' ? 2 : 1, 1)),
]

function flat(kind, size, reads, writes) {
  return entry(kind, [size], reads, writes)
}

function matrix(kind, rows, columns, reads = 1, writes = 1) {
  return entry(kind, [rows, columns], reads, writes)
}

function entry(kind, shape, reads, writes) {
  const elements = shape.reduce((product, size) => product * size, 1)
  return {
    name: `${kind} [${shape.join(', ')}]`,
    kind,
    shape,
    elements,
    bytes: 4 * elements * (reads + writes),
  }
}

/** The cases whose names contain one of some words; all for no words. */
export function selectRows(words) {
  if (words.length === 0) return cases
  const selected = cases.filter(({ name }) => words.some((word) => name.includes(word)))
  if (selected.length === 0) {
    throw new RangeError(
      `no case is called ${words.join(' or ')}. Known: ${cases.map(({ name }) => name).join(', ')}`,
    )
  }
  return selected
}
