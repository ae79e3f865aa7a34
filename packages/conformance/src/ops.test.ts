// Every op of the table, tested by what the table says about it. WebAssembly is held to the float64 interpreter: values,
// shapes and types, inputs that lie anyhow in memory, gradients; and every op's derivatives are held to small differences,
// those of the derivatives as well. A new op is tested by being in the table; one without samples fails.
// Read next: ops/calls.ts.
import { grad, gradcheck } from '@nabla/autograd'
import { createInterpreter, isFloating, setBackend, ValueError } from '@nabla/engine'
import { ops, SampleMaker, Tensor } from '@nabla/tensor'
import { afterAll, describe, expect, test } from 'vitest'
import { wasmBackend } from './backends.ts'
import {
  compute,
  differenceOf,
  mapTensors,
  partsOf,
  samplesOf,
  scattered,
  tensorsIn,
  tensorsOf,
  type Callable,
  type Computed,
} from './ops/calls.ts'

const wasm = wasmBackend()
const interpreter = createInterpreter()
const counts = { ops: 0, samples: 0, scattered: 0, gradients: 0, gradchecks: 0, wrongCalls: 0 }

afterAll(() => {
  const { ops: all, samples, scattered: views, gradients, gradchecks, wrongCalls } = counts
  console.log(
    `${all} ops: ${samples} sample calls, ${views} with inputs that lie anyhow, ${gradients} gradients compared, ` +
      `${gradchecks} checked twice against differences, ${wrongCalls} wrong calls`,
  )
})

for (const [name, fn] of Object.entries(ops)) {
  describe(name, () => testOp(name, fn as unknown as Callable))
}

function testOp(name: string, fn: Callable): void {
  test('has samples', () => {
    expect(samplesOf(fn).length).toBeGreaterThan(0)
    counts.ops += 1
  })

  test('gives on WebAssembly what it gives on the interpreter', async () => {
    for (const i of samplesOf(fn).keys()) {
      const call = (): unknown => fn(...partsOf(samplesOf(fn)[i]!).args)
      const expected = await compute(interpreter, call)
      expect(expected.length, `sample ${i} gives no tensor`).toBeGreaterThan(0)
      expectSame(`sample ${i}`, await compute(wasm, call), expected, fn)
      counts.samples += 1
    }
  })

  test('does not mind how its inputs lie in memory', async () => {
    for (const i of samplesOf(fn).keys()) {
      // Made anew for each call: a sample may hold a stream of random numbers.
      const argsOf = (): readonly unknown[] => partsOf(samplesOf(fn)[i]!).args
      const tensors = tensorsIn(argsOf())
      if (tensors.length === 0) continue
      setBackend(interpreter)
      const elements = await Promise.all(tensors.map((input) => input.data()))
      const call = (): unknown => {
        let next = 0
        const moved = mapTensors(argsOf(), ({ shape, dtype }) => scattered(elements[next++]!, shape, dtype))
        return fn(...(moved as unknown[]))
      }
      if (mustKnowItsInputs(call)) continue
      const expected = await compute(interpreter, () => fn(...argsOf()))
      expectSame(`sample ${i}, interpreter`, await compute(interpreter, call), expected, fn)
      expectSame(`sample ${i}, WebAssembly`, await compute(wasm, call), expected, fn)
      counts.scattered += 1
    }
  })

  if (fn.method) {
    test('is the same as a method', async () => {
      const i = samplesOf(fn).findIndex((sample) => partsOf(sample).args[0] instanceof Tensor)
      if (i < 0) return
      const argsOf = (): readonly unknown[] => partsOf(samplesOf(fn)[i]!).args
      const expected = await compute(interpreter, () => fn(...argsOf()))
      const asMethod = await compute(interpreter, () => {
        const [self, ...rest] = argsOf()
        return (self as Record<string, (...args: unknown[]) => unknown>)[name]!(...rest)
      })
      expectSame('as a method', asMethod, expected, fn)
    })
  }

  test('has the gradient on WebAssembly that it has on the interpreter', async () => {
    for (const i of samplesOf(fn).keys()) {
      const gradients = (): Tensor[] | null => gradientsOf(fn, partsOf(samplesOf(fn)[i]!).args)
      setBackend(interpreter)
      if (gradients() === null) continue
      const expected = await compute(interpreter, gradients)
      // Gradients are made of more roundings than the op itself.
      const { relative, absolute } = fn.op.tolerance
      const tolerance = { relative: 10 * relative, absolute: 10 * absolute }
      const difference = differenceOf(await compute(wasm, gradients), expected, tolerance)
      if (difference !== null) expect.fail(`sample ${i}: ${difference}`)
      counts.gradients += 1
    }
  })

  test('has derivatives that agree with small differences, twice', async () => {
    setBackend(interpreter)
    for (const [i, sample] of samplesOf(fn, 'float64').entries()) {
      const { args, gradient } = partsOf(sample)
      const inputs = tensorsIn(args).filter((input) => input.dtype === 'float64')
      const isEmpty = inputs.every((input) => input.size === 0)
      if (!gradient || isEmpty || gradientsOf(fn, args) === null) continue
      const call = (...moved: Tensor[]): unknown => fn(...(withReals(args, moved) as unknown[]))
      try {
        await gradcheck(call, inputs, { secondOrder: true })
      } catch (error) {
        expect.fail(`sample ${i}: ${error instanceof Error ? error.message : String(error)}`)
      }
      counts.gradchecks += 1
    }
  })

  for (const [i, { args, error, message }] of fn.op.wrong.entries()) {
    test(`refuses wrong call ${i} with a ${error}`, () => {
      setBackend(interpreter)
      const given = args(new SampleMaker(5))
      let thrown: unknown
      try {
        fn(...given)
      } catch (caught) {
        thrown = caught
      }
      expect(thrown).toBeInstanceOf(Error)
      expect((thrown as Error).name).toBe(error)
      expect((thrown as Error).message).toMatch(message)
      counts.wrongCalls += 1
    })
  }
}

