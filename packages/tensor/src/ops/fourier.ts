// Discrete Fourier transforms. Complex numbers are pairs on the last axis (complex.ts), and dimensions are counted without
// it. One node does all the work: the unscaled transform along one dimension, which computes when called (computed.ts says
// what that means); its gradient is the same transform the other way round, so derivatives of any order cost n log n.
// Read next: ../dense/fourier.ts (the algorithm), spectrogram.ts.
import { checkDim, checkDims, lookUp, ValueError } from '@nabla/engine'
import { transformOf } from '../dense/fourier.ts'
import {
  createOp,
  defineFree,
  defineFunction,
  toTensor,
  type FreeFunction,
  type OpFunction,
  type Sample,
  type TensorLike,
  type TensorOp,
  type WrongCall,
} from '../op.ts'
import type { SampleMaker } from '../samples.ts'
import { makeHostLeaf, type Tensor } from '../tensor.ts'
import { floating, type Dims } from './common.ts'
import { pairsOf, toPairs } from './complex.ts'
import { computed, computedLowering, elementsNow } from './computed.ts'

/** Where the factor 1/n of a transform and its inverse goes: to the inverse (default), the other, or half to each. */
export type FourierNorm = 'backward' | 'forward' | 'ortho'

/** Settings of transforms along one dimension. */
export interface FourierOptions {
  /** Length of the signal, which is cut or filled with zeros. Default: as it is. */
  n?: number
  /** The dimension, not counting the axis of pairs. Default: the last. */
  dim?: number
  /** Default `backward`. */
  norm?: FourierNorm
}

const transformOp: TensorOp = createOp('fourier', computedLowering, ({ attributes }, upstream) => [
  transform(upstream, !(attributes['inverse'] as boolean)),
])

/** The unscaled transform of pairs [..., n, 2] along n. */
function transform(x: Tensor, inverse: boolean): Tensor {
  const length = x.shape[x.rank - 2]!
  const elements = elementsNow(inverse ? 'ifft' : 'fft', x)
  const run = transformOf(length, inverse)
  for (let start = 0; start < elements.length; start += 2 * length) run(elements, start)
  return computed(transformOp, [x], { inverse }, x.shape, elements)
}

const norms: Readonly<Record<FourierNorm, (length: number, inverse: boolean) => number>> = {
  backward: (length, inverse) => (inverse ? 1 / length : 1),
  forward: (length, inverse) => (inverse ? 1 : 1 / length),
  ortho: (length) => 1 / Math.sqrt(length),
}

/** Scaled transform along dimension `dim` of pairs. */
function along(x: Tensor, dim: number, norm: FourierNorm, inverse: boolean): Tensor {
  const factor = lookUp('norm of Fourier transforms', norm, norms)(x.shape[dim]!, inverse)
  const result = transform(x.movedim(dim, -2), inverse).movedim(-2, dim)
  return factor === 1 ? result : result.mul(factor)
}

/** `x` cut or filled with zeros to a length of dimension `dim`. */
function resized(op: string, x: Tensor, dim: number, length: number): Tensor {
  if (!Number.isInteger(length) || length < 1) {
    throw new ValueError(`${op}: the length of a signal is a whole number from 1; got ${String(length)}`)
  }
  const present = x.shape[dim]!
  if (length <= present) return length === present ? x : x.narrow(dim, 0, length)
  const padding = Array.from({ length: 2 * (x.rank - dim) }, () => 0)
  padding[padding.length - 1] = length - present
  return x.pad(padding)
}

function complexTransform(
  name: 'fft' | 'ifft',
): OpFunction<(x: TensorLike, options?: FourierOptions) => Tensor> {
  return defineFunction({
    name,
    call: (value: TensorLike, options: FourierOptions = {}) => {
      const x = toPairs(name, value)
      const dim = checkDim(name, options.dim ?? -1, x.rank - 1)
      const signal = resized(name, x, dim, options.n ?? x.shape[dim]!)
      return along(signal, dim, options.norm ?? 'backward', name === 'ifft')
    },
    samples: complexSamples,
    wrong: complexWrong(name),
  })
}

function complexSamples(make: SampleMaker): Sample[] {
  return [
    [make.real([8, 2])],
    [make.real([2, 5, 2]), { norm: 'ortho' }],
    [make.real([3, 4, 2]), { dim: 0, n: 4 }],
    [make.real([6, 2]), { n: 3, norm: 'forward' }],
    [make.strided([4, 2])],
    [make.real([1, 2])],
  ]
}

