// What of a step can be read after it (R5): the loss, outputs of the model, and what was kept. Anything else is an error
// that says so, never a wrong number; and a step that fails changes nothing. Read before: ../loops.test.ts.
import { backward } from '@nabla/autograd'
import { StaleValueError } from '@nabla/engine'
import { Embedding, Linear, Sequential, Sigmoid } from '@nabla/layers'
import { mseLoss } from '@nabla/losses'
import { Adam, SGD } from '@nabla/optimizers'
import { flush, tensor, Variable, type Tensor } from '@nabla/tensor'
import { describe, expect, test } from 'vitest'
import { batchOf, columns, numbersOf, smallNet, table } from './models.ts'
import { expectClose, runLoop } from './testing.ts'

describe('values that were left behind', () => {
  interface Step {
    readonly model: Sequential
    readonly hidden: Tensor
    readonly output: Tensor
    readonly loss: Tensor
    readonly optimizer: SGD
  }

  function oneStep(keep: boolean): Step {
    const model = new Sequential(new Linear(3, 4), new Sigmoid(), new Linear(4, 1))
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    const { x, y } = batchOf(table)
    const hidden = model.layers[0]!.forward(x).mul(3)
    const output = model.forward(x)
    const loss = mseLoss(output, y)
    if (keep) hidden.keep()
    backward(loss)
    optimizer.step()
    return { model, hidden, output, loss, optimizer }
  }

  test('loss and output of the model are there after the step', async () => {
    await runLoop(async () => {
      const { output, loss } = oneStep(false)
      const { y } = batchOf(table)
      const again = mseLoss(tensor(await output.data(), { shape: output.shape }), y)
      expectClose([await loss.item()], [await again.item()])
      return [1]
    })
  })

  test('anything else says that it is too late, and what to do', async () => {
    await runLoop(async () => {
      const { hidden } = oneStep(false)
      await expect(hidden.data()).rejects.toThrow(StaleValueError)
      await expect(hidden.data()).rejects.toThrow(/updated.*(keep\(\)|before optimizer\.step)/s)
      return [1]
    })
  })

  test('what was kept is there', async () => {
    await runLoop(async () => {
      const { hidden, model } = oneStep(true)
      const kept = await hidden.data()
      const { x } = batchOf(table)
      const now = await model.layers[0]!.forward(x).mul(3).data()
      expect([...kept]).not.toEqual([...now])
      return [1]
    })
  })

  test('a gradient taken out before the step is gone after it, unless it was kept or read', async () => {
    await runLoop(async () => {
      const model = smallNet(columns, 1)
      const first = model.layers[0] as Linear
      const optimizer = new SGD(model.parameters(), { lr: 0.1 })
      const { x, y } = batchOf(table)
      backward(mseLoss(model.forward(x), y))
      const before = await first.weight.read()
      const [left, kept] = [first.bias!.grad!.mul(2), first.weight.grad!.keep()]
      optimizer.step()
      expect(first.weight.grad).toBeNull()
      const after = await first.weight.read()
      expectClose(
        Array.from(await kept.data(), (gradient) => 0.1 * gradient),
        Array.from(before, (weight, i) => weight - after[i]!),
      )
      await expect(left.data()).rejects.toThrow(StaleValueError)
      return [1]
    })
  })

  test('going on with an old value is refused as well, and changes nothing', async () => {
    await runLoop(async () => {
      const { hidden, model, optimizer } = oneStep(false)
      const before = await numbersOf(model)
      backward(hidden.square().mean())
      expect(() => optimizer.step()).toThrow(StaleValueError)
      optimizer.zeroGrad()
      expect(await numbersOf(model)).toEqual(before)
      return [1]
    })
  })

  test('a step that fails leaves weights and moments as they were, and the next one works', async () => {
    await runLoop(async () => {
      const embedding = new Embedding(4, 2)
      const optimizer = new Adam(embedding.parameters(), { lr: 0.1 })
      const step = (ids: Tensor): void => {
        backward(embedding.forward(ids).square().sum())
        optimizer.step()
      }
      step(tensor([0, 1], { dtype: 'int32' }))
      const before = await numbersOf(embedding)
      // Computed ids cannot be checked when the op is called; the backend finds the mistake when it runs.
      expect(() => step(tensor([1, 2], { dtype: 'int32' }).mul(3))).toThrow(/6.*4|4.*6/s)
      optimizer.zeroGrad()
      expect(await numbersOf(embedding)).toEqual(before)
      step(tensor([2, 3], { dtype: 'int32' }))
      expect(await numbersOf(embedding)).not.toEqual(before)
      return [1]
    })
  })

  test('Variables swapped, and one read by the update of another', async () => {
    await runLoop(async () => {
      const [a, b, sum] = [1, 10, 0].map((value) => new Variable([value, value + 1]))
      for (let step = 0; step < 3; step++) {
        const [oldA, oldB] = [a!.value, b!.value]
        sum!.value = sum!.value.add(oldA).sub(oldB.mul(0.5))
        a!.value = oldB
        b!.value = oldA
        flush()
      }
      expect([...(await a!.read())]).toEqual([10, 11])
      expect([...(await b!.read())]).toEqual([1, 2])
      expect([...(await sum!.read())]).toEqual([1 - 5 + 10 - 0.5 + 1 - 5, 1 + 2 - 5.5 + 11 - 1 + 2 - 5.5])
      return [1]
    })
  })
})
