// Products and einsum against plain loops, on random shapes, broadcasting and expressions.
import { expect, test } from 'vitest'
import { einsum, matmul, SampleMaker, tensor, type Tensor } from '../index.ts'

/** Sums products over all values of all letters. */
function plainEinsum(inputs: readonly string[], output: string, operands: readonly Tensor[]): Float64Array {
  const sizes = new Map<string, number>()
  inputs.forEach((letters, i) =>
    [...letters].forEach((letter, d) =>
      sizes.set(letter, Math.max(sizes.get(letter) ?? 1, operands[i]!.shape[d]!)),
    ),
  )
  const letters = [...sizes.keys()]
  const result = new Float64Array([...output].reduce((size, letter) => size * sizes.get(letter)!, 1))
  const index = new Map<string, number>()
  const flat = (names: string, shape: readonly number[]): number =>
    [...names].reduce((at, letter, d) => at * shape[d]! + (shape[d] === 1 ? 0 : index.get(letter)!), 0)
  const visit = (level: number): void => {
    if (level < letters.length) {
      for (let i = 0; i < sizes.get(letters[level]!)!; i++) {
        index.set(letters[level]!, i)
        visit(level + 1)
      }
      return
    }
    const product = operands.reduce(
      (value, operand, i) => value * operand.host![flat(inputs[i]!, operand.shape)]!,
      1,
    )
    result[
      flat(
        output,
        [...output].map((letter) => sizes.get(letter)!),
      )
    ]! += product
  }
  visit(0)
  return result
}

async function expectElements(actual: Tensor, expected: ArrayLike<number>): Promise<void> {
  const data = await actual.data()
  expect(data.length).toBe(expected.length)
  for (let i = 0; i < expected.length; i++) expect(data[i]).toBeCloseTo(expected[i]!, 9)
}

test('einsum agrees with plain loops', async () => {
  for (let seed = 0; seed < 80; seed++) {
    const make = new SampleMaker(seed, 'float64')
    const pick = (low: number, high: number): number => low + Math.floor(make.uniform() * (high - low + 1))
    const letters = [...'abcdef'].slice(0, pick(1, 5))
    const sizes = new Map(letters.map((letter) => [letter, pick(1, 4)]))
    // Letters may come twice in an operand, and dimensions may be 1 where others are not.
    const inputs = Array.from({ length: pick(1, 4) }, () =>
      Array.from({ length: pick(0, 4) }, () => letters[pick(0, letters.length - 1)]!).join(''),
    )
    const used = [...new Set(inputs.join(''))]
    const output = used
      .filter(() => make.uniform() < 0.5)
      .sort(() => make.uniform() - 0.5)
      .join('')
    const operands = inputs.map((names) => {
      const repeated = new Set(names).size < names.length
      return make.real(
        [...names].map((letter) => (!repeated && make.uniform() < 0.2 ? 1 : sizes.get(letter)!)),
      )
    })
    const expression = `${inputs.join(',')}->${output}`
    await expectElements(einsum(expression, ...operands), plainEinsum(inputs, output, operands))
  }
})

test('matmul broadcasts leading dimensions', async () => {
  const make = new SampleMaker(1, 'float64')
  for (const [a, b, names] of [
    [
      [2, 1, 3, 4],
      [5, 4, 2],
      ['abij', 'bjk', 'abik'],
    ],
    [
      [5, 3, 4],
      [2, 1, 4, 2],
      ['bij', 'abjk', 'abik'],
    ],
    [
      [1, 3, 4],
      [1, 4, 2],
      ['aij', 'ajk', 'aik'],
    ],
    [[4], [2, 4, 3], ['j', 'ajk', 'ak']],
    [[2, 3, 4], [4], ['aij', 'j', 'ai']],
    [
      [1, 1],
      [3, 1, 5],
      ['ij', 'ajk', 'aik'],
    ],
  ] as const) {
    const left = make.real(a)
    const right = make.real(b)
    await expectElements(matmul(left, right), plainEinsum(names.slice(0, 2), names[2], [left, right]))
  }
})

test('sums of no terms are zeros', async () => {
  const empty = tensor([], { shape: [2, 0] })
  expect(await matmul(empty, empty.transpose()).toArray()).toEqual([
    [0, 0],
    [0, 0],
  ])
  expect(await einsum('ij,kj->', empty, empty).item()).toBe(0)
})
