import { backward } from '@nabla/autograd'
import { ArrayDataset, DataLoader } from '@nabla/data'
import { ValueError } from '@nabla/engine'
import { BatchNorm1d, Dropout, Linear, Sequential } from '@nabla/layers'
import { tensor, type Tensor, type TensorLike } from '@nabla/tensor'
import { describe, expect, test } from 'vitest'
import type { TrainerOptions } from './options.ts'
import { createClassifier, Fragile, lineData, Screen, xorData } from './testing.ts'
import { Trainer } from './trainer.ts'
import { copyState } from './weights.ts'

const silent = { verbose: 0 } as const

function createLineTrainer(options: Partial<TrainerOptions> = {}): Trainer {
  return new Trainer(new Linear(2, 1), { optimizer: 'sgd', lr: 0.1, loss: 'mse', ...options })
}

describe('fit', () => {
  test('finds the line that the data lie on', async () => {
    const trainer = createLineTrainer()
    const history = await trainer.fit(lineData(), { epochs: 60, batchSize: 8, ...silent })
    expect(history.epoch).toEqual(Array.from({ length: 60 }, (_, epoch) => epoch))
    expect(history.loss.length).toBe(60)
    expect(history.loss[0]!).toBeGreaterThan(0.1)
    expect(history.loss.at(-1)!).toBeLessThan(1e-6)
    const { weight, bias } = trainer.model.stateDict()
    const [first, second] = await weight!.read()
    expect(first!).toBeCloseTo(2, 2)
    expect(second!).toBeCloseTo(-3, 2)
    expect((await bias!.read())[0]!).toBeCloseTo(1, 2)
  })

  test('learns what no straight line separates', async () => {
    const trainer = new Trainer(createClassifier(), {
      optimizer: 'adam',
      lr: 0.05,
      loss: 'crossEntropy',
      metrics: ['accuracy'],
    })
    const history = await trainer.fit(xorData, { epochs: 150, batchSize: 4, ...silent })
    expect(history.get('accuracy').at(-1)).toBe(1)
    expect(await trainer.evaluate(xorData, silent)).toEqual({
      loss: expect.any(Number) as number,
      accuracy: 1,
    })
  })

  test('takes arrays, datasets and loaders, with one result', async () => {
    const { x, y } = lineData(20)
    const flat = { data: Float32Array.from(x.flat()), shape: [20, 2] }
    const inputs = [
      { x, y },
      { x: flat, y: tensor(y) },
      { x: tensor(x).mul(2).div(2), y: tensor(y) },
      new ArrayDataset({ x, y }),
    ]
    const start = await copyState(new Linear(2, 1))
    const losses: number[][] = []
    for (const data of inputs) {
      const trainer = createLineTrainer()
      trainer.model.loadStateDict(start)
      losses.push((await trainer.fit(data, { epochs: 2, batchSize: 6, seed: 3, ...silent })).loss)
    }
    const trainer = createLineTrainer()
    trainer.model.loadStateDict(start)
    const loader = new DataLoader({ x, y }, { batchSize: 6, shuffle: true, seed: 3 })
    losses.push((await trainer.fit(loader, { epochs: 2, ...silent })).loss)
    for (const loss of losses) expect(loss).toEqual(losses[0])
  })

  test('the loss of an epoch is the mean over rows, whatever the size of the last batch', async () => {
    const data = { x: [[1], [1], [1]], y: [[1], [1], [4]] }
    const trainer = new Trainer(new Linear(1, 1), { optimizer: 'sgd', lr: 0, loss: 'mse' })
    trainer.model.loadStateDict({ weight: tensor([[0]]), bias: tensor([1]) })
    const history = await trainer.fit(data, { batchSize: 2, shuffle: false, ...silent })
    expect(history.loss[0]!).toBeCloseTo(3, 6)
  })

  test('reports validation under val_, from given data or from the last rows', async () => {
    const data = lineData(20)
    const trainer = createLineTrainer({ metrics: ['mae'] })
    const given = await trainer.fit(data, { validationData: lineData(7), ...silent })
    expect(Object.keys(given.history)).toEqual([
      'loss',
      'meanAbsoluteError',
      'val_loss',
      'val_meanAbsoluteError',
    ])
    const last = { x: data.x.slice(15), y: data.y.slice(15) }
    const split = await trainer.fit(data, { validationSplit: 0.25, ...silent })
    expect(split.get('val_loss')[0]!).toBeCloseTo((await trainer.evaluate(last, silent))['loss']!, 6)
    expect(() => split.get('val_accuracy')).toThrow(
      "there is no 'val_accuracy'. Known: loss, meanAbsoluteError, val_loss, val_meanAbsoluteError",
    )
  })

  test('batches that are accumulated make the same steps as large ones', async () => {
    const data = lineData(20)
    const start = await copyState(new Linear(2, 1))
    const weights: number[][] = []
    for (const [accumulate, batchSize] of [
      [1, 8],
      [4, 2],
    ] as const) {
      const trainer = createLineTrainer({ accumulate })
      trainer.model.loadStateDict(start)
      await trainer.fit(data, { epochs: 3, batchSize, seed: 5, ...silent })
      weights.push(Array.from(await trainer.model.stateDict()['weight']!.read()))
    }
    expect(weights[1]).toEqual(weights[0]!.map((value) => expect.closeTo(value, 5) as number))
  })

  test('clips the gradients of a step together', async () => {
    const trainer = createLineTrainer({ lr: 1, clipGradNorm: 0.01 })
    const before = await copyState(trainer.model)
    await trainer.fit(lineData(8), { batchSize: 8, ...silent })
    const after = await copyState(trainer.model)
    let moved = 0
    for (const name of ['weight', 'bias']) {
      before[name]!.data.forEach((value, i) => (moved += (value - after[name]!.data[i]!) ** 2))
    }
    expect(Math.sqrt(moved)).toBeCloseTo(0.01, 4)
  })

  test('lets timers run while it trains', async () => {
    const trainer = createLineTrainer()
    let ticks = 0
    const timer = setInterval(() => (ticks += 1), 1)
    const started = performance.now()
    // Long enough for several breaths, however fast the machine is.
    while (performance.now() - started < 400)
      await trainer.fit(lineData(256), { epochs: 20, batchSize: 4, ...silent })
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(1)
  })

  test('gives each module its mode back', async () => {
    const dropout = new Dropout(0.5)
    const model = new Sequential(new Linear(2, 4), dropout, new Linear(4, 1))
    dropout.eval()
    const trainer = new Trainer(model, { optimizer: 'adam', loss: 'mse' })
    await trainer.fit(lineData(8), { validationData: lineData(8), ...silent })
    expect([model.training, dropout.training]).toEqual([true, false])
  })

  test('one fit at a time', async () => {
    const trainer = createLineTrainer()
    const first = trainer.fit(lineData(8), silent)
    await expect(trainer.fit(lineData(8), silent)).rejects.toThrow('fit: this trainer is training already')
    await first
    await trainer.fit(lineData(8), silent)
  })
})

