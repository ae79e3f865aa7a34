// The three convolution ops against plain loops, on random geometries: every combination of stride, padding, dilation, groups
// and sizes takes one of several ways through convolution-forms.ts, and all must agree. The way by transformed tiles, which
// only larger ones take, is called by name as well.
import { expect, test } from 'vitest'
import { conv2d, SampleMaker, tensor, type Tensor } from '../index.ts'
import type { ConvolutionGeometry } from './convolution-parts.ts'
import { convolve, convolveInput, convolveWeight } from './convolution.ts'
import { winogradInput, winogradOutput, winogradWeight } from './winograd.ts'

/** Calls `visit` with the flat positions in x, w and y of every product that a convolution sums. */
function forEachProduct(
  images: number,
  channels: number,
  outputs: number,
  geometry: ConvolutionGeometry,
  visit: (x: number, w: number, y: number) => void,
): void {
  const { sizes, kernel, count, stride, dilation, before, groups } = geometry
  const inGroup = channels / groups
  const outGroup = outputs / groups
  const product = (list: readonly number[]): number => list.reduce((total, size) => total * size, 1)
  const unravel = (flat: number, shape: readonly number[]): number[] => {
    const index: number[] = []
    for (let d = shape.length - 1; d >= 0; d--) {
      index.unshift(flat % shape[d]!)
      flat = Math.floor(flat / shape[d]!)
    }
    return index
  }
  for (let position = 0; position < product(count); position++) {
    const o = unravel(position, count)
    for (let tap = 0; tap < product(kernel); tap++) {
      const k = unravel(tap, kernel)
      const p = o.map((at, d) => at * stride[d]! + k[d]! * dilation[d]! - before[d]!)
      if (p.some((at, d) => at < 0 || at >= sizes[d]!)) continue
      const place = p.reduce((flat, at, d) => flat * sizes[d]! + at, 0)
      for (let n = 0; n < images; n++) {
        for (let out = 0; out < outputs; out++) {
          for (let i = 0; i < inGroup; i++) {
            const c = Math.floor(out / outGroup) * inGroup + i
            visit(
              (n * channels + c) * product(sizes) + place,
              (out * inGroup + i) * product(kernel) + tap,
              (n * outputs + out) * product(count) + position,
            )
          }
        }
      }
    }
  }
}

function randomGeometry(
  make: SampleMaker,
  spatial: number,
): ConvolutionGeometry & { channels: number; outputs: number } {
  const pick = (low: number, high: number): number => low + Math.floor(make.uniform() * (high - low + 1))
  const list = (low: number, high: number): number[] => Array.from({ length: spatial }, () => pick(low, high))
  const kernel = list(1, 4)
  const stride = list(1, 4)
  const dilation = list(1, 3)
  const before = list(0, 3)
  const sizes = kernel.map(
    (size, d) => Math.max(1, (size - 1) * dilation[d]! + 1 - 2 * before[d]!) + pick(0, 5),
  )
  const count = sizes.map((size, d) => {
    const room = size + 2 * before[d]! - (kernel[d]! - 1) * dilation[d]! - 1
    return Math.floor(room / stride[d]!) + 1
  })
  const groups = pick(1, 3)
  return {
    sizes,
    kernel,
    count,
    stride,
    dilation,
    before,
    groups,
    channels: groups * pick(1, 2),
    outputs: groups * pick(1, 2),
  }
}

async function expectElements(actual: Tensor, expected: Float64Array, tolerance = 1e-9): Promise<void> {
  const data = await actual.data()
  expect(data.length).toBe(expected.length)
  for (let i = 0; i < expected.length; i++) {
    if (!(Math.abs(data[i]! - expected[i]!) < tolerance))
      expect.fail(`element ${i}: ${data[i]} instead of ${expected[i]}`)
  }
}

/** What the three ops give for x [N, C, ...], w and y, by plain loops. */
function byLoops(
  x: Tensor,
  w: Tensor,
  y: Tensor,
  geometry: ConvolutionGeometry,
): { readonly ofX: Float64Array; readonly ofW: Float64Array; readonly ofY: Float64Array } {
  const [ofX, ofW, ofY] = [x, w, y].map((tensor) => new Float64Array(tensor.size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  forEachProduct(x.shape[0]!, x.shape[1]!, y.shape[1]!, geometry, (i, j, k) => {
    ofY[k]! += x.host![i]! * w.host![j]!
    ofX[i]! += y.host![k]! * w.host![j]!
    ofW[j]! += y.host![k]! * x.host![i]!
  })
  return { ofX, ofW, ofY }
}

for (const [spatial, cases] of [
  [1, 30],
  [2, 30],
  [3, 8],
] as const) {
  test(`convolutions of ${spatial} dimensions agree with plain loops`, async () => {
    for (let seed = 0; seed < cases; seed++) {
      const make = new SampleMaker(100 * spatial + seed, 'float64')
      const geometry = randomGeometry(make, spatial)
      const { channels, outputs, sizes, kernel, count, groups } = geometry
      const images = 2
      const x = make.real([images, channels, ...sizes])
      const w = make.real([outputs, channels / groups, ...kernel])
      const y = make.real([images, outputs, ...count])
      const { ofX, ofW, ofY } = byLoops(x, w, y, geometry)
      try {
        await expectElements(convolve(x, w, geometry), ofY)
        await expectElements(convolveInput(y, w, geometry), ofX)
        await expectElements(convolveWeight(x, y, geometry), ofW)
      } catch (error) {
        throw new Error(`seed ${seed}, ${JSON.stringify(geometry)}`, { cause: error })
      }
    }
  })
}

test('the way by transformed tiles agrees with plain loops, whatever the sizes', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const make = new SampleMaker(seed)
    const pick = (low: number, high: number): number => low + Math.floor(make.uniform() * (high - low + 1))
    const before = [pick(0, 2), pick(0, 2)]
    const after = [pick(0, 2), pick(0, 2)]
    const sizes = [pick(3, 11), pick(3, 20)]
    const count = sizes.map((size, dim) => size + before[dim]! + after[dim]! - 2)
    const [images, channels, outputs] = [pick(1, 3), pick(1, 5), pick(1, 5)]
    const ones = [1, 1]
    const geometry = { sizes, kernel: [3, 3], count, stride: ones, dilation: ones, before, groups: 1 }
    const x = make.real([images, channels, ...sizes])
    const w = make.real([outputs, channels, 3, 3])
    const y = make.real([images, outputs, ...count])
    const { ofX, ofW, ofY } = byLoops(x, w, y, geometry)
    try {
      await expectElements(winogradOutput(x, w, before, count), ofY, 1e-4)
      await expectElements(winogradInput(y, w, before, sizes), ofX, 1e-4)
      await expectElements(winogradWeight(x, y, before), ofW, 1e-3)
    } catch (error) {
      throw new Error(`seed ${seed}, ${JSON.stringify(geometry)}`, { cause: error })
    }
  }
})

test("padding 'same' keeps the size and puts an odd rest at the end", async () => {
  const x = tensor([[[[1, 2, 3]]]])
  const w = tensor([[[[1, 10]]]])
  const y = conv2d(x, w, null, { padding: 'same' })
  expect(y.shape).toEqual([1, 1, 1, 3])
  expect(await y.toArray()).toEqual([[[[21, 32, 3]]]])
})
