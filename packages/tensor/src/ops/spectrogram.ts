// Short-time Fourier transforms and the windows they look through. Complex values are pairs on the last axis (complex.ts).
// Read before: fourier.ts.
import { formatShape, hostArray, ShapeError, ValueError, type DType } from '@nabla/engine'
import {
  defineFree,
  defineFunction,
  toTensor,
  type FreeFunction,
  type OpFunction,
  type TensorLike,
} from '../op.ts'
import { makeHostLeaf, noGrad, type Tensor } from '../tensor.ts'
import { floating } from './common.ts'
import { pairsOf, toPairs } from './complex.ts'
import { fft, ifft, irfft, rfft } from './fourier.ts'

/** Settings of windows. */
export interface WindowOptions {
  /** Whether the window is one period of a periodic one, as transforms want it (default), or symmetric, for filters. */
  periodic?: boolean
  /** Default float32. */
  dtype?: 'float32' | 'float64'
}

/** A window. */
export type WindowFunction = FreeFunction<(length: number, options?: WindowOptions) => Tensor>

/** A window whose value is a sum of cosines of multiples of the angle, with alternating signs. */
function cosineWindow(name: string, coefficients: readonly number[]): WindowFunction {
  return windowFunction(name, (angle) =>
    coefficients.reduce(
      (sum, coefficient, k) => sum + (k % 2 === 0 ? 1 : -1) * coefficient * Math.cos(k * angle),
      0,
    ),
  )
}

function windowFunction(name: string, valueAt: (angle: number) => number): WindowFunction {
  return defineFree({
    name,
    call: (length: number, { periodic = true, dtype = 'float32' }: WindowOptions = {}) => {
      if (!Number.isInteger(length) || length < 0) {
        throw new ValueError(`${name}: the length is a whole number from 0; got ${String(length)}`)
      }
      const period = periodic ? length : length - 1
      const values = Array.from({ length }, (_, i) =>
        length === 1 ? 1 : valueAt((2 * Math.PI * i) / period),
      )
      return makeHostLeaf(hostArray(dtype as DType, values), [length], dtype)
    },
    samples: () => [[8], [5, { periodic: false }], [1], [0], [3, { dtype: 'float64' }]],
    wrong: [
      {
        args: () => [-1],
        error: 'ValueError',
        message: new RegExp(`${name}: the length is a whole number from 0; got -1`),
      },
    ],
  })
}

/** Hann's window: (1 - cos t) / 2. */
export const hannWindow: WindowFunction = cosineWindow('hannWindow', [0.5, 0.5])
/** Hamming's window: 0.54 - 0.46 cos t. */
export const hammingWindow: WindowFunction = cosineWindow('hammingWindow', [0.54, 0.46])
/** Blackman's window: 0.42 - 0.5 cos t + 0.08 cos 2t. */
export const blackmanWindow: WindowFunction = cosineWindow('blackmanWindow', [0.42, 0.5, 0.08])
/** Bartlett's window: a triangle. */
export const bartlettWindow: WindowFunction = windowFunction(
  'bartlettWindow',
  (angle) => 1 - Math.abs(angle / Math.PI - 1),
)

/** Settings of {@link stft}; {@link istft} takes those that the transform was made with. */
export interface StftOptions {
  /** Samples from one frame to the next. Default: a quarter of nFft. */
  hopLength?: number
  /** Length of the window, centred in the frame. Default: that of the window given, or nFft. */
  windowLength?: number
  /** [windowLength]. Default: ones. */
  window?: TensorLike
  /** Whether frames are centred at multiples of hopLength, the signal being padded by nFft / 2. Default true. */
  center?: boolean
  /** How the signal is padded. Default reflect. */
  padMode?: 'reflect' | 'constant' | 'replicate' | 'circular'
  /** Whether results are divided by the root of nFft. Default false. */
  normalized?: boolean
  /** Whether only the frequencies up to half the sampling rate are given. Default true. */
  onesided?: boolean
}

interface Frames {
  readonly hop: number
  /** [nFft] */
  readonly window: Tensor
}

function framesOf(op: string, nFft: number, options: StftOptions, dtype: DType): Frames {
  const hop = options.hopLength ?? Math.floor(nFft / 4)
  if (!Number.isInteger(nFft) || nFft < 1 || !Number.isInteger(hop) || hop < 1) {
    throw new ValueError(
      `${op}: nFft and hopLength are whole numbers from 1; got ${String(nFft)} and ${String(hop)}`,
    )
  }
  const given = options.window === undefined ? null : toTensor(op, options.window)
  const length = options.windowLength ?? given?.shape[0] ?? nFft
  if (!Number.isInteger(length) || length < 1 || length > nFft) {
    throw new ValueError(`${op}: the window has from 1 to nFft = ${nFft} samples; got ${String(length)}`)
  }
  if (given !== null && (given.rank !== 1 || given.shape[0] !== length)) {
    throw new ShapeError(`${op}: the window must have shape [${length}]; got ${formatShape(given.shape)}`)
  }
  const ones = makeHostLeaf(
    hostArray(
      dtype,
      Array.from({ length }, () => 1),
    ),
    [length],
    dtype,
  )
  const before = Math.floor((nFft - length) / 2)
  return { hop, window: (given ?? ones).to(dtype).pad([before, nFft - length - before]) }
}

