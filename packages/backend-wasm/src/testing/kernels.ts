// For tests: launches of the kernels that training is made of, built by hand as the planner would hand them over.
import { call, cast, constant, type Expr } from '@nabla/engine'
import { LaunchBuilder, rowMajor, wave, type TestLaunch } from './launches.ts'

const { abs, sqrt } = Math

/** y = relu(x * a + b) + tanh(x) over one axis. */
export function chain(length: number): TestLaunch {
  const b = new LaunchBuilder([], [length])
  const x = b.input('float32', wave(length), { strides: [1] })
  const y = b.output('float32', length + 9, { strides: [1] })
  const shifted = call('add', call('mul', x, b.number('float32', 1.5)), b.number('float32', 0.5))
  b.element(y, call('add', call('max', shifted, 0), call('tanh', x)))
  return b.build()
}

/** x + column[c] + row[r], with numbers and a constant. */
function broadcast(rows: number, columns: number): TestLaunch {
  const b = new LaunchBuilder([rows], [columns])
  const x = b.input('float32', wave(rows * columns), { strides: [columns, 1] })
  const column = b.input('float32', wave(columns, 2, 1), { strides: [0, 1] })
  const row = b.input('float32', wave(rows, 2, 2), { strides: [1, 0] })
  const y = b.output('float32', rows * columns + 5, { strides: [columns, 1] })
  b.element(y, call('add', call('add', x, column), call('mul', call('exp', row), b.number('float32', 0.25))))
  return b.build()
}

/** Softmax along the inner axis, its exponentials kept in the output; `strides` are those of x and y. */
export function softmax(
  rows: number,
  columns: number,
  strides: readonly number[] = [columns, 1],
): TestLaunch {
  const b = new LaunchBuilder([rows], [columns])
  const x = b.input('float32', wave(rows * columns, 5), { strides })
  const y = b.output('float32', rows * columns + 5, { strides })
  const exponential = call('exp', call('sub', x, b.reduce('max', x)))
  const sum = b.reduce('sum', exponential, y)
  b.element(y, call('mul', exponential, call('reciprocal', sum)))
  return b.build()
}

/** x - log(sum(exp(x))) along the inner axis. */
function logSoftmax(rows: number, columns: number): TestLaunch {
  const b = new LaunchBuilder([rows], [columns])
  const x = b.input('float32', wave(rows * columns, 5), { strides: [columns, 1] })
  const y = b.output('float32', rows * columns, { strides: [columns, 1] })
  const maximum = b.reduce('max', x)
  const sum = b.reduce('sum', call('exp', call('sub', x, maximum)))
  b.element(y, call('sub', x, call('add', maximum, call('log', sum))))
  return b.build()
}

/** Cross-entropy with its gradient; the target class is compared with the position in the row. */
function crossEntropy(rows: number, classes: number): TestLaunch {
  const b = new LaunchBuilder([rows], [classes])
  const x = b.input('float32', wave(rows * classes, 4), { strides: [classes, 1] })
  const targets = Array.from({ length: rows }, (_, i) => (i * 7) % classes)
  const target = b.input('int32', targets, { strides: [1, 0] })
  const position = b.position({ strides: [0, 1] })
  const loss = b.output('float32', rows, { strides: [1, 0] })
  const gradient = b.output('float32', rows * classes, { strides: [classes, 1] })
  const scale = b.number('float32', 1 / rows)
  const hit = call('eq', position, target)
  const [maximum, atTarget] = b.stage([
    { fn: 'max', value: x, dtype: 'float32' },
    { fn: 'sum', value: call('where', hit, x, constant(0, 'float32')), dtype: 'float32' },
  ])
  const exponential = call('exp', call('sub', x, maximum!))
  const sum = b.reduce('sum', exponential, gradient)
  const probability = call('mul', exponential, call('div', scale, sum))
  b.element(gradient, call('sub', probability, call('where', hit, scale, constant(0, 'float32'))))
  b.row(loss, call('add', call('sub', maximum!, atTarget!), call('log', sum)))
  return b.build()
}

/** Layer norm: y, mean and reciprocal standard deviation. */
function layerNorm(rows: number, columns: number): TestLaunch {
  const b = new LaunchBuilder([rows], [columns])
  const x = b.input('float32', wave(rows * columns), { strides: [columns, 1] })
  const weight = b.input('float32', wave(columns, 1, 1), { strides: [0, 1] })
  const bias = b.input('float32', wave(columns, 1, 2), { strides: [0, 1] })
  const y = b.output('float32', rows * columns + 5, { strides: [columns, 1] })
  const mean = b.output('float32', rows, { strides: [1, 0] })
  const deviation = b.output('float32', rows, { strides: [1, 0] })
  const share = b.number('float32', 1 / columns)
  const mu = call('mul', b.reduce('sum', x), share)
  const centered = call('sub', x, mu)
  const variance = call('mul', b.reduce('sum', call('square', centered)), share)
  const rstd = call('rsqrt', call('add', variance, b.number('float32', 1e-5)))
  b.element(y, call('add', call('mul', call('mul', centered, rstd), weight), bias))
  b.row(mean, mu)
  b.row(deviation, rstd)
  return b.build()
}