function complexWrong(name: string): WrongCall[] {
  return [
    {
      args: (make) => [make.real([2, 3])],
      error: 'ShapeError',
      message: new RegExp(`${name}: needs complex numbers, pairs on the last axis`),
    },
    {
      args: (make) => [make.real([3, 2]), { n: 0 }],
      error: 'ValueError',
      message: new RegExp(`${name}: the length of a signal is a whole number from 1; got 0`),
    },
    {
      args: (make) => [make.real([3, 2]), { norm: 'half' }],
      error: 'ValueError',
      message: /unknown norm of Fourier transforms 'half'/,
    },
  ]
}

/**
 * The discrete Fourier transform of complex signals [..., n, 2]: X[k] = sum of x[j] exp(-2 pi i j k / n), in n log n for
 * every n. Real signals: `x.toComplex().fft()`, or {@link rfft}. Computes when called.
 * @throws ShapeError, ValueError
 */
export const fft: OpFunction<(x: TensorLike, options?: FourierOptions) => Tensor> = complexTransform('fft')

/** The inverse of {@link fft}. Computes when called. @throws ShapeError, ValueError */
export const ifft: OpFunction<(x: TensorLike, options?: FourierOptions) => Tensor> = complexTransform('ifft')

/** Settings of transforms along two dimensions. */
export interface Fourier2dOptions {
  /** The dimensions, not counting the axis of pairs. Default: the last two. */
  dims?: readonly number[]
  /** Default `backward`. */
  norm?: FourierNorm
}

function transform2d(
  name: 'fft2' | 'ifft2',
): OpFunction<(x: TensorLike, options?: Fourier2dOptions) => Tensor> {
  return defineFunction({
    name,
    call: (value: TensorLike, { dims = [-2, -1], norm = 'backward' }: Fourier2dOptions = {}) => {
      const x = toPairs(name, value)
      return checkDims(name, dims, x.rank - 1).reduce(
        (result, dim) => along(result, dim, norm, name === 'ifft2'),
        x,
      )
    },
    samples: (make) => [[make.real([3, 4, 2])], [make.real([2, 3, 2, 2]), { dims: [0, 1], norm: 'ortho' }]],
    wrong: complexWrong(name).slice(0, 1),
  })
}

/** The Fourier transform along two dimensions (or those given) of complex values [..., M, N, 2]. @throws ShapeError, ValueError */
export const fft2: OpFunction<(x: TensorLike, options?: Fourier2dOptions) => Tensor> = transform2d('fft2')

/** The inverse of {@link fft2}. @throws ShapeError, ValueError */
export const ifft2: OpFunction<(x: TensorLike, options?: Fourier2dOptions) => Tensor> = transform2d('ifft2')

/**
 * The Fourier transform of real signals [..., n]: complex [..., floor(n / 2) + 1, 2], the rest following by symmetry.
 * Computes when called.
 * @throws ShapeError, ValueError
 */
export const rfft: OpFunction<(x: TensorLike, options?: FourierOptions) => Tensor> = defineFunction({
  name: 'rfft',
  call: (value: TensorLike, options: FourierOptions = {}) => {
    const x = floating(toTensor('rfft', value))
    const dim = checkDim('rfft', options.dim ?? -1, x.rank)
    const signal = resized('rfft', x, dim, options.n ?? x.shape[dim]!)
    const pairs = signal.unsqueeze(-1).pad([0, 1])
    const half = Math.floor(signal.shape[dim]! / 2) + 1
    return along(pairs, dim, options.norm ?? 'backward', false).narrow(dim, 0, half)
  },
  samples: (make) => [
    [make.real([8])],
    [make.real([2, 7]), { norm: 'ortho' }],
    [make.real([3, 4]), { dim: 0, n: 5 }],
    [make.strided([3, 4])],
  ],
  wrong: [
    {
      args: (make) => [make.real([])],
      error: 'ShapeError',
      message: /rfft: dimension -1 does not exist/,
    },
    {
      args: (make) => [make.real([0])],
      error: 'ValueError',
      message: /rfft: the length of a signal is a whole number from 1; got 0/,
    },
  ],
})

/**
 * The real signals [..., n] whose {@link rfft} is X [..., floor(n / 2) + 1, 2]; `n` is by default even, twice the number of
 * frequencies less two. Imaginary parts that no real signal has are ignored. Computes when called.
 * @throws ShapeError, ValueError
 */