/**
 * The short-time Fourier transform of real signals [..., T]: complex [..., frequencies, frames, 2]. Computes when called.
 * @throws ShapeError, ValueError
 */
export const stft: OpFunction<(x: TensorLike, nFft: number, options?: StftOptions) => Tensor> =
  defineFunction({
    name: 'stft',
    call: (value: TensorLike, nFft: number, options: StftOptions = {}) => {
      let x = floating(toTensor('stft', value))
      const { hop, window } = framesOf('stft', nFft, options, x.dtype)
      if (x.rank === 0)
        throw new ShapeError('stft: a signal has at least one dimension [..., T]; got a scalar')
      const half = Math.floor(nFft / 2)
      if (options.center !== false) x = x.pad([half, half], { mode: options.padMode ?? 'reflect' })
      if (x.shape[x.rank - 1]! < nFft) {
        throw new ShapeError(`stft: the signal has ${x.shape[x.rank - 1]} samples, fewer than nFft = ${nFft}`)
      }
      const frames = x.unfold(-1, nFft, hop).mul(window)
      const norm = options.normalized === true ? 'ortho' : 'backward'
      const spectrum =
        options.onesided === false ? fft(pairsOf(frames, frames.mul(0)), { norm }) : rfft(frames, { norm })
      return spectrum.transpose(-3, -2)
    },
    samples: (make) => [
      [make.real([2, 24]), 8, { hopLength: 4, window: make.real([8], { low: 0.5, high: 1 }) }],
      [make.real([12]), 6, { center: false, onesided: false, normalized: true, hopLength: 3 }],
      [make.real([12]), 8, { windowLength: 5, padMode: 'constant' }],
    ],
    wrong: [
      {
        args: (make) => [make.real([4]), 8, { center: false }],
        error: 'ShapeError',
        message: /stft: the signal has 4 samples, fewer than nFft = 8/,
      },
      {
        args: (make) => [make.real([20]), 8, { window: make.real([9]) }],
        error: 'ValueError',
        message: /stft: the window has from 1 to nFft = 8 samples; got 9/,
      },
      {
        args: (make) => [make.real([20]), 8, { hopLength: 0 }],
        error: 'ValueError',
        message: /stft: nFft and hopLength are whole numbers/,
      },
    ],
  })

/** Settings of {@link istft}. */
export interface IstftOptions extends Omit<StftOptions, 'padMode'> {
  /** Samples of the result. Default: as many as the frames reach. */
  length?: number
}

/**
 * The real signals [..., T] of which X [..., frequencies, frames, 2] is the {@link stft}: frames are added up through the
 * window again and divided by the sum of its squares (Griffin & Lim 1984). Where that sum is 0, so is the result. Computes
 * when called.
 * @throws ShapeError, ValueError
 */
export const istft: OpFunction<(x: TensorLike, nFft: number, options?: IstftOptions) => Tensor> =
  defineFunction({
    name: 'istft',
    call: (value: TensorLike, nFft: number, options: IstftOptions = {}) => {
      const x = toPairs('istft', value)
      const { hop, window } = framesOf('istft', nFft, options, x.dtype)
      const count = options.onesided === false ? nFft : Math.floor(nFft / 2) + 1
      if (x.rank < 3 || x.shape[x.rank - 3] !== count) {
        throw new ShapeError(
          `istft: for nFft = ${nFft} needs [..., ${count}, frames, 2]; got ${formatShape(x.shape)}`,
        )
      }
      const norm = options.normalized === true ? 'ortho' : 'backward'
      const spectrum = x.transpose(-3, -2)
      const frames =
        options.onesided === false
          ? ifft(spectrum, { norm }).select(-1, 0)
          : irfft(spectrum, { n: nFft, norm })
      const frameCount = frames.shape[frames.rank - 2]!
      const reach = nFft + hop * (frameCount - 1)
      const total = frames.mul(window).fold(-1, reach, hop)
      const weight = window.square().expand([frameCount, nFft]).fold(0, reach, hop)
      const covered = noGrad(() => weight.gt(1e-11))
      const signal = covered.where(total.div(covered.where(weight, 1)), 0)
      const start = options.center === false ? 0 : Math.floor(nFft / 2)
      const length = options.length ?? reach - 2 * start
      const available = Math.min(length, reach - start)
      return signal.narrow(-1, start, available).pad([0, length - available])
    },
    samples: (make) => [
      [make.real([2, 5, 7, 2]), 8, { hopLength: 4, window: make.real([8], { low: 0.5, high: 1 }) }],
      [
        make.real([6, 3, 2]),
        6,
        { center: false, onesided: false, normalized: true, hopLength: 3, length: 10 },
      ],
    ],
    wrong: [
      {
        args: (make) => [make.real([4, 3, 2]), 8],
        error: 'ShapeError',
        message: /istft: for nFft = 8 needs \[\.\.\., 5, frames, 2\]; got \[4, 3, 2\]/,
      },
    ],
  })