const normalized = (x: Expr, mean: Expr, rstd: Expr): Expr => call('mul', call('sub', x, mean), rstd)

/** Gradient of layer norm with respect to its input: two sums in one pass. */
function layerNormBackward(rows: number, columns: number): TestLaunch {
  const b = new LaunchBuilder([rows], [columns])
  const x = b.input('float32', wave(rows * columns), { strides: [columns, 1] })
  const weight = b.input('float32', wave(columns, 1, 1), { strides: [0, 1] })
  const gradient = b.input('float32', wave(rows * columns, 2, 3), { strides: [columns, 1] })
  const mean = b.input('float32', wave(rows, 0.1), { strides: [1, 0] })
  const rstd = b.input(
    'float32',
    wave(rows, 1).map((v) => 0.5 + v * v),
    { strides: [1, 0] },
  )
  const result = b.output('float32', rows * columns, { strides: [columns, 1] })
  const share = b.number('float32', 1 / columns)
  const scaled = call('mul', gradient, weight)
  const xhat = normalized(x, mean, rstd)
  const [first, second] = b.stage([
    { fn: 'sum', value: scaled, dtype: 'float32' },
    { fn: 'sum', value: call('mul', scaled, xhat), dtype: 'float32' },
  ])
  const centered = call('sub', scaled, call('mul', first!, share))
  b.element(result, call('mul', rstd, call('sub', centered, call('mul', xhat, call('mul', second!, share)))))
  return b.build()
}

/** Gradients of layer norm with respect to weight and bias: sums over rows. */
export function layerNormParameters(rows: number, columns: number): TestLaunch {
  const b = new LaunchBuilder([columns], [rows])
  const x = b.input('float32', wave(rows * columns), { strides: [1, columns] })
  const gradient = b.input('float32', wave(rows * columns, 2, 3), { strides: [1, columns] })
  const mean = b.input('float32', wave(rows, 0.1), { strides: [0, 1] })
  const rstd = b.input('float32', wave(rows, 1).map(abs), { strides: [0, 1] })
  const weight = b.output('float32', columns + 3, { strides: [1, 0] })
  const bias = b.output('float32', columns + 3, { strides: [1, 0] })
  const [forWeight, forBias] = b.stage([
    { fn: 'sum', value: call('mul', gradient, normalized(x, mean, rstd)), dtype: 'float32' },
    { fn: 'sum', value: gradient, dtype: 'float32' },
  ])
  b.row(weight, forWeight!)
  b.row(bias, forBias!)
  return b.build()
}

/** Sums of columns. */
export function columnSums(rows: number, columns: number): TestLaunch {
  const b = new LaunchBuilder([columns], [rows])
  const x = b.input('float32', wave(rows * columns), { strides: [1, columns] })
  b.row(b.output('float32', columns + 3, { strides: [1, 0] }), b.reduce('sum', x))
  return b.build()
}

/** Scaled sums over planes and rows of [planes, rows, columns], each row weighed, added to what the result holds. */
function planeSums(planes: number, rows: number, columns: number): TestLaunch {
  const b = new LaunchBuilder([columns], [planes, rows])
  const x = b.input('float32', wave(planes * rows * columns), { strides: [1, rows * columns, columns] })
  const weight = b.input('float32', wave(planes * rows, 1, 1), { strides: [0, rows, 1] })
  const scale = b.input('float32', wave(columns, 1, 2), { strides: [1, 0, 0] })
  const place = b.buffer('float32', wave(columns, 5, 3))
  const before = b.inputAt('float32', place, { strides: [1, 0, 0] })
  const largest = b.output('float32', columns, { strides: [1, 0, 0] })
  const [sum, maximum] = b.stage([
    { fn: 'sum', value: call('mul', call('mul', x, weight), scale), dtype: 'float32' },
    {
      fn: 'max',
      value: call('add', x, cast(b.position({ strides: [1, 10, 2] }), 'float32')),
      dtype: 'float32',
    },
  ])
  b.row(
    b.outputAt('float32', place, { strides: [1, 0, 0] }),
    call('add', before, call('mul', sum!, b.number('float32', 0.5))),
  )
  b.row(largest, maximum!)
  return b.build()
}

/** Mean and variance of each channel of [N, C, H * W]. */
export function batchStatistics(samples: number, channels: number, pixels: number): TestLaunch {
  const b = new LaunchBuilder([channels], [samples, pixels])
  const [sample, channel] = rowMajor(samples, channels, pixels)
  const x = b.input('float32', wave(samples * channels * pixels), { strides: [channel!, sample!, 1] })
  const mean = b.output('float32', channels, { strides: [1, 0, 0] })
  const variance = b.output('float32', channels, { strides: [1, 0, 0] })
  const share = b.number('float32', 1 / (samples * pixels))
  const mu = call('mul', b.reduce('sum', x), share)
  b.row(mean, mu)
  b.row(variance, call('mul', b.reduce('sum', call('square', call('sub', x, mu))), share))
  return b.build()
}

