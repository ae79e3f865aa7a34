// Training loops of many shapes (R5): each gives the same numbers on WebAssembly, on the interpreter, and run op by op.
// Read before: ../loops.test.ts. Read next: testing.ts.
import { backward, grad } from '@nabla/autograd'
import { BatchNorm1d, Dropout, Embedding, Linear, Module, ReLU, Sequential } from '@nabla/layers'
import { binaryCrossEntropyWithLogits, crossEntropy, mseLoss } from '@nabla/losses'
import { Accuracy } from '@nabla/metrics'
import { Adam, SGD } from '@nabla/optimizers'
import {
  noGrad,
  randn,
  tensor,
  Variable,
  zeros,
  type Parameter,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { describe, expect, test } from 'vitest'
import { batchOf, numbersOf, smallNet, table } from './models.ts'
import { rowsOf } from './reference.ts'
import { sameEveryWay } from './testing.ts'

describe('the same every way', () => {
  test('a GAN: two models, two optimizers, one sees the other', async () => {
    const losses = await sameEveryWay(async () => {
      const generator = smallNet(2, 1)
      const critic = new Sequential(new Linear(1, 6), new ReLU(), new Linear(6, 1))
      const generatorOptimizer = new Adam(generator.parameters(), { lr: 0.02 })
      const criticOptimizer = new SGD(critic.parameters(), { lr: 0.05, momentum: 0.5 })
      const numbers: number[] = []
      const [ones, nothing] = [zeros([16, 1]).add(1), zeros([16, 1])]
      for (let step = 0; step < 10; step++) {
        const real = randn([16, 1]).mul(0.5).add(2)
        const fake = generator.forward(randn([16, 2]))
        const criticLoss = binaryCrossEntropyWithLogits(critic.forward(real), ones).add(
          binaryCrossEntropyWithLogits(critic.forward(fake.detach()), nothing),
        )
        backward(criticLoss)
        criticOptimizer.step()
        const generatorLoss = binaryCrossEntropyWithLogits(
          critic.forward(generator.forward(randn([16, 2]))),
          ones,
        )
        backward(generatorLoss)
        // The critic has gradients of this loss as well, which are not wanted.
        criticOptimizer.zeroGrad()
        generatorOptimizer.step()
        numbers.push(await criticLoss.item(), await generatorLoss.item())
      }
      return [...numbers, ...(await numbersOf(generator)), ...(await numbersOf(critic))]
    })
    expect(losses.length).toBeGreaterThan(20)
  })

  test('a recurrent network unrolled by hand, its state carried from batch to batch', async () => {
    await sameEveryWay(async () => {
      const input = new Linear(2, 5)
      const recurrent = new Linear(5, 5, { bias: false })
      const output = new Linear(5, 1)
      const parameters = [...input.parameters(), ...recurrent.parameters(), ...output.parameters()]
      const optimizer = new Adam(parameters, { lr: 0.01 })
      const state = new Variable(new Float32Array(4 * 5), { shape: [4, 5] })
      const losses: number[] = []
      for (let batch = 0; batch < 6; batch++) {
        let hidden: Tensor = state.value
        let total: Tensor = zeros([])
        for (let time = 0; time < 7; time++) {
          const x = randn([4, 2])
          hidden = input.forward(x).add(recurrent.forward(hidden)).tanh()
          total = total.add(mseLoss(output.forward(hidden), x.sum(1, { keepdim: true })))
        }
        backward(total)
        // Gradients end here (truncated backpropagation), the state goes on.
        state.value = hidden.detach()
        optimizer.step()
        losses.push(await total.item())
      }
      return [...losses, ...(await state.read())]
    })
  })

  test('a frozen backbone under a new head, thawed later', async () => {
    await sameEveryWay(async () => {
      const backbone = smallNet(3, 4)
      const head = new Linear(4, 2)
      for (const parameter of backbone.parameters()) parameter.requiresGrad = false
      const before = await numbersOf(backbone)
      const { x } = batchOf(table)
      const labels = tensor(
        table.targets.map((target) => Number(target > 0)),
        { dtype: 'int32' },
      )
      const losses: number[] = []
      const trainFor = async (steps: number, parameters: Parameter[]): Promise<void> => {
        const optimizer = new SGD(parameters, { lr: 0.2 })
        for (let step = 0; step < steps; step++) {
          const loss = crossEntropy(head.forward(backbone.forward(x)), labels)
          backward(loss)
          optimizer.step()
          losses.push(await loss.item())
        }
      }
      await trainFor(5, head.parameters())
      expect(await numbersOf(backbone)).toEqual(before)
      expect(backbone.parameters().every(({ grad: gradient }) => gradient === null)).toBe(true)
      for (const parameter of backbone.parameters()) parameter.requiresGrad = true
      await trainFor(5, [...head.parameters(), ...backbone.parameters()])
      expect(await numbersOf(backbone)).not.toEqual(before)
      return losses
    })
  })

  test('evaluation inside of training, with dropout and batch statistics', async () => {
    await sameEveryWay(async () => {
      // A bias before batch norm has no gradient but rounding errors, which Adam would blow up to full steps.
      const first = new Linear(3, 8, { bias: false })
      const model = new Sequential(first, new BatchNorm1d(8), new ReLU(), new Dropout(0.25), new Linear(8, 1))
      const optimizer = new Adam(model.parameters(), { lr: 0.02 })
      const training = batchOf(rowsOf(table, 0, 16))
      const validation = batchOf(rowsOf(table, 16, 24))
      const numbers: number[] = []
      for (let step = 0; step < 9; step++) {
        const loss = mseLoss(model.forward(training.x), training.y)
        backward(loss)
        optimizer.step()
        if (step % 3 !== 2) continue
        model.eval()
        const score = noGrad(() => mseLoss(model.forward(validation.x), validation.y))
        numbers.push(await score.item(), await loss.item())
        model.train()
      }
      for (const buffer of model.buffers()) numbers.push(...(await buffer.read()))
      return numbers
    })
  })

  test('two models that teach one another in turns', async () => {
    await sameEveryWay(async () => {
      const [first, second] = [smallNet(3, 2), smallNet(3, 2)]
      const optimizers = [
        new SGD(first.parameters(), { lr: 0.1 }),
        new Adam(second.parameters(), { lr: 0.02 }),
      ]
      const { x } = batchOf(table)
      const losses: number[] = []
      for (let step = 0; step < 10; step++) {
        const [student, teacher] = step % 2 === 0 ? [first, second] : [second, first]
        const target = noGrad(() => teacher.forward(x).softmax(-1))
        const loss = crossEntropy(student.forward(x), target)
        backward(loss)
        optimizers[step % 2]!.step()
        losses.push(await loss.item())
      }
      return losses
    })
  })

  test('a metric that is updated every step and read at the end of the epoch', async () => {
    await sameEveryWay(async () => {
      const model = smallNet(3, 2)
      const optimizer = new SGD(model.parameters(), { lr: 0.3 })
      const labels = table.targets.map((target) => Number(target > 0.5))
      const scores: number[] = []
      for (let epoch = 0; epoch < 3; epoch++) {
        const accuracy = new Accuracy()
        for (let from = 0; from < 24; from += 8) {
          const { x } = batchOf(rowsOf(table, from, from + 8))
          const y = tensor(labels.slice(from, from + 8), { dtype: 'int32' })
          const logits = model.forward(x)
          backward(crossEntropy(logits, y))
          accuracy.update(logits, y)
          optimizer.step()
        }
        scores.push(await accuracy.compute())
        accuracy.reset()
      }
      return scores
    })
  })

  test('a target network that follows now and then', async () => {
    await sameEveryWay(async () => {
      const [online, target] = [smallNet(3, 2), smallNet(3, 2)]
      const optimizer = new Adam(online.parameters(), { lr: 0.05 })
      const { x } = batchOf(table)
      const follow = (): void => {
        const [from, to] = [online.parameters(), target.parameters()]
        noGrad(() => from.forEach((parameter, i) => (to[i]!.value = parameter.value)))
      }
      follow()
      const losses: number[] = []
      for (let step = 0; step < 9; step++) {
        const best = noGrad(() => target.forward(x.mul(0.9)).amax(1).mul(0.9).add(1))
        const loss = mseLoss(online.forward(x).select(1, 0), best)
        backward(loss)
        optimizer.step()
        losses.push(await loss.item())
        if (step % 4 === 3) follow()
      }
      return losses
    })
  })

  test('a gradient penalty: the derivative of a derivative in every step', async () => {
    await sameEveryWay(async () => {
      const critic = smallNet(3, 1)
      const optimizer = new SGD(critic.parameters(), { lr: 0.05 })
      const losses: number[] = []
      for (let step = 0; step < 6; step++) {
        const x = tensor(table.features, { requiresGrad: true })
        const score = critic.forward(x)
        const [slope] = grad(score.sum(), [x], { createGraph: true })
        const penalty = slope!.square().sum(1).add(1e-6).sqrt().sub(1).square().mean()
        const loss = penalty.sub(score.mean().mul(0.1))
        backward(loss)
        optimizer.step()
        losses.push(await loss.item())
      }
      return losses
    })
  })

  test('weights that are shared by two places, and a table of vectors', async () => {
    await sameEveryWay(async () => {
      class TiedModel extends Module {
        readonly embedding: Embedding = new Embedding(7, 4)
        readonly mix: Linear = new Linear(4, 4)
        override forward(tokens: TensorLike): Tensor {
          const hidden = this.mix.forward(this.embedding.forward(tokens)).tanh() // [N, T, 4]
          return hidden.matmul(this.embedding.weight.value.transpose()) // [N, T, 7]
        }
      }
      const model = new TiedModel()
      const optimizer = new Adam(model.parameters(), { lr: 0.05 })
      const tokens = tensor(
        [
          [0, 1, 2, 3, 4, 5],
          [6, 5, 4, 3, 2, 1],
        ],
        { dtype: 'int32' },
      )
      const losses: number[] = []
      for (let step = 0; step < 6; step++) {
        const logits = model.forward(tokens.slice(1, 0, 5)).reshape([10, 7])
        const loss = crossEntropy(logits, tensor([1, 2, 3, 4, 5, 5, 4, 3, 2, 1], { dtype: 'int32' }))
        backward(loss)
        optimizer.step()
        losses.push(await loss.item())
      }
      return losses
    })
  })
})