describe('a step that fails', () => {
  test('says where, keeps its class, and leaves the model as the step before it did', async () => {
    const model = new Fragile()
    const trainer = new Trainer(model, { optimizer: 'adam', lr: 0.1, loss: 'mse' })
    const data = { x: [[1], [2], [3], [4]], y: [[1], [2], [3], [4]] }
    const states: Record<string, unknown>[] = []
    model.failsAt = 7
    const failed = trainer.fit(data, {
      epochs: 3,
      batchSize: 1,
      callbacks: [{ onBatchEnd: async () => void states.push(await copyState(model)) }],
      ...silent,
    })
    await expect(failed).rejects.toThrow(RangeError)
    await expect(failed).rejects.toThrow('out of luck (epoch 2 of 3, step 3 of 4)')
    await failed.catch((error: Error) => expect(error.stack).toContain('(epoch 2 of 3, step 3 of 4)'))
    expect(states.length).toBe(6)
    expect(await copyState(model)).toEqual(states.at(-1))
    expect(model.parameters().every(({ grad }) => grad === null)).toBe(true)
  })

  test('labels outside of the classes: an error of the loss, with running statistics as they were', async () => {
    const norm = new BatchNorm1d(2)
    const model = new Sequential(norm, new Linear(2, 2))
    const trainer = new Trainer(model, { optimizer: 'adam', loss: 'crossEntropy' })
    const before = await copyState(model)
    const data = {
      x: [
        [1, 2],
        [3, 4],
        [5, 7],
        [6, 9],
      ],
      y: [0, 1, 2, 1],
    }
    const failed = trainer.fit(data, { batchSize: 4, shuffle: false, ...silent })
    await expect(failed).rejects.toThrow(ValueError)
    await expect(failed).rejects.toThrow(/target 2 at \[2\] is no class.*\(epoch 1 of 1, step 1 of 1\)/)
    expect(await copyState(model)).toEqual(before)
    await trainer.fit({ ...data, y: [0, 1, 0, 1] }, { batchSize: 4, ...silent })
  })

  test('in the validation: the message says so', async () => {
    const screen = new Screen(true)
    const model = new Fragile()
    const trainer = new Trainer(model, { optimizer: 'sgd', loss: 'mse' })
    const data = { x: [[1], [2]], y: [[1], [2]] }
    model.failsAt = 3
    const failed = trainer.fit(data, { batchSize: 1, validationData: data, output: screen })
    await expect(failed).rejects.toThrow('out of luck (validation of epoch 1, batch 1 of 2)')
    expect(screen.text.endsWith('\n')).toBe(true)
    expect(model.training).toBe(true)
  })

  test('gradients that somebody left behind do not leak into a fit', async () => {
    const data = lineData(8)
    const start = await copyState(new Linear(2, 1))
    const weights: unknown[] = []
    for (const leftBehind of [false, true]) {
      const trainer = createLineTrainer()
      trainer.model.loadStateDict(start)
      if (leftBehind) backward(trainer.model.forward(tensor(data.x)).sum())
      await trainer.fit(data, { batchSize: 8, ...silent })
      weights.push(await copyState(trainer.model))
    }
    expect(weights[1]).toEqual(weights[0])
  })

  test('a loss for each row instead of one for the batch', async () => {
    const perRow = (predictions: TensorLike, targets: TensorLike): Tensor =>
      tensor([0]).add(predictions).sub(targets)
    await expect(createLineTrainer({ loss: perRow }).fit(lineData(4), silent)).rejects.toThrow(
      'fit: the loss must be one number for the whole batch; got shape [4, 1]. Take its mean() (epoch 1 of 1, step 1 of 1)',
    )
  })
})

