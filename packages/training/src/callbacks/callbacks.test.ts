import { Linear } from '@nabla/layers'
import { tensor } from '@nabla/tensor'
import { describe, expect, test, vi } from 'vitest'
import type { Callback } from '../callback.ts'
import type { Logs } from '../history.ts'
import { lineData, Screen } from '../testing.ts'
import { Trainer } from '../trainer.ts'
import { copyState } from '../weights.ts'
import { EarlyStopping } from './earlyStopping.ts'
import { Monitor } from './monitor.ts'
import { LambdaCallback, LearningRateScheduler, TerminateOnNaN } from './small.ts'

const silent = { verbose: 0 } as const

function createTrainer(lr: number, callbacks: Callback[] = []): Trainer {
  return new Trainer(new Linear(2, 1), { optimizer: 'sgd', lr, loss: 'mse', callbacks })
}

test('callbacks are called in order, with epoch and step counted from 0', async () => {
  const calls: string[] = []
  const note = (name: string): Callback => ({
    onTrainBegin: (run) => void calls.push(`${name} train begins: ${run.epochs} epochs of ${run.steps}`),
    onEpochBegin: (run) => void calls.push(`${name} epoch ${run.epoch} begins`),
    onBatchEnd: (run) => void calls.push(`${name} batch ${run.epoch}.${run.step}`),
    onEpochEnd: async (run, logs) => {
      await Promise.resolve()
      calls.push(`${name} epoch ${run.epoch} ends: ${Object.keys(logs).join()}`)
    },
    onTrainEnd: (run) => void calls.push(`${name} train ends after ${run.history.epoch.length}`),
  })
  const trainer = createTrainer(0.1, [note('a')])
  await trainer.fit(lineData(4), {
    epochs: 2,
    batchSize: 2,
    validationData: lineData(2),
    callbacks: [new LambdaCallback({ onEpochEnd: (run) => void calls.push(`b epoch ${run.epoch} ends`) })],
    ...silent,
  })
  expect(calls).toEqual([
    'a train begins: 2 epochs of 2',
    'a epoch 0 begins',
    'a batch 0.0',
    'a batch 0.1',
    'a epoch 0 ends: loss,val_loss',
    'b epoch 0 ends',
    'a epoch 1 begins',
    'a batch 1.0',
    'a batch 1.1',
    'a epoch 1 ends: loss,val_loss',
    'b epoch 1 ends',
    'a train ends after 2',
  ])
})

