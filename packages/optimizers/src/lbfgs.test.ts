import { ShapeError, ValueError } from '@nabla/engine'
import { Parameter, tensor, type Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { LBFGS, type Closure, type LBFGSOptions } from './lbfgs.ts'

// 100(y - x²)² + (1 - x)², with its gradient written out.
function rosenbrock(x: Parameter, y: Parameter): Closure {
  return () => {
    const valley = y.value.sub(x.value.square())
    const distance = x.value.mul(-1).add(1)
    x.grad = x.value.mul(valley).mul(-400).sub(distance.mul(2))
    y.grad = valley.mul(200)
    return valley.square().mul(100).add(distance.square()).sum()
  }
}

function problem(options: Partial<LBFGSOptions>): {
  x: Parameter
  y: Parameter
  lbfgs: LBFGS
  closure: Closure
} {
  const x = new Parameter([-1.2], { dtype: 'float64' })
  const y = new Parameter([1], { dtype: 'float64' })
  return { x, y, lbfgs: new LBFGS([x, y], options), closure: rosenbrock(x, y) }
}

test('with the strong Wolfe search it follows the valley of Rosenbrock', async () => {
  const { x, y, lbfgs, closure } = problem({ maxIterations: 5, lineSearch: 'strongWolfe' })
  const losses: number[] = []
  for (let step = 0; step < 10; step++) losses.push(await lbfgs.step(closure))
  expect(losses[0]).toBeCloseTo(24.2, 10)
  for (const [i, loss] of losses.slice(1).entries()) expect(loss).toBeLessThanOrEqual(losses[i]!)
  expect((await x.read())[0]).toBeCloseTo(1, 4)
  expect((await y.read())[0]).toBeCloseTo(1, 4)
  expect(x.grad).toBeNull()
})

test('without a search it solves a quadratic problem', async () => {
  const weight = new Parameter([
    [4, -3],
    [2, 1],
  ])
  const scales = tensor([
    [1, 2],
    [3, 4],
  ])
  const lbfgs = new LBFGS([weight], { lr: 0.8 })
  const closure = (): Tensor => {
    const scaled = weight.value.mul(scales)
    weight.grad = scaled.mul(scales).mul(2)
    return scaled.square().sum()
  }
  expect(await lbfgs.step(closure)).toBe(16 + 36 + 36 + 16)
  expect(await lbfgs.step(closure)).toBeLessThan(1e-4)
})

test('it goes on from a state as if it had not been interrupted', async () => {
  const straight = problem({ maxIterations: 3, lineSearch: 'strongWolfe' })
  const first = problem({ maxIterations: 3, lineSearch: 'strongWolfe' })
  for (let step = 0; step < 4; step++) await straight.lbfgs.step(straight.closure)
  for (let step = 0; step < 2; step++) await first.lbfgs.step(first.closure)
  const x = new Parameter(await first.x.read())
  const y = new Parameter(await first.y.read())
  const second = new LBFGS([x, y])
  second.loadState(structuredClone(first.lbfgs.state()))
  for (let step = 0; step < 2; step++) await second.step(rosenbrock(x, y))
  expect(await x.read()).toEqual(await straight.x.read())
  expect(() => new LBFGS([x]).loadState(second.state())).toThrow(ShapeError)
})

test('a closure without gradients and wrong options are refused', async () => {
  const parameter = new Parameter([1])
  await expect(new LBFGS([parameter]).step(() => parameter.value.sum())).rejects.toThrow(
    /LBFGS: the closure left no gradient/,
  )
  expect(() => new LBFGS([])).toThrow(/LBFGS: the list of parameters is empty/)
  expect(() => new LBFGS([parameter], { lr: -1 })).toThrow(ValueError)
  expect(() => new LBFGS([parameter], { historySize: 0 })).toThrow(/historySize must be a positive integer/)
  expect(() => new LBFGS([parameter], { lineSearch: 'armijo' as 'none' })).toThrow(
    /unknown line search 'armijo'/,
  )
})
