// vmap of every op of the table: on a batch of three it gives what three calls give, and the same gradients. What cannot be
// batched must say so. Read next: @nabla/autograd's batching.ts.
import { createWasmBackend } from '@nabla/backend-wasm'
import { BatchingError, grad, hvp, jacobian, vmap } from '@nabla/autograd'
import { GradientError, isFloating, setBackend, sizeOf, ValueError } from '@nabla/engine'
import { dropout, ops, rand, stack, tensor, Tensor } from '@nabla/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  compute,
  differenceOf,
  mapTensors,
  partsOf,
  samplesOf,
  tensorsIn,
  tensorsOf,
  type Callable,
} from './ops/calls.ts'

const wasm = createWasmBackend()
const counts = { ops: 0, calls: 0, gradients: 0, refused: new Set<string>() }
const size = 3

afterAll(() => {
  const { ops: batched, calls, gradients, refused } = counts
  console.log(
    `vmap: ${batched} ops batched in ${calls} calls, ${gradients} gradients; refused: ${[...refused].join(', ')}`,
  )
})

for (const [name, fn] of Object.entries(ops)) test(name, () => testOp(name, fn as unknown as Callable))

async function testOp(name: string, fn: Callable): Promise<void> {
  let batched = false
  for (const i of samplesOf(fn).keys()) {
    setBackend(wasm)
    // Made anew for each call: a sample may hold a stream of random numbers.
    const argsOf = (): readonly unknown[] => partsOf(samplesOf(fn)[i]!).args
    const inputs = tensorsIn(argsOf())
    // Functions whose result has a size that depends on the data give promises; they want to see it.
    if (inputs.length === 0 || isAsync(fn, argsOf())) continue
    const elements = await Promise.all(inputs.map((input) => input.data()))
    const wholes = inputs.map(({ shape, dtype }, at) => batchOf(elements[at]!, shape, dtype))
    const call = (args: Tensor[]): Tensor[] => {
      let next = 0
      return tensorsOf(fn(...(mapTensors(argsOf(), () => args[next++]!) as unknown[])))
    }
    const each = (): Tensor[] => {
      const results = Array.from({ length: size }, (_, k) => call(wholes.map((whole) => whole.select(0, k))))
      return results[0]!.map((_, at) => stack(results.map((list) => list[at]!)))
    }
    const together = (): Tensor[] => vmap((...args: Tensor[]) => call(args))(...wholes) as Tensor[]
    try {
      const actual = await compute(wasm, together)
      expect(differenceOf(actual, await compute(wasm, each), fn.op.tolerance), `sample ${i}`).toBeNull()
    } catch (error) {
      // Refused: by vmap, or by an op that wants to see its input.
      const seeing = error instanceof ValueError && /yet to be computed/.test(error.message)
      if (!(error instanceof BatchingError) && !seeing) throw error
      counts.refused.add(name)
      continue
    }
    batched = true
    counts.calls += 1
    await compareGradients(name, i, wholes, together, each, fn)
  }
  if (batched) counts.ops += 1
}

async function compareGradients(
  name: string,
  i: number,
  wholes: readonly Tensor[],
  together: () => Tensor[],
  each: () => Tensor[],
  fn: Callable,
): Promise<void> {
  const sources = wholes.filter(({ dtype }) => isFloating(dtype))
  if (sources.length === 0 || !partsOf(samplesOf(fn)[i]!).gradient) return
  for (const source of sources) source.requiresGrad = true
  const gradients = (run: () => Tensor[]) => (): Tensor[] => {
    const outputs = run().filter((output) => output.requiresGrad)
    if (outputs.length === 0) return []
    const total = outputs.map((output) => weighed(output)).reduce((sum, value) => sum.add(value))
    return grad(total, sources, { allowUnused: true })
  }
  try {
    const expected = await compute(wasm, gradients(each))
    const actual = await compute(wasm, gradients(together))
    const { relative, absolute } = fn.op.tolerance
    const tolerance = { relative: 20 * relative, absolute: 20 * absolute }
    expect(differenceOf(actual, expected, tolerance), `${name}, sample ${i}, gradient`).toBeNull()
    counts.gradients += 1
  } catch (error) {
    if (!(error instanceof GradientError)) throw error
  } finally {
    for (const source of sources) source.requiresGrad = false
  }
}

/** A sum in which every element counts differently. */
function weighed(output: Tensor): Tensor {
  const weights = Float32Array.from({ length: output.size }, (_, i) => 0.5 + ((i * 7) % 11) / 10)
  return output.mul(tensor(weights, { shape: output.shape }).to(output.dtype)).sum()
}