/** One step of Adam: weight and both moments, each written where it was read. */
export function adam(length: number): TestLaunch {
  const b = new LaunchBuilder([], [length])
  const along = { strides: [1] }
  const places = [wave(length), wave(length, 0.1, 1), wave(length, 0.1, 2).map((v) => v * v)].map((data) =>
    b.buffer('float32', data),
  )
  const [weight, first, second] = places.map((slot) => b.inputAt('float32', slot, along)) as [
    Expr,
    Expr,
    Expr,
  ]
  const gradient = b.input('float32', wave(length, 1, 3), along)
  const [lr, beta1, beta2, rest1, rest2, eps] = [0.001, 0.9, 0.999, 0.1, 0.001, 1e-8].map((v) =>
    b.number('float32', v),
  ) as [Expr, Expr, Expr, Expr, Expr, Expr]
  const newFirst = call('add', call('mul', first, beta1), call('mul', gradient, rest1))
  const newSecond = call('add', call('mul', second, beta2), call('mul', call('square', gradient), rest2))
  const step = call('div', call('mul', lr, newFirst), call('add', call('sqrt', newSecond), eps))
  const results = [call('sub', weight, step), newFirst, newSecond]
  results.forEach((value, i) => b.element(b.outputAt('float32', places[i]!, along), value))
  return b.build()
}

/** The largest element of each window of [planes, height, width]; windows of `size` x `size`, `size` apart. */
export function maxPool(planes: number, height: number, width: number, size: number): TestLaunch {
  const [high, wide] = [Math.floor(height / size), Math.floor(width / size)]
  const b = new LaunchBuilder([planes, high, wide], [size, size])
  const strides = [height * width, size * width, size, width, 1]
  const x = b.input('float32', wave(planes * height * width), { strides })
  const y = b.output('float32', planes * high * wide, { strides: [...rowMajor(planes, high, wide), 0, 0] })
  b.row(y, b.reduce('max', x))
  return b.build()
}

/** x + z transposed + row[r] + column[c] * position, and a transposed copy of it. */
export function addTransposed(planes: number, rows: number, columns: number): TestLaunch {
  const b = new LaunchBuilder([planes, rows], [columns])
  const size = rows * columns
  const x = b.input('float32', wave(planes * size), { strides: [size, columns, 1] })
  const z = b.input('float32', wave(planes * size, 2, 1), { strides: [size, 1, rows] })
  const row = b.input('float32', wave(rows, 2, 1), { strides: [0, 1, 0] })
  const column = b.input('float32', wave(columns, 2, 1), { strides: [0, 0, 1] })
  const position = cast(b.position({ strides: [100, 10, 1] }), 'float32')
  const flags = b.output('bool', planes * size + 5, { strides: [size, 1, rows] })
  const y = b.output('float32', planes * size + 5, { strides: [size, columns, 1] })
  const turned = b.output('float32', planes * size + 5, { strides: [size, 1, rows] })
  const sum = call('add', call('add', x, z), call('add', row, call('mul', column, position)))
  b.element(y, sum)
  b.element(turned, sum)
  b.element(flags, call('gt', x, z))
  return b.build()
}

/** All of them, small, by name. */
export function namedKernels(): Readonly<Record<string, TestLaunch>> {
  return {
    chain: chain(37),
    'chain over several blocks': chain(40_000),
    broadcast: broadcast(5, 13),
    softmax: softmax(6, 31),
    'softmax over columns': softmax(9, 7, [1, 9]),
    'log-softmax': logSoftmax(4, 18),
    'cross-entropy': crossEntropy(7, 11),
    'layer norm': layerNorm(5, 21),
    'layer norm backward': layerNormBackward(5, 19),
    'layer norm parameters': layerNormParameters(6, 45),
    'column sums': columnSums(9, 71),
    'column sums, swept': columnSums(45, 730),
    'layer norm parameters, swept': layerNormParameters(70, 1029),
    'sums over two axes, swept': planeSums(5, 43, 190),
    'batch statistics': batchStatistics(4, 3, 10),
    adam: adam(29),
    'max pool': maxPool(3, 10, 14, 2),
    'max pool of 3': maxPool(2, 9, 9, 3),
    'sum with a transposed operand': addTransposed(2, 23, 14),
    'float64 mean': doubleMean(4, 9),
  }
}

/** Root mean square of each row in float64, from float32 elements. */
function doubleMean(rows: number, columns: number): TestLaunch {
  const b = new LaunchBuilder([rows], [columns])
  const x = b.input('float32', wave(rows * columns), { strides: [columns, 1] })
  const weight = b.input(
    'float64',
    wave(columns, 1, 1).map((v) => sqrt(abs(v))),
    { strides: [0, 1] },
  )
  const y = b.output('float64', rows, { strides: [1, 0] })
  const sum = b.reduce('sum', call('square', call('mul', cast(x, 'float64'), weight)))
  b.row(y, call('sqrt', call('mul', sum, b.number('float64', 1 / columns))))
  return b.build()
}
