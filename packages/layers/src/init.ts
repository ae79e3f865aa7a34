// Initial values of parameters. They are computed on the host, from the same seeded stream as the tensor package's random
// functions, so `manualSeed` reproduces a whole model. Each function gives a tensor of a shape, for a new parameter or
// for one that is to start anew: `layer.weight.value = init.xavierUniform(layer.weight.shape)`.
import {
  checkShape,
  hostArray,
  lookUp,
  philox4x32,
  ShapeError,
  formatShape,
  sizeOf,
  ValueError,
  type Shape,
  type TypedArray,
} from '@nabla/engine'
import { defaultGenerator, Parameter, tensor, type Generator, type Tensor } from '@nabla/tensor'

/** What all initializers take last. */
export interface InitOptions {
  /** Default float32. */
  dtype?: 'float32' | 'float64'
  /** Default: the one that `manualSeed` seeds. */
  generator?: Generator
}

/** Every element `value`. */
export function constant(shape: Shape, value: number, options: InitOptions = {}): Tensor {
  if (typeof value !== 'number')
    throw new ValueError(`constant: the value must be a number; got ${String(value)}`)
  return make('constant', shape, options, (data) => data.fill(value))
}

/** Zeros. */
export function zeros(shape: Shape, options: InitOptions = {}): Tensor {
  return make('zeros', shape, options, () => {})
}

/** Ones. */
export function ones(shape: Shape, options: InitOptions = {}): Tensor {
  return make('ones', shape, options, (data) => data.fill(1))
}

/** Uniform numbers in [low, high). */
export function uniform(shape: Shape, options: InitOptions & { low?: number; high?: number } = {}): Tensor {
  const { low = 0, high = 1 } = options
  if (!(low <= high)) throw new ValueError(`uniform: low (${low}) must not lie above high (${high})`)
  return make('uniform', shape, options, (data) => fillUniform(data, low, high, options.generator))
}

/** Normal numbers. */
export function normal(
  shape: Shape,
  options: InitOptions & { mean?: number; deviation?: number } = {},
): Tensor {
  const { mean = 0, deviation = 1 } = options
  if (!(deviation >= 0)) throw new ValueError(`normal: the deviation must not be negative; got ${deviation}`)
  return make('normal', shape, options, (data) => fillNormal(data, mean, deviation, options.generator))
}

/** What follows a layer, by name; decides how far initial values spread so that signals keep their size. */
export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu'

/** The factor recommended for a nonlinearity; `slope` is that of `leakyRelu`. @throws ValueError listing the known ones */
export function gain(nonlinearity: Nonlinearity, slope: number = 0.01): number {
  const gains: Readonly<Record<Nonlinearity, number>> = {
    linear: 1,
    sigmoid: 1,
    tanh: 5 / 3,
    relu: Math.SQRT2,
    leakyRelu: Math.sqrt(2 / (1 + slope ** 2)),
    selu: 3 / 4,
  }
  return lookUp('nonlinearity', nonlinearity, gains)
}

/** Settings of the initializers by Glorot and Bengio. */
export interface XavierOptions extends InitOptions {
  /** See {@link gain}. Default 1. */
  gain?: number
}

/** Uniform with variance gain² · 2 / (in + out) (Glorot and Bengio 2010, equation 16). @throws ShapeError below rank 2 */
export function xavierUniform(shape: Shape, options: XavierOptions = {}): Tensor {
  const bound = Math.sqrt(3) * xavierDeviation('xavierUniform', shape, options)
  return uniform(shape, { ...options, low: -bound, high: bound })
}

/** Normal with variance gain² · 2 / (in + out) (Glorot and Bengio 2010). @throws ShapeError below rank 2 */
export function xavierNormal(shape: Shape, options: XavierOptions = {}): Tensor {
  return normal(shape, { ...options, mean: 0, deviation: xavierDeviation('xavierNormal', shape, options) })
}

/** Settings of the initializers by He et al. */
export interface KaimingOptions extends InitOptions {
  /** Default `leakyRelu`, whose slope 0 makes it relu. */
  nonlinearity?: Nonlinearity
  /** Slope of `leakyRelu`. Default 0. */
  slope?: number
  /** Whether signals keep their size forwards (`fanIn`, the default) or gradients backwards. */
  mode?: 'fanIn' | 'fanOut'
}

/** Uniform with variance gain² / fan (He et al. 2015, equation 10). @throws ShapeError below rank 2 */
export function kaimingUniform(shape: Shape, options: KaimingOptions = {}): Tensor {
  const bound = Math.sqrt(3) * kaimingDeviation('kaimingUniform', shape, options)
  return uniform(shape, { ...options, low: -bound, high: bound })
}

/** Normal with variance gain² / fan (He et al. 2015, equation 10). @throws ShapeError below rank 2 */
export function kaimingNormal(shape: Shape, options: KaimingOptions = {}): Tensor {
  return normal(shape, { ...options, mean: 0, deviation: kaimingDeviation('kaimingNormal', shape, options) })
}

/**
 * A matrix with orthonormal rows (or columns, where there are fewer of those), times gain (Saxe et al. 2014). Further
 * dimensions count as columns.
 * @throws ShapeError below rank 2
 */