test('a callback may stop training after any batch, and its reason is shown', async () => {
  const screen = new Screen(false)
  const stopper: Callback = { onBatchEnd: (run) => (run.step === 1 ? run.stop('enough') : undefined) }
  const history = await createTrainer(0.1).fit(lineData(8), {
    epochs: 3,
    batchSize: 2,
    callbacks: [stopper],
    output: screen,
  })
  expect(history.epoch).toEqual([0])
  expect(history.stopReason).toBe('enough')
  expect(screen.timeless[1]).toMatch(/^2\/4 \[/)
  expect(screen.lines.slice(2)).toEqual(['enough', ''])
})

test('what a callback throws ends training', async () => {
  const broken: Callback = {
    onEpochEnd: () => {
      throw new RangeError('disk full')
    },
  }
  await expect(createTrainer(0.1).fit(lineData(4), { callbacks: [broken], ...silent })).rejects.toThrow(
    'disk full',
  )
})

describe('EarlyStopping', () => {
  /** Overwrites the weights after each epoch, so that the losses measured are known. */
  function follow(biases: number[]): Callback {
    return {
      onEpochBegin: (run) => {
        run.model.loadStateDict({ weight: tensor([[0, 0]]), bias: tensor([biases[run.epoch]!]) })
      },
    }
  }
  const zeros = { x: [[0, 0]], y: [[0]] }

  test('ends when nothing has improved for as long as its patience, and gives back the best weights', async () => {
    const stopping = new EarlyStopping({ patience: 2, restoreBestWeights: true })
    const trainer = createTrainer(0)
    const history = await trainer.fit(zeros, {
      epochs: 9,
      validationData: zeros,
      callbacks: [follow([3, 2, 1, 1.5, 1, 0.5, 0, 0, 0]), stopping],
      ...silent,
    })
    expect(history.get('val_loss')).toEqual([9, 4, 1, 2.25, 1])
    expect(stopping.bestEpoch).toBe(2)
    expect(history.stopReason).toBe(
      'EarlyStopping: val_loss has not improved for 2 epochs (best: 1, epoch 3)',
    )
    expect(Array.from((await copyState(trainer.model))['bias']!.data)).toEqual([1])
  })

  test('an improvement must exceed minDelta', async () => {
    const stopping = new EarlyStopping({ monitor: 'loss', minDelta: 2 })
    const history = await createTrainer(0).fit(zeros, {
      epochs: 5,
      callbacks: [follow([3, 2, 1, 0, 0]), stopping],
      ...silent,
    })
    expect(history.loss).toEqual([9, 4, 1, 0])
  })

  test('gives back the best weights also when training ended by itself', async () => {
    const trainer = createTrainer(0)
    const stopping = new EarlyStopping({ monitor: 'loss', patience: 5, restoreBestWeights: true })
    await trainer.fit(zeros, { epochs: 3, callbacks: [follow([3, 1, 2]), stopping], ...silent })
    expect(Array.from((await copyState(trainer.model))['bias']!.data)).toEqual([1])
  })

  test('more accuracy is better, less of anything else is', () => {
    const accuracy = new Monitor('test', { monitor: 'val_accuracy' })
    expect([0.5, 0.6, 0.55, NaN, 0.7].map((value) => accuracy.improves({ val_accuracy: value }))).toEqual([
      true,
      true,
      false,
      false,
      true,
    ])
    const error = new Monitor('test', { monitor: 'meanAbsoluteError' })
    expect([0.5, 0.6, 0.4].map((value) => error.improves({ meanAbsoluteError: value }))).toEqual([
      true,
      false,
      true,
    ])
    const chosen = new Monitor('test', { monitor: 'meanAbsoluteError', mode: 'max' })
    expect([0.5, 0.6].map((value) => chosen.improves({ meanAbsoluteError: value }))).toEqual([true, true])
  })

  test('says what can be monitored', async () => {
    const fit = (stopping: EarlyStopping) => createTrainer(0).fit(zeros, { callbacks: [stopping], ...silent })
    await expect(fit(new EarlyStopping())).rejects.toThrow(
      "EarlyStopping: there is no 'val_loss' to monitor. Give fit validationData or a validationSplit. Known: loss",
    )
    await expect(fit(new EarlyStopping({ monitor: 'acc' }))).rejects.toThrow(
      "there is no 'acc' to monitor. Known: loss",
    )
    expect(() => new EarlyStopping({ patience: -1 })).toThrow(
      'patience must be a whole number of epochs; got -1',
    )
    expect(() => new EarlyStopping({ mode: 'most' as never })).toThrow("unknown mode 'most'. Known: min, max")
    expect(() => new EarlyStopping({ minDelta: NaN })).toThrow('minDelta must be zero or a positive number')
  })
})

test('LearningRateScheduler sets the rate of each epoch', async () => {
  const rates: number[] = []
  const trainer = createTrainer(0.4)
  await trainer.fit(lineData(4), {
    epochs: 3,
    callbacks: [
      new LearningRateScheduler((epoch, lr) => (epoch === 0 ? lr : lr / 2)),
      { onBatchEnd: (run) => void rates.push(run.optimizer.lr) },
    ],
    ...silent,
  })
  expect(rates).toEqual([0.4, 0.2, 0.1])
  const wrong = new LearningRateScheduler(() => NaN)
  await expect(trainer.fit(lineData(4), { callbacks: [wrong], ...silent })).rejects.toThrow(
    'the schedule gave NaN for epoch 0',
  )
})

describe('a loss that is no number', () => {
  const data = { x: [[1, 1]], y: [[NaN]] }

  test('is warned of once, with what to do', async () => {
    const warned: string[] = []
    const warn = vi.spyOn(console, 'warn').mockImplementation((text: string) => void warned.push(text))
    const history = await createTrainer(0.1).fit(data, { epochs: 2, ...silent })
    warn.mockRestore()
    expect(history.loss).toEqual([NaN, NaN])
    expect(warned.length).toBe(1)
    expect(warned[0]).toMatch(/^fit: the loss of epoch 1 is NaN, .*learning rate/)
  })

  test('ends training with TerminateOnNaN', async () => {
    const warn = vi.spyOn(console, 'warn')
    const history = await createTrainer(0.1).fit(data, {
      epochs: 5,
      callbacks: [new TerminateOnNaN()],
      ...silent,
    })
    expect(warn).not.toHaveBeenCalled()
    warn.mockRestore()
    expect(history.epoch).toEqual([0])
    expect(history.stopReason).toBe('TerminateOnNaN: the loss is NaN (epoch 1, step 1)')
  })
})

test('values are read along the way, not only at the end', async () => {
  const seen: Logs[] = []
  const slow: Callback = {
    onBatchEnd: () => new Promise((resolve) => setTimeout(resolve, 50)),
    onProgress: (_, logs) => void seen.push(logs),
  }
  await createTrainer(0.01).fit(lineData(12), { batchSize: 2, callbacks: [slow], ...silent })
  expect(seen.length).toBeGreaterThan(1)
  for (const logs of seen) expect(logs['loss']).toBeGreaterThan(0)
})
