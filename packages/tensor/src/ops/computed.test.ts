// Ops that compute when called, and those that promise their results: what sample calls cannot show.
import { expect, test } from 'vitest'
import { hannWindow, manualSeed, noGrad, randn, tensor, Variable, type Nested } from '../index.ts'

async function rounded(x: { data(): Promise<ArrayLike<number>> }): Promise<number[]> {
  return Array.from(await x.data(), (value) => Math.round(value * 1e4) / 1e4 + 0)
}

test('they take values that are still to be computed, Variables, and what Variables were assigned', async () => {
  const lazy = tensor([1, 2, 3, 4], { shape: [2, 2] }).mul(2)
  expect(await rounded(lazy.inv())).toEqual([-1, 0.5, 0.75, -0.25])
  const variable = new Variable(tensor([2, 0, 0, 4], { shape: [2, 2] }))
  expect(await variable.value.det().item()).toBe(8)
  variable.assign(variable.value.mul(10))
  expect(await variable.value.det().item()).toBe(800)
})

test('without gradients nothing of the history is kept', () => {
  const x = tensor([2, 1, 1, 3], { shape: [2, 2], requiresGrad: true })
  expect(x.inv().inputs).toEqual([x])
  expect(noGrad(() => x.inv()).inputs).toEqual([])
  expect(x.detach().inv().inputs).toEqual([])
})

test('errors say which matrix of a batch they mean', () => {
  const batch = tensor([1, 0, 0, 1, 1, 2, 2, 4], { shape: [2, 2, 2] })
  expect(() => batch.inv()).toThrow(
    /inv: the matrix is singular \(matrix 1 of the batch\), shape \[2, 2, 2\]/,
  )
  expect(() => batch.cholesky()).toThrow(/not positive definite \(matrix 1 of the batch\)/)
})

test('factors give their matrix back', async () => {
  manualSeed(1)
  const a = randn([2, 4, 3])
  const { u, s, vh } = a.svd()
  expect(await rounded(u.mul(s.unsqueeze(-2)).matmul(vh).sub(a).abs().amax())).toEqual([0])
  const { q, r } = a.qr()
  expect(await rounded(q.matmul(r).sub(a).abs().amax())).toEqual([0])
  expect(
    await rounded(
      a
        .pinv()
        .matmul(a)
        .sub(tensor([1, 0, 0, 0, 1, 0, 0, 0, 1], { shape: [3, 3] }))
        .abs()
        .amax(),
    ),
  ).toEqual([0])
})

test('ranks, and least squares of equations without a solution', async () => {
  const a = tensor([1, 1, 1, 2, 1, 3], { shape: [3, 2] })
  expect(await a.matrixRank().item()).toBe(2)
  expect(
    await tensor([1, 2, 2, 4], { shape: [2, 2] })
      .matrixRank()
      .item(),
  ).toBe(1)
  // A line through (1, 1), (2, 3), (3, 2).
  expect(await rounded(a.lstsq(tensor([1, 3, 2])))).toEqual([1, 0.5])
})

test('transforms and their inverses, at even and odd lengths', async () => {
  const x = tensor([1, 2, -1, 3, 0, 0.5, -2])
  expect(await rounded(x.rfft().irfft({ n: 7 }))).toEqual([1, 2, -1, 3, 0, 0.5, -2])
  expect(await rounded(x.toComplex().fft({ norm: 'ortho' }).ifft({ norm: 'ortho' }).realPart())).toEqual([
    1, 2, -1, 3, 0, 0.5, -2,
  ])
  expect(await rounded(tensor([0, 1, 2, 3, 4]).fftshift(0))).toEqual([3, 4, 0, 1, 2])
  expect(await rounded(tensor([0, 1, 2, 3, 4]).fftshift(0).ifftshift(0))).toEqual([0, 1, 2, 3, 4])
})

test('a signal comes back from its short-time transform', async () => {
  manualSeed(2)
  const x = randn([2, 40])
  const window = hannWindow(16)
  const spectrum = x.stft(16, { hopLength: 4, window })
  expect(spectrum.shape).toEqual([2, 9, 11, 2])
  const back = spectrum.istft(16, { hopLength: 4, window })
  expect(back.shape).toEqual([2, 40])
  expect(await rounded(back.sub(x).abs().amax())).toEqual([0])
})

test('selections are as long as there are elements', async () => {
  const x = tensor([3, 0, 4, 0, 5, 3], { shape: [2, 3] })
  expect(await (await x.maskedSelect(x.gt(3))).toArray()).toEqual([4, 5])
  expect(await (await x.nonzero()).toArray()).toEqual([
    [0, 0],
    [0, 2],
    [1, 1],
    [1, 2],
  ])
  expect((await x.mul(0).nonzero()).shape).toEqual([0, 2])
  const { values, inverse, counts } = await x.unique()
  const all: Nested[] = [await values.toArray(), await inverse.toArray(), await counts.toArray()]
  expect(all).toEqual([
    [0, 3, 4, 5],
    [
      [1, 0, 2],
      [0, 3, 1],
    ],
    [2, 2, 1, 1],
  ])
  expect(await (await tensor([1, 3, 1], { dtype: 'int32' }).bincount({ minLength: 5 })).toArray()).toEqual([
    0, 2, 0, 1, 0,
  ])
  await expect(tensor([1, -3], { dtype: 'int32' }).bincount()).rejects.toThrow(
    /bincount: numbers are not negative; got -3/,
  )
})

test('histograms, and the smallest of the commonest elements', async () => {
  expect(await rounded(tensor([0, 1, 1.5, 2, 4, 5, -1]).histc({ bins: 4, min: 0, max: 4 }))).toEqual([
    1, 2, 1, 1,
  ])
  const { values, indices } = tensor([5, 2, 2, 5, 1]).mode()
  expect([await values.item(), await indices.item()]).toEqual([2, 2])
})

test('sampling at the centres of pixels gives the pixels', async () => {
  const image = tensor([1, 2, 3, 4, 5, 6], { shape: [1, 1, 2, 3] })
  const identity = tensor([1, 0, 0, 0, 1, 0], { shape: [1, 2, 3] })
  for (const mode of ['bilinear', 'nearest', 'bicubic'] as const) {
    for (const alignCorners of [false, true]) {
      const grid = identity.affineGrid([1, 1, 2, 3], { alignCorners })
      expect(await rounded(image.gridSample(grid, { mode, alignCorners }))).toEqual([1, 2, 3, 4, 5, 6])
    }
  }
})
