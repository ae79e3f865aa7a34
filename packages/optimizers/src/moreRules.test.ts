// Further rules beside plain arithmetic on lists of numbers, over several steps with changing gradients.
import { engine } from '@nabla/engine'
import { Parameter, tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { Adafactor } from './adafactor.ts'
import { ASGD } from './asgd.ts'
import { LAMB, LARS } from './largeBatch.ts'
import { Lion } from './lion.ts'
import type { Optimizer, OptimizerOptions } from './optimizer.ts'
import { Rprop } from './rprop.ts'

const start = [1.5, -0.75]
const gradients = [
  [0.5, -1],
  [-1, -0.5],
  [0.25, 0],
  [2, 0.5],
  [0.1, 0.25],
]

/** Plain arithmetic on lists: (parameter, gradient, step from 1) -> parameter. It may remember things in `m`. */
type Rule = (p: number[], g: number[], t: number, m: Record<string, number[]>) => number[]

async function compare(
  make: (parameter: Parameter) => Optimizer<OptimizerOptions>,
  rule: Rule,
): Promise<void> {
  const parameter = new Parameter(start, { dtype: 'float64' })
  const optimizer = make(parameter)
  const memory: Record<string, number[]> = {}
  let expected = start
  for (const [i, gradient] of gradients.entries()) {
    parameter.grad = tensor(gradient, { dtype: 'float64' })
    optimizer.step()
    expected = rule(expected, gradient, i + 1, memory)
    const found = await parameter.value.data()
    for (const [j, value] of expected.entries()) expect(found[j]).toBeCloseTo(value, 10)
  }
}

const norm = (x: number[]): number => Math.hypot(...x)
const rootMeanSquare = (x: number[]): number => norm(x) / Math.sqrt(x.length)

test('Lion takes steps of one size', async () => {
  await compare(
    (p) => new Lion([p], { lr: 0.1, weightDecay: 0.5 }),
    (p, g, _, m) => {
      const before = m['m'] ?? [0, 0]
      m['m'] = before.map((x, i) => 0.99 * x + 0.01 * g[i]!)
      return p.map((x, i) => x * (1 - 0.05) - 0.1 * Math.sign(0.9 * before[i]! + 0.1 * g[i]!))
    },
  )
})

test('Rprop grows and shrinks its steps, and stays where a sign turned', async () => {
  await compare(
    (p) => new Rprop([p], { lr: 0.1 }),
    (p, g, _, m) => {
      const previous = m['g'] ?? [0, 0]
      const kept = g.map((x, i) => (x * previous[i]! < 0 ? 0 : x))
      const factors = g.map((x, i) => (x * previous[i]! < 0 ? 0.5 : x * previous[i]! > 0 ? 1.2 : 1))
      m['s'] = (m['s'] ?? [0.1, 0.1]).map((s, i) => Math.min(50, Math.max(1e-6, s * factors[i]!)))
      m['g'] = kept
      return p.map((x, i) => x - Math.sign(kept[i]!) * m['s']![i]!)
    },
  )
})

test('ASGD shrinks its rate, and averages from t0 on', async () => {
  const rule: Rule = (p, g, t, m) => {
    const eta = 0.1 / (1 + 0.5 * 0.1 * (t - 1)) ** 0.75
    const next = p.map((x, i) => x * (1 - 0.5 * eta) - eta * g[i]!)
    const weight = 1 / Math.max(1, t - 1 - 1)
    m['a'] = (m['a'] ?? [0, 0]).map((a, i) => a + (next[i]! - a) * weight)
    return next
  }
  await compare((p) => new ASGD([p], { lr: 0.1, lambd: 0.5, t0: 1 }), rule)
  const parameter = new Parameter(start, { dtype: 'float64' })
  const optimizer = new ASGD([parameter], { lr: 0.1, lambd: 0.5, t0: 1 })
  const memory: Record<string, number[]> = {}
  let expected = start
  for (const [i, gradient] of gradients.entries()) {
    parameter.grad = tensor(gradient, { dtype: 'float64' })
    optimizer.step()
    expected = rule(expected, gradient, i + 1, memory)
  }
  const average = optimizer.state().parameters['0']!.slots['average'] as Parameter
  const found = await average.read()
  expect(found[0]).toBeCloseTo(memory['a']![0]!, 10)
  expect(found[1]).toBeCloseTo(memory['a']![1]!, 10)
})

test('LARS and LAMB scale steps by the norm of the parameter', async () => {
  await compare(
    (p) => new LARS([p], { lr: 0.5, momentum: 0.8, weightDecay: 0.1, trustCoefficient: 0.02 }),
    (p, g, _, m) => {
      const rate = (0.02 * norm(p)) / (norm(g) + 0.1 * norm(p) + 1e-8)
      m['v'] = (m['v'] ?? [0, 0]).map((v, i) => 0.8 * v + 0.5 * rate * (g[i]! + 0.1 * p[i]!))
      return p.map((x, i) => x - m['v']![i]!)
    },
  )
  await compare(
    (p) => new LAMB([p], { lr: 0.1, weightDecay: 0.1 }),
    (p, g, t, m) => {
      m['a'] = (m['a'] ?? [0, 0]).map((a, i) => 0.9 * a + 0.1 * g[i]!)
      m['s'] = (m['s'] ?? [0, 0]).map((s, i) => 0.999 * s + 0.001 * g[i]! ** 2)
      const r = p.map((x, i) => {
        const denominator = Math.sqrt(m['s']![i]! / (1 - 0.999 ** t)) + 1e-6
        return m['a']![i]! / (1 - 0.9 ** t) / denominator + 0.1 * x
      })
      return p.map((x, i) => x - 0.1 * (norm(p) / norm(r)) * r[i]!)
    },
  )
})

test('parameters that are zero move in LARS and LAMB', async () => {
  for (const make of [LARS, LAMB]) {
    const parameter = new Parameter([0, 0])
    const optimizer = new make([parameter], { lr: 0.1 })
    parameter.grad = tensor([1, 1])
    optimizer.step()
    expect(Math.abs(await parameter.value.sum().item())).toBeGreaterThan(0.1)
  }
})

test('Adafactor of a list divides by the root of a mean square', async () => {
  await compare(
    (p) => new Adafactor([p], { lr: 0.3, weightDecay: 0.1 }),
    (p, g, t, m) => {
      m['v'] = (m['v'] ?? [0, 0]).map((v, i) => v + (g[i]! ** 2 - v) * t ** -0.8)
      const u = g.map((x, i) => x / Math.sqrt(Math.max(m['v']![i]!, 2 ** -46)))
      const rate = Math.max(1e-3, rootMeanSquare(p)) * Math.min(0.3, 1 / Math.sqrt(t))
      return p.map((x, i) => x * (1 - 0.03) - (rate * u[i]!) / Math.max(1, rootMeanSquare(u)))
    },
  )
})

test('Adafactor remembers rows and columns of matrices, and comes back from data', async () => {
  const make = (data: number[][]): [Parameter, Adafactor] => {
    const parameter = new Parameter(data)
    return [parameter, new Adafactor([parameter], { lr: 0.1 })]
  }
  const step = ([parameter, optimizer]: [Parameter, Adafactor], scale: number): void => {
    parameter.grad = tensor([
      [1, 2, -1],
      [0.5, -2, 1],
    ]).mul(scale)
    optimizer.step()
  }
  const straight = make([
    [1, 2, 3],
    [4, 5, 6],
  ])
  step(straight, 1)
  const slots = straight[1].state().parameters['0']!.slots
  expect(Object.entries(slots).map(([name, { shape }]) => [name, shape])).toEqual([
    ['rowVariance', [2, 1]],
    ['columnVariance', [1, 3]],
  ])
  const resumed = make((await straight[0].value.toArray()) as number[][])
  resumed[1].loadState(straight[1].state())
  step(straight, 2)
  step(resumed, 2)
  expect(await resumed[0].value.toArray()).toEqual(await straight[0].value.toArray())
})

test('R2: these too need one plan for all steps', () => {
  for (const make of [Adafactor, ASGD, LAMB, LARS, Lion, Rprop]) {
    const parameter = new Parameter([
      [1, 2],
      [3, 4],
    ])
    const made: Optimizer<OptimizerOptions> = new make([parameter], { lr: 0.1, weightDecay: 0.5 })
    const before = engine.statistics.plansBuilt
    for (let step = 0; step < 8; step++) {
      made.lr = [0.1, 1, 0, 0.01][step % 4]!
      parameter.grad = tensor([
        [0.1, 0.2],
        [0.3, -0.4],
      ])
      made.step()
    }
    expect([make.name, engine.statistics.plansBuilt - before]).toEqual([make.name, 1])
  }
})

test('hyperparameters out of range are refused', () => {
  const parameter = new Parameter([1])
  expect(() => new Rprop([parameter], { etas: [1.2, 0.5] })).toThrow(/Rprop: etas must be/)
  expect(() => new Rprop([parameter], { stepSizes: [1, 0] })).toThrow(/Rprop: stepSizes must be/)
  expect(() => new Lion([parameter], { betas: [1, 0.9] })).toThrow(/Lion: betas\[0\] must lie in/)
  expect(() => new Adafactor([parameter], { clipThreshold: -1 })).toThrow(/Adafactor: clipThreshold/)
})