/** Three examples with the same elements in other places. */
function batchOf(data: ArrayLike<number>, shape: readonly number[], dtype: Tensor['dtype']): Tensor {
  const length = sizeOf(shape)
  const elements = Array.from({ length: size * length }, (_, i) => {
    const example = Math.floor(i / length)
    return data[((i % length) + example * Math.max(1, length >> 1)) % length]!
  })
  return tensor(Float64Array.from(elements), { shape: [size, ...shape], dtype })
}

function isAsync(fn: Callable, args: readonly unknown[]): boolean {
  const result = fn(...args)
  if (!(result instanceof Promise)) return false
  result.catch(() => {})
  return true
}

describe('composed with other transformations', () => {
  beforeAll(() => setBackend(wasm))
  const x = (): Tensor =>
    tensor([
      [1, 2, 3],
      [4, 5, 6],
    ])
  const w = (): Tensor =>
    tensor(
      [
        [1, 0],
        [2, 1],
        [0, 3],
      ],
      { requiresGrad: true },
    )

  test('gradients per example: vmap of grad', async () => {
    const weights = w()
    const lossOf = (example: Tensor): Tensor => example.matmul(weights).square().sum()
    const perExample = vmap((example) => grad(lossOf(example), [weights], { createGraph: true })[0]!)(x())
    expect(perExample.shape).toEqual([2, 3, 2])
    const [all] = grad(x().matmul(weights).square().sum(), [weights])
    expect(await perExample.sum(0).toArray()).toEqual(await all!.toArray())
  })

  test('the gradient of what was batched, and vmap inside of vmap', async () => {
    const weights = w()
    const total = vmap((row) => vmap((value) => value.mul(weights.sum()).tanh())(row).sum())(x().div(9)).sum()
    const plain = x().div(9).mul(weights.sum()).tanh().sum()
    expect(await total.item()).toBeCloseTo(await plain.item(), 5)
    const [one] = grad(total, [weights])
    const [other] = grad(plain, [weights])
    expect(await one!.sub(other!).abs().max().item()).toBeLessThan(1e-6)
  })

  test('dimensions: shared inputs, other places of the batch', async () => {
    const a = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ])
    const b = tensor([10, 20])
    const sum = vmap((left, right) => left.add(right), { inDims: [1, null], outDims: 1 })
    // Columns of a are the examples [3]; b is no number here, so it must fit each.
    expect(await sum(a, tensor([1, 1, 1])).toArray()).toEqual([
      [2, 3],
      [4, 5],
      [6, 7],
    ])
    expect(await vmap((row) => row.mul(b).sum())(a).toArray()).toEqual([50, 110, 170])
    expect(await vmap(() => b)(a).toArray()).toEqual([
      [10, 20],
      [10, 20],
      [10, 20],
    ])
  })

  test('random numbers are an error, the same, or different', async () => {
    const noisy = (value: Tensor): Tensor => value.mul(0).add(rand([4]))
    expect(() => vmap(noisy)(tensor([1, 2]))).toThrow(/draws random numbers/)
    const same = (await vmap(noisy, { randomness: 'same' })(tensor([1, 2])).toArray()) as number[][]
    expect(same[0]).toEqual(same[1])
    const different = (await vmap(noisy, { randomness: 'different' })(tensor([1, 2])).toArray()) as number[][]
    expect(different[0]).not.toEqual(different[1])
    const masked = vmap((value) => dropout(value, 0.5), { randomness: 'different' })(
      tensor(new Float32Array(400).fill(1), { shape: [2, 200] }),
    )
    const rows = (await masked.toArray()) as number[][]
    expect(rows[0]).not.toEqual(rows[1])
  })

  test('second derivatives per example', async () => {
    const cubed = (value: Tensor): Tensor => value.pow(3).sum()
    const direction = tensor([1, 0, 2])
    const products = vmap((row) => hvp(cubed, row, direction))(x())
    expect(await products.toArray()).toEqual([
      [6, 0, 36],
      [24, 0, 72],
    ])
    const jacobians = vmap((row) => jacobian((value) => value.square(), row))(x())
    expect(jacobians.shape).toEqual([2, 3, 3])
    expect(await jacobians.diagonal(0, 1, 2).toArray()).toEqual([
      [2, 4, 6],
      [8, 10, 12],
    ])
  })

  test('what cannot be done says so', () => {
    expect(() => vmap((a, b) => a.add(b))(tensor([1, 2]), tensor([1, 2, 3]))).toThrow(
      /input 0 has 2 examples and input 1 has 3/,
    )
    expect(() => vmap((a) => a)(1)).toThrow(/vmap: dimension 0 does not exist/)
    expect(() => vmap((a) => a, { inDims: [null] })(tensor([1]))).toThrow(
      /no input has a dimension of examples/,
    )
    expect(() => vmap((a) => a.inv())(tensor([[[1]]]))).toThrow(/call them outside/)
    expect(() => vmap((a) => a.inv())(tensor([[[1]]]))).toThrow(ValueError)
  })
})
