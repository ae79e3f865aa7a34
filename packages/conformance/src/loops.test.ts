// Training loops of many shapes, as people write them (R5). Here: beside the same loops in plain TypeScript, which share
// nothing with Nabla. Read next: loops/everyWay.test.ts (the same numbers on every backend and op by op),
// loops/stale.test.ts (values that can no longer be had), loops/reference.ts.
import { backward } from '@nabla/autograd'
import { engine } from '@nabla/engine'
import { mseLoss } from '@nabla/losses'
import { SGD } from '@nabla/optimizers'
import { noGrad, Parameter, tensor, Variable } from '@nabla/tensor'
import { describe, expect, test } from 'vitest'
import { batchOf, columns, linearModel, startWeights, table, weightsOf } from './loops/models.ts'
import { descend, gradientOf, meanSquaredError, rowsOf, type Table } from './loops/reference.ts'
import { expectClose } from './loops/testing.ts'

describe('beside plain TypeScript', () => {
  test('gradient descent, the loss read after every step', async () => {
    const losses: number[] = []
    const model = linearModel()
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    const { x, y } = batchOf(table)
    const expected: number[] = []
    let weights = startWeights
    for (let step = 0; step < 20; step++) {
      const loss = mseLoss(model.forward(x), y)
      backward(loss)
      optimizer.step()
      losses.push(await loss.item())
      expected.push(meanSquaredError(weights, table))
      weights = descend(weights, gradientOf(weights, table), 0.1)
    }
    expectClose(losses, expected)
    expectClose(await weightsOf(model), weights)
  })

  test('gradients accumulated over four parts of a batch', async () => {
    const model = linearModel()
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    let weights = startWeights
    for (let step = 0; step < 8; step++) {
      for (let part = 0; part < 4; part++) {
        const { x, y } = batchOf(rowsOf(table, part * 6, part * 6 + 6))
        backward(mseLoss(model.forward(x), y).div(4))
      }
      optimizer.step()
      weights = descend(weights, gradientOf(weights, table), 0.1)
    }
    expectClose(await weightsOf(model), weights)
  })

  test('gradients accumulated, each part awaited before the next', async () => {
    const model = linearModel()
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    let weights = startWeights
    const losses: number[] = []
    const expected: number[] = []
    for (let step = 0; step < 4; step++) {
      for (let part = 0; part < 4; part++) {
        const rows = rowsOf(table, part * 6, part * 6 + 6)
        const { x, y } = batchOf(rows)
        const loss = mseLoss(model.forward(x), y)
        backward(loss.div(4))
        losses.push(await loss.item())
        expected.push(meanSquaredError(weights, rows))
      }
      optimizer.step()
      weights = descend(weights, gradientOf(weights, table), 0.1)
    }
    expectClose(losses, expected)
    expectClose(await weightsOf(model), weights)
  })

  test('averaged weights (EMA) of new values, written in the same step', async () => {
    const model = linearModel()
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    const average = new Variable(new Float32Array(columns), { shape: [1, columns] })
    const { x, y } = batchOf(table)
    let weights = startWeights
    let expected = [0, 0, 0]
    for (let step = 0; step < 12; step++) {
      backward(mseLoss(model.forward(x), y))
      optimizer.step()
      noGrad(() => {
        average.value = average.value.mul(0.8).add(model.weight.value.mul(0.2))
      })
      weights = descend(weights, gradientOf(weights, table), 0.1)
      expected = expected.map((mean, j) => 0.8 * mean + 0.2 * weights[j]!)
    }
    expectClose([...(await average.read())], expected)
    expectClose(await weightsOf(model), weights)
  })

  test('a learning rate schedule, for which nothing is planned anew (R2)', async () => {
    const model = linearModel()
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    const { x, y } = batchOf(table)
    let weights = startWeights
    let plansAfterFirst = 0
    for (let step = 0; step < 15; step++) {
      optimizer.lr = 0.1 * 0.9 ** step
      backward(mseLoss(model.forward(x), y))
      optimizer.step()
      weights = descend(weights, gradientOf(weights, table), 0.1 * 0.9 ** step)
      if (step === 0) plansAfterFirst = engine.statistics.plansBuilt
    }
    expect(engine.statistics.plansBuilt).toBe(plansAfterFirst)
    expectClose(await weightsOf(model), weights)
  })

  test('a loop that never awaits', async () => {
    const model = linearModel()
    const optimizer = new SGD(model.parameters(), { lr: 0.05 })
    let weights = startWeights
    for (let step = 0; step < 60; step++) {
      const rows = rowsOf(table, (step % 4) * 6, (step % 4) * 6 + 6)
      const { x, y } = batchOf(rows)
      backward(mseLoss(model.forward(x), y))
      optimizer.step()
      weights = descend(weights, gradientOf(weights, rows), 0.05)
    }
    expectClose(await weightsOf(model), weights)
  })

  test('k-fold cross-validation', async () => {
    const folds = 4
    const size = table.targets.length / folds
    for (let fold = 0; fold < folds; fold++) {
      const held = rowsOf(table, fold * size, (fold + 1) * size)
      const rest: Table = {
        features: table.features.filter((_, i) => Math.floor(i / size) !== fold),
        targets: table.targets.filter((_, i) => Math.floor(i / size) !== fold),
      }
      const model = linearModel()
      const optimizer = new SGD(model.parameters(), { lr: 0.1 })
      const training = batchOf(rest)
      let weights = startWeights
      for (let step = 0; step < 10; step++) {
        backward(mseLoss(model.forward(training.x), training.y))
        optimizer.step()
        weights = descend(weights, gradientOf(weights, rest), 0.1)
      }
      const validation = batchOf(held)
      const score = await noGrad(() => mseLoss(model.forward(validation.x), validation.y)).item()
      expectClose([score], [meanSquaredError(weights, held)])
    }
  })

  test('a chain longer than 2048 ops computes itself on the way (R9)', async () => {
    let x = tensor([1, 2, 3])
    let expected = [1, 2, 3]
    for (let i = 0; i < 5000; i++) {
      x = x.mul(0.999).add(0.001)
      expected = expected.map((value) => value * 0.999 + 0.001)
    }
    expect(x.depth).toBeLessThanOrEqual(2049)
    expectClose([...(await x.data())], expected)
  })

  test('a long chain that carries gradients is computed once, together with the way back', async () => {
    const w = new Parameter(tensor([0.5, -1]))
    const optimizer = new SGD([w], { lr: 1 })
    let x = tensor([1, 2]).mul(w)
    for (let i = 0; i < 1100; i++) x = x.mul(0.999).add(w.value.mul(0.001))
    const built = engine.statistics.plansBuilt + engine.statistics.planHits
    backward(x.sum())
    optimizer.step()
    expect(engine.statistics.plansBuilt + engine.statistics.planHits).toBe(built + 1)
    // x = w (c 0.999^1100 + 0.001 (1 + 0.999 + ... + 0.999^1099))
    const decayed = 0.999 ** 1100
    const gradient = [1, 2].map((c) => c * decayed + (1 - decayed))
    expectClose([...(await w.value.data())], [0.5 - gradient[0]!, -1 - gradient[1]!])
  })
})