export const irfft: OpFunction<(x: TensorLike, options?: FourierOptions) => Tensor> = defineFunction({
  name: 'irfft',
  call: (value: TensorLike, options: FourierOptions = {}) => {
    const x = toPairs('irfft', value)
    const dim = checkDim('irfft', options.dim ?? -1, x.rank - 1)
    const length = options.n ?? 2 * (x.shape[dim]! - 1)
    if (!Number.isInteger(length) || length < 1) {
      throw new ValueError(`irfft: the length of a signal is a whole number from 1; got ${String(length)}`)
    }
    const half = resized('irfft', x, dim, Math.floor(length / 2) + 1)
    // Frequency n - k is the conjugate of frequency k.
    const mirrored = length - half.shape[dim]!
    const back = half.narrow(dim, 1, mirrored).flip(dim)
    const conjugates = pairsOf(back.select(-1, 0), back.select(-1, 1).neg())
    const spectrum = resized('irfft', half, dim, length).add(shiftedTo(conjugates, dim, half.shape[dim]!))
    return along(spectrum, dim, options.norm ?? 'backward', true).select(-1, 0)
  },
  samples: (make) => [
    [make.real([5, 2])],
    [make.real([2, 4, 2]), { n: 7, norm: 'ortho' }],
    [make.real([3, 2, 2]), { dim: 0 }],
    [make.real([4, 2]), { n: 3 }],
  ],
  wrong: complexWrong('irfft'),
})

/** `x` with zeros in front of it along a dimension. */
function shiftedTo(x: Tensor, dim: number, count: number): Tensor {
  const padding = Array.from({ length: 2 * (x.rank - dim) }, () => 0)
  padding[padding.length - 2] = count
  return x.pad(padding)
}

function shift(
  name: 'fftshift' | 'ifftshift',
  by: (size: number) => number,
): OpFunction<(x: TensorLike, dims: Dims) => Tensor> {
  return defineFunction({
    name,
    call: (value: TensorLike, dims: Dims) => {
      const x = toTensor(name, value)
      const over = checkDims(name, dims, x.rank)
      return x.roll(
        over.map((dim) => by(x.shape[dim]!)),
        over,
      )
    },
    samples: (make) => [
      [make.real([5]), 0],
      [make.real([3, 4, 2]), [0, 1]],
    ],
    wrong: [
      {
        args: (make) => [make.real([5]), 1],
        error: 'ShapeError',
        message: new RegExp(`${name}: dimension 1 does not exist`),
      },
    ],
  })
}

/** Moves frequency 0 to the middle of each given dimension (of a tensor of pairs, leave the last one out). @throws ShapeError */
export const fftshift: OpFunction<(x: TensorLike, dims: Dims) => Tensor> = shift('fftshift', (size) =>
  Math.floor(size / 2),
)

/** Undoes {@link fftshift}. @throws ShapeError */
export const ifftshift: OpFunction<(x: TensorLike, dims: Dims) => Tensor> = shift('ifftshift', (size) =>
  Math.ceil(size / 2),
)

/** The frequencies of {@link fft} for n samples that lie `spacing` (default 1) apart: 0, 1, ..., -2, -1 over n * spacing. */
export const fftfreq: FreeFunction<(n: number, spacing?: number) => Tensor> = defineFree({
  name: 'fftfreq',
  call: (n: number, spacing: number = 1) => {
    checkCount('fftfreq', n)
    return frequencies(
      Array.from({ length: n }, (_, k) => (2 * k < n ? k : k - n)),
      n * spacing,
    )
  },
  samples: () => [[8], [5, 0.5]],
  wrong: [{ args: () => [0], error: 'ValueError', message: /fftfreq: n is a whole number from 1; got 0/ }],
})

/** The frequencies of {@link rfft} for n samples that lie `spacing` (default 1) apart. */
export const rfftfreq: FreeFunction<(n: number, spacing?: number) => Tensor> = defineFree({
  name: 'rfftfreq',
  call: (n: number, spacing: number = 1) => {
    checkCount('rfftfreq', n)
    return frequencies(
      Array.from({ length: Math.floor(n / 2) + 1 }, (_, k) => k),
      n * spacing,
    )
  },
  samples: () => [[8], [5, 0.5]],
  wrong: [
    { args: () => [1.5], error: 'ValueError', message: /rfftfreq: n is a whole number from 1; got 1.5/ },
  ],
})

function checkCount(op: string, n: number): void {
  if (!Number.isInteger(n) || n < 1)
    throw new ValueError(`${op}: n is a whole number from 1; got ${String(n)}`)
}

function frequencies(cycles: readonly number[], duration: number): Tensor {
  return makeHostLeaf(
    Float32Array.from(cycles, (cycle) => cycle / duration),
    [cycles.length],
    'float32',
  )
}
