// Each rule beside a few lines of plain arithmetic that say the same, over several steps with changing gradients.
import { Parameter, tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { Adadelta } from './adadelta.ts'
import { Adagrad } from './adagrad.ts'
import { Adam, AdamW } from './adam.ts'
import { Adamax } from './adamax.ts'
import { NAdam } from './nadam.ts'
import type { Optimizer, OptimizerOptions } from './optimizer.ts'
import { RAdam } from './radam.ts'
import { RMSprop } from './rmsprop.ts'
import { SGD } from './sgd.ts'

const gradients = [0.5, -1, 0.25, 2, 0.1, -0.3, 0.7, 1]

/** Plain arithmetic on one number: (parameter, gradient, step from 1) -> parameter. It may remember things in `m`. */
type Rule = (p: number, g: number, t: number, m: Record<string, number>) => number

async function compare(
  make: (parameter: Parameter) => Optimizer<OptimizerOptions>,
  rule: Rule,
): Promise<void> {
  const parameter = new Parameter([1.5], { dtype: 'float64' })
  const optimizer = make(parameter)
  const memory: Record<string, number> = {}
  let expected = 1.5
  for (const [i, gradient] of gradients.entries()) {
    parameter.grad = tensor([gradient], { dtype: 'float64' })
    optimizer.step()
    expected = rule(expected, gradient, i + 1, memory)
    expect(await parameter.value.sum().item()).toBeCloseTo(expected, 10)
  }
}

// Adam's two averages.
function moments(m: Record<string, number>, g: number): [number, number] {
  m['a'] = 0.9 * (m['a'] ?? 0) + 0.1 * g
  m['s'] = 0.999 * (m['s'] ?? 0) + 0.001 * g * g
  return [m['a'], m['s']]
}

test('SGD', async () => {
  await compare(
    (p) => new SGD([p], { lr: 0.1 }),
    (p, g) => p - 0.1 * g,
  )
  await compare(
    (p) => new SGD([p], { lr: 0.1, maximize: true, weightDecay: 0.5 }),
    (p, g) => p - 0.1 * (-g + 0.5 * p),
  )
})

test('SGD with momentum starts from the first gradient itself', async () => {
  await compare(
    (p) => new SGD([p], { lr: 0.1, momentum: 0.8, dampening: 0.3 }),
    (p, g, t, m) => p - 0.1 * (m['v'] = t === 1 ? g : 0.8 * m['v']! + 0.7 * g),
  )
  await compare(
    (p) => new SGD([p], { lr: 0.1, momentum: 0.8, nesterov: true }),
    (p, g, t, m) => {
      m['v'] = t === 1 ? g : 0.8 * m['v']! + g
      return p - 0.1 * (g + 0.8 * m['v'])
    },
  )
})

test('Adam and AdamW differ in where the decay goes', async () => {
  await compare(
    (p) => new Adam([p], { lr: 0.1, weightDecay: 0.2 }),
    (p, g, t, m) => {
      const [a, s] = moments(m, g + 0.2 * p)
      return p - (0.1 * (a / (1 - 0.9 ** t))) / (Math.sqrt(s / (1 - 0.999 ** t)) + 1e-8)
    },
  )
  await compare(
    (p) => new AdamW([p], { lr: 0.1, weightDecay: 0.2 }),
    (p, g, t, m) => {
      const [a, s] = moments(m, g)
      return p * (1 - 0.1 * 0.2) - (0.1 * (a / (1 - 0.9 ** t))) / (Math.sqrt(s / (1 - 0.999 ** t)) + 1e-8)
    },
  )
})

test('amsgrad remembers the largest average', async () => {
  await compare(
    (p) => new Adam([p], { lr: 0.1, amsgrad: true, betas: [0.9, 0.5] }),
    (p, g, t, m) => {
      m['a'] = 0.9 * (m['a'] ?? 0) + 0.1 * g
      m['s'] = 0.5 * (m['s'] ?? 0) + 0.5 * g * g
      m['x'] = Math.max(m['x'] ?? 0, m['s'])
      return p - (0.1 * (m['a'] / (1 - 0.9 ** t))) / (Math.sqrt(m['x'] / (1 - 0.5 ** t)) + 1e-8)
    },
  )
})

test('RMSprop, plain and with everything', async () => {
  await compare(
    (p) => new RMSprop([p], { lr: 0.1 }),
    (p, g, _, m) => {
      m['s'] = 0.99 * (m['s'] ?? 0) + 0.01 * g * g
      return p - (0.1 * g) / (Math.sqrt(m['s']) + 1e-8)
    },
  )
  await compare(
    (p) => new RMSprop([p], { lr: 0.1, momentum: 0.5, centered: true }),
    (p, g, _, m) => {
      m['s'] = 0.99 * (m['s'] ?? 0) + 0.01 * g * g
      m['a'] = 0.99 * (m['a'] ?? 0) + 0.01 * g
      m['v'] = 0.5 * (m['v'] ?? 0) + g / (Math.sqrt(m['s'] - m['a'] ** 2) + 1e-8)
      return p - 0.1 * m['v']
    },
  )
})

test('Adagrad and Adadelta', async () => {
  await compare(
    (p) => new Adagrad([p], { lr: 0.1, lrDecay: 0.5, initialAccumulatorValue: 0.2 }),
    (p, g, t, m) => {
      m['s'] = (m['s'] ?? 0.2) + g * g
      return p - ((0.1 / (1 + (t - 1) * 0.5)) * g) / (Math.sqrt(m['s']) + 1e-10)
    },
  )
  await compare(
    (p) => new Adadelta([p], { rho: 0.8 }),
    (p, g, _, m) => {
      m['s'] = 0.8 * (m['s'] ?? 0) + 0.2 * g * g
      const delta = (Math.sqrt((m['u'] ?? 0) + 1e-6) / Math.sqrt(m['s'] + 1e-6)) * g
      m['u'] = 0.8 * (m['u'] ?? 0) + 0.2 * delta * delta
      return p - delta
    },
  )
})

test('Adamax and NAdam', async () => {
  await compare(
    (p) => new Adamax([p], { lr: 0.1 }),
    (p, g, t, m) => {
      m['a'] = 0.9 * (m['a'] ?? 0) + 0.1 * g
      m['u'] = Math.max(0.999 * (m['u'] ?? 0), Math.abs(g) + 1e-8)
      return p - ((0.1 / (1 - 0.9 ** t)) * m['a']) / m['u']
    },
  )
  await compare(
    (p) => new NAdam([p], { lr: 0.1 }),
    (p, g, t, m) => {
      const [a, s] = moments(m, g)
      const now = 0.9 * (1 - 0.5 * 0.96 ** (t * 0.004))
      const next = 0.9 * (1 - 0.5 * 0.96 ** ((t + 1) * 0.004))
      m['product'] = (m['product'] ?? 1) * now
      const ahead = ((1 - now) / (1 - m['product'])) * g + (next / (1 - m['product'] * next)) * a
      return p - (0.1 * ahead) / (Math.sqrt(s / (1 - 0.999 ** t)) + 1e-8)
    },
  )
})

test('RAdam takes plain steps first and adaptive ones from the sixth on', async () => {
  await compare(
    (p) => new RAdam([p], { lr: 0.1 }),
    (p, g, t, m) => {
      const [a, s] = moments(m, g)
      const corrected = a / (1 - 0.9 ** t)
      const limit = 2 / 0.001 - 1
      const length = limit - (2 * t * 0.999 ** t) / (1 - 0.999 ** t)
      if (length <= 5) return p - 0.1 * corrected
      const r = Math.sqrt(((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length))
      return p - (0.1 * corrected * r * Math.sqrt(1 - 0.999 ** t)) / (Math.sqrt(s) + 1e-8)
    },
  )
})