export function orthogonal(shape: Shape, options: XavierOptions = {}): Tensor {
  const { fanOut: rows, columns } = fansOf('orthogonal', shape)
  return make('orthogonal', shape, options, (data) => {
    const [count, length] = rows <= columns ? [rows, columns] : [columns, rows]
    const vectors = orthonormal(count, length, options.generator)
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        data[i * columns + j] = (options.gain ?? 1) * (rows <= columns ? vectors[i]![j]! : vectors[j]![i]!)
      }
    }
  })
}

/** A parameter that is uniform within ±1/√fanIn: how PyTorch starts linear and convolution layers, biases included. */
export function fanInUniform(
  shape: Shape,
  fanIn: number,
  dtype: 'float32' | 'float64',
  name: string,
): Parameter {
  const bound = 1 / Math.sqrt(fanIn)
  return new Parameter(uniform(shape, { dtype, low: -bound, high: bound }), { name })
}

function make(
  name: string,
  shape: Shape,
  { dtype = 'float32' }: InitOptions,
  fill: (data: TypedArray) => void,
): Tensor {
  checkShape(name, shape)
  lookUp(`dtype of ${name}`, dtype, { float32: true, float64: true })
  const data = hostArray(dtype, sizeOf(shape))
  fill(data)
  return tensor(data, { shape, dtype })
}

function xavierDeviation(name: string, shape: Shape, options: XavierOptions): number {
  const { fanIn, fanOut, receptive } = fansOf(name, shape)
  return (options.gain ?? 1) * Math.sqrt(2 / Math.max(1, fanIn + fanOut * receptive))
}

function kaimingDeviation(name: string, shape: Shape, options: KaimingOptions): number {
  const { nonlinearity = 'leakyRelu', slope = 0, mode = 'fanIn' } = options
  const { fanIn, fanOut, receptive } = fansOf(name, shape)
  const fan = lookUp(`mode of ${name}`, mode, { fanIn, fanOut: fanOut * receptive })
  return gain(nonlinearity, slope) / Math.sqrt(Math.max(1, fan))
}

// How many inputs an output sees, from the shape of a weight [out, in, ...window].
function fansOf(
  name: string,
  shape: Shape,
): { fanIn: number; fanOut: number; receptive: number; columns: number } {
  checkShape(name, shape)
  if (shape.length < 2) {
    throw new ShapeError(
      `${name}: a weight must have two dimensions, [out, in, ...]; got ${formatShape(shape)}. Use uniform or normal`,
    )
  }
  const columns = sizeOf(shape.slice(1))
  return { fanIn: columns, fanOut: shape[0]!, receptive: sizeOf(shape.slice(2)), columns }
}

function fillUniform(data: TypedArray, low: number, high: number, generator: Generator | undefined): void {
  eachBlock(data.length, generator, (start, words) => {
    for (let i = 0; i < 4 && start + i < data.length; i++)
      data[start + i] = low + unit(words[i]!) * (high - low)
  })
}

// Box and Muller 1958: two normal numbers from two uniform ones.
function fillNormal(
  data: TypedArray,
  mean: number,
  deviation: number,
  generator: Generator | undefined,
): void {
  eachBlock(data.length, generator, (start, words) => {
    for (let pair = 0; pair < 4; pair += 2) {
      const radius = Math.sqrt(-2 * Math.log(unit(words[pair]!) + 2 ** -24))
      const angle = 2 * Math.PI * unit(words[pair + 1]!)
      const i = start + pair
      if (i < data.length) data[i] = mean + deviation * radius * Math.cos(angle)
      if (i + 1 < data.length) data[i + 1] = mean + deviation * radius * Math.sin(angle)
    }
  })
}

// Element e takes word e mod 4 of block e div 4: the rule of the engine, which says `rand` and this are one stream.
function eachBlock(
  length: number,
  generator: Generator = defaultGenerator,
  use: (start: number, words: readonly number[]) => void,
): void {
  const [key0, key1, counter0, counter1] = generator.next()
  for (let start = 0; start < length; start += 4) {
    use(start, philox4x32([start / 4, 0, counter0, counter1], [key0, key1]))
  }
}

function unit(word: number): number {
  return (word >>> 8) * 2 ** -24
}

// Gram and Schmidt, twice over each vector: once leaves rounding errors that are not orthogonal.
function orthonormal(count: number, length: number, generator: Generator | undefined): Float64Array[] {
  const all = new Float64Array(count * length)
  fillNormal(all, 0, 1, generator)
  const vectors: Float64Array[] = []
  for (let i = 0; i < count; i++) {
    const vector = all.subarray(i * length, (i + 1) * length)
    for (let repetition = 0; repetition < 2; repetition++) {
      for (const other of vectors) {
        const along = dot(vector, other)
        for (let j = 0; j < length; j++) vector[j]! -= along * other[j]!
      }
    }
    const size = Math.sqrt(dot(vector, vector))
    for (let j = 0; j < length; j++) vector[j]! /= size
    vectors.push(vector)
  }
  return vectors
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
