// Work in slices: the program runs in between, nobody sees anything half done, and results are the same bits as at once.
import {
  breathe,
  configure,
  engine,
  flush,
  inSlices,
  setBackend,
  ValueError,
  type Backend,
} from '@nabla/engine'
import { createWasmBackend } from '@nabla/backend-wasm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { matmul, randn, tensor } from './index.ts'
import { Generator } from './ops/random.ts'
import type { Tensor } from './tensor.ts'
import { Variable } from './variable.ts'

const original = engine.backend

// So short that every step of a plan is a slice.
beforeEach(() => configure({ slice: 1e-12 }))
afterEach(() => {
  configure({ slice: Infinity })
  setBackend(original)
})

function noise(shape: readonly number[], seed: number): Tensor {
  return randn(shape, { generator: new Generator(seed) }).mul(0.2)
}

/** A value that takes `steps` steps at least: each product is one. */
function products(start: Tensor, by: Tensor, steps: number): Tensor {
  let result = start
  for (let i = 0; i < steps; i++) result = matmul(result, by)
  return result
}

/** Counts turns of the event loop until `work` is done. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let [turns, running] = [0, true]
  const count = async (): Promise<void> => {
    for (; running; turns++) await breathe()
  }
  void count()
  await work
  running = false
  return turns
}

test('reading a value lets the program run between the steps of its plan', async () => {
  const [a, b] = [noise([20, 20], 1), noise([20, 20], 2)]
  expect(await turnsDuring(products(a, b, 12).data())).toBeGreaterThan(5)
  expect(await turnsDuring(products(a, b, 12).realize())).toBeGreaterThan(5)
  configure({ slice: Infinity })
  expect(await turnsDuring(products(a, b, 12).data())).toBeLessThan(4)
})

test('so does an update of a Variable in slices, with the same bits', async () => {
  const [w, v] = [new Variable(noise([20, 20], 1)), new Variable(noise([20, 20], 1))]
  const by = noise([20, 20], 2)
  const update = (variable: Variable): string => {
    variable.value = products(variable.value, by, 12)
    flush()
    return 'what was returned'
  }
  let returned = ''
  const turns = await turnsDuring(inSlices(() => update(w)).then((value) => (returned = value)))
  expect(turns).toBeGreaterThan(5)
  expect(returned).toBe('what was returned')
  update(v)
  expect(await w.read()).toEqual(await v.read())
})

test('whoever needs a result meanwhile gets it whole', async () => {
  const by = noise([20, 20], 2)
  const expected = await products(noise([20, 20], 1), by, 12).data()
  const begin = async (): Promise<{ w: Variable; done: Promise<void> }> => {
    const w = new Variable(noise([20, 20], 1))
    const done = inSlices(() => {
      w.value = products(w.value, by, 12)
      flush()
    })
    await breathe()
    return { w, done }
  }
  const read = await begin()
  expect(await read.w.read()).toEqual(expected)
  await read.done

  const used = await begin()
  expect(await used.w.value.add(0).data()).toEqual(expected)
  await used.done

  const assigned = await begin()
  assigned.w.value = assigned.w.value.add(1)
  flush()
  expect(await assigned.w.read()).toEqual(expected.map((value) => Math.fround(value + 1)))
  await assigned.done

  const disposed = await begin()
  disposed.w.dispose()
  await disposed.done
})

test('what is assigned meanwhile waits for the next flush', async () => {
  const w = new Variable(tensor([1, 2]))
  const x = noise([20, 20], 1)
  const done = inSlices(() => {
    w.value = w.value.add(products(x, x, 5).sum().mul(0))
    flush()
  })
  await breathe()
  w.value = w.value.add(1)
  await done
  expect(engine.trace([w.current]).assignments.size).toBe(0)
  expect(await w.read()).toEqual(new Float32Array([2, 3]))
})

test('programs that overlap give the same bits as one after the other', async () => {
  const run = async (overlapping: boolean): Promise<unknown[]> => {
    configure({ slice: overlapping ? 1e-12 : Infinity })
    const variables = [1, 2, 3].map((seed) => new Variable(noise([12, 12], seed)))
    const waiting: Promise<unknown>[] = []
    for (let round = 0; round < 40; round++) {
      const [a, b] = [variables[round % 3]!, variables[(round * 7 + 1) % 3]!]
      const change = (): void => {
        a.value = matmul(a.value, b.value).tanh().add(matmul(b.value, b.value).mul(0.1))
        flush()
      }
      if (round % 4 === 3) change()
      else {
        const done = inSlices(change)
        if (overlapping) waiting.push(done)
        else await done
      }
      if (round % 5 === 2) {
        waiting.push(a.value.sum().data())
        // What is demanded is traced when this turn is over; an update before that would make it stale.
        await Promise.resolve()
      }
      if (round % 3 === 1) await breathe()
    }
    const results = await Promise.all(waiting)
    const finals = await Promise.all(variables.map((variable) => variable.read()))
    return [...results.filter((result) => result !== undefined), ...finals]
  }
  expect(await run(true)).toEqual(await run(false))
})

/** The WebAssembly backend, whose kernel launches fail from the `n`th on. */
function failing(n: number): { backend: Backend; mend(): void } {
  const real = createWasmBackend({ threads: 1 })
  let [runs, broken] = [0, true]
  const kernel: Backend['kernel'] = (launch) => {
    const executable = real.kernel(launch)
    return {
      run(places, numbers) {
        runs += 1
        if (broken && runs >= n) throw new ValueError('a launch failed')
        executable.run(places, numbers)
      },
      dispose: () => executable.dispose(),
    }
  }
  return { backend: { ...real, info: () => real.info(), kernel }, mend: () => (broken = false) }
}

test('a failure reaches whoever waits, and changes nothing', async () => {
  const { backend, mend } = failing(3)
  setBackend(backend)
  const w = new Variable([1, 2])
  const done = inSlices(() => {
    // Three launches with a product between every two of them.
    const row = w.value.add(1).reshape([1, 2])
    const twice = tensor([
      [2, 0],
      [0, 2],
    ])
    w.value = matmul(matmul(row, twice).softmax(), twice).softmax().reshape([2])
    flush()
  })
  // Somebody else has it finished, and must not be blamed.
  const other = breathe().then(() => engine.flush())
  await expect(done).rejects.toThrow('a launch failed')
  await other
  mend()
  expect(await w.value.mul(1).data()).toEqual(new Float32Array([1, 2]))
})

test('slice must be a number of milliseconds', () => {
  expect(() => configure({ slice: 0 })).toThrow(
    'configure: slice must be a number of milliseconds above 0, got 0',
  )
})