/** Whether an op refuses values that have not been computed, because its result's shape depends on them. */
function mustKnowItsInputs(call: () => unknown): boolean {
  try {
    call()
    return false
  } catch (error) {
    if (error instanceof ValueError && error.message.includes('yet to be computed')) return true
    throw error
  }
}

function expectSame(
  what: string,
  actual: readonly Computed[],
  expected: readonly Computed[],
  fn: Callable,
): void {
  const difference = differenceOf(actual, expected, fn.op.tolerance)
  if (difference !== null) expect.fail(`${what}: ${difference}`)
}

/** The gradients of all results by all real inputs, from fixed gradients of the results. Null where there are none. */
function gradientsOf(fn: Callable, args: readonly unknown[]): Tensor[] | null {
  const sources: Tensor[] = []
  const marked = mapTensors(args, (input) => {
    if (!isFloating(input.dtype)) return input
    const source = differentiable(input)
    sources.push(source)
    return source
  })
  const results = tensorsOf(fn(...(marked as unknown[]))).filter((result) => result.requiresGrad)
  if (results.length === 0 || sources.every((source) => source.size === 0)) return null
  const make = new SampleMaker(23)
  const gradOutputs = results.map((result) => make.real(result.shape, { low: -1, high: 1 }).to(result.dtype))
  return grad(results, sources, { gradOutputs, allowUnused: true })
}

/** The same value as something that gradients are wanted for. */
function differentiable(input: Tensor): Tensor {
  // A sample that lies in memory anyhow is a view of a leaf: asking for the leaf's gradient would be another question.
  const source = input.add(0)
  const copy = new Tensor(source.op, source.inputs, source.attributes, source.shape, source.dtype)
  copy.requiresGrad = true
  return copy
}

/** The same arguments with other tensors in the places of the float64 ones. */
function withReals(args: readonly unknown[], reals: readonly Tensor[]): unknown {
  let next = 0
  return mapTensors(args, (input) => (input.dtype === 'float64' ? reals[next++]! : input))
}