describe('evaluate and predict', () => {
  test('evaluate measures without changing anything', async () => {
    const trainer = createLineTrainer({ metrics: ['mse', 'mae'] })
    const before = await copyState(trainer.model)
    const logs = await trainer.evaluate(lineData(10), { batchSize: 3, ...silent })
    expect(Object.keys(logs)).toEqual(['loss', 'meanSquaredError', 'meanAbsoluteError'])
    expect(logs['loss']!).toBeCloseTo(logs['meanSquaredError']!, 5)
    expect(await copyState(trainer.model)).toEqual(before)
  })

  test('predict joins the outputs of all batches, in evaluation mode', async () => {
    const model = new Sequential(new Linear(2, 3), new Dropout(0.9))
    const trainer = new Trainer(model, { optimizer: 'adam', loss: 'mse' })
    const { x } = lineData(10)
    const all = await trainer.predict(x, { batchSize: 3 })
    expect(all.shape).toEqual([10, 3])
    const expected = model.eval().forward(tensor(x))
    expect(Array.from(await all.data())).toEqual(
      Array.from(await expected.data(), (value) => expect.closeTo(value, 6) as number),
    )
    const { x: alone } = { x: { data: Float32Array.from(x.flat()), shape: [10, 2] } }
    expect(await (await trainer.predict(alone)).toArray()).toEqual(await expected.toArray())
    expect((await trainer.predict(new ArrayDataset({ x }))).shape).toEqual([10, 3])
  })

  test('accuracy of logits counts from 0, not from one half', async () => {
    const options = { optimizer: 'sgd', metrics: ['accuracy'] } as const
    const model = new Linear(1, 1)
    model.loadStateDict({ weight: tensor([[1]]), bias: tensor([0]) })
    const data = { x: [[0.2], [-0.2]], y: [[1], [0]] }
    const logits = new Trainer(model, { ...options, loss: 'binaryCrossEntropyWithLogits' })
    expect((await logits.evaluate(data, silent))['accuracy']).toBe(1)
    const probabilities = new Trainer(model, { ...options, loss: 'mse' })
    expect((await probabilities.evaluate(data, silent))['accuracy']).toBe(0.5)
  })
})

describe('what is shown', () => {
  const options = { optimizer: 'sgd', lr: 0, loss: 'mse', metrics: ['mae'] } as const
  const data = { x: [[1], [1], [1], [1]], y: [[2], [2], [2], [2]] }

  function createTrainer(): Trainer {
    const trainer = new Trainer(new Linear(1, 1), options)
    trainer.model.loadStateDict({ weight: tensor([[0]]), bias: tensor([0]) })
    return trainer
  }

  test('a bar for each epoch, then one for the evaluation', async () => {
    const screen = new Screen(true)
    const trainer = createTrainer()
    await trainer.fit(data, { epochs: 2, batchSize: 3, validationData: data, output: screen })
    await trainer.evaluate(data, { output: screen })
    const values = 'loss: 4.0000 - meanAbsoluteError: 2.0000'
    const epoch = `2/2 [==============================] - TIME - ${values} - val_loss: 4.0000 - val_meanAbsoluteError: 2.0000`
    expect(screen.timeless).toEqual([
      'Epoch 1/2',
      epoch,
      'Epoch 2/2',
      epoch,
      `1/1 [==============================] - TIME - ${values}`,
      '',
    ])
  })

  test('a line for each epoch, or nothing', async () => {
    const screen = new Screen(true)
    await createTrainer().fit(data, { epochs: 2, verbose: 2, output: screen })
    expect(screen.timeless).toEqual([
      'Epoch 1/2 - 1/1 - TIME - loss: 4.0000 - meanAbsoluteError: 2.0000',
      'Epoch 2/2 - 1/1 - TIME - loss: 4.0000 - meanAbsoluteError: 2.0000',
      '',
    ])
    const nothing = new Screen(true)
    await createTrainer().fit(data, { verbose: 0, output: nothing })
    expect(nothing.text).toBe('')
  })

  test('a message of a failed step begins on a line of its own', async () => {
    const screen = new Screen(true)
    const model = new Fragile()
    model.failsAt = 1
    const failed = new Trainer(model, options).fit(data, { output: screen })
    await expect(failed).rejects.toThrow('out of luck')
    expect(screen.lines).toEqual(['Epoch 1/1', '0/1 [..............................]', ''])
  })
})
