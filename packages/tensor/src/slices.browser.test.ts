// The main thread of a page: work in slices is what happens by default there.
import { breathe, engine, flush, inSlices } from '@nabla/engine'
import { expect, test } from 'vitest'
import { matmul, randn } from './index.ts'
import { Variable } from './variable.ts'

/** Turns of the event loop during some work. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let [turns, running] = [0, true]
  const count = async (): Promise<void> => {
    for (; running; turns++) await breathe()
  }
  void count()
  await work()
  running = false
  return turns
}

/** Twice the products each time, until some work lets the page live in between; or never. */
async function productsUntilAlive(
  work: (variable: Variable, products: number) => Promise<unknown>,
): Promise<number> {
  const variable = new Variable(randn([192, 192]).mul(0.05))
  for (let products = 8; products < 3000; products *= 2) {
    if ((await turnsDuring(() => work(variable, products))) >= 4) return products
  }
  return Infinity
}

function longProduct(variable: Variable, products: number): ReturnType<typeof matmul> {
  let result = variable.value
  for (let i = 0; i < products; i++) result = matmul(result, variable.value).tanh()
  return result
}

test('a page lives while a value is computed, and while a Variable is updated in slices', async () => {
  const reading = (variable: Variable, products: number): Promise<unknown> =>
    longProduct(variable, products).data()
  expect(await productsUntilAlive(reading)).toBeLessThan(Infinity)

  const updating = (variable: Variable, products: number): Promise<unknown> =>
    inSlices(() => {
      variable.value = longProduct(variable, products)
      flush()
    })
  expect(await productsUntilAlive(updating)).toBeLessThan(Infinity)
})

test('threads are used where a page is isolated, and it is said where they are not', () => {
  expect(globalThis.crossOriginIsolated).toBe(true)
  const { threads, notes } = engine.backend.info()
  if (threads === 1) expect(notes.join()).toMatch(/one thread/)
  else expect(threads).toBeGreaterThan(1)
})
