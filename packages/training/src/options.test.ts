import { ArrayDataset, DataLoader } from '@nabla/data'
import { ShapeError, ValueError } from '@nabla/engine'
import { Linear } from '@nabla/layers'
import { Accuracy } from '@nabla/metrics'
import { SGD } from '@nabla/optimizers'
import { expect, test } from 'vitest'
import type { TrainerOptions } from './options.ts'
import { lineData } from './testing.ts'
import { Trainer } from './trainer.ts'

const silent = { verbose: 0 } as const

function createLineTrainer(): Trainer {
  return new Trainer(new Linear(2, 1), { optimizer: 'sgd', lr: 0.1, loss: 'mse' })
}

const usual = { optimizer: 'adam', loss: 'mse' } as const

test.each<[string, unknown, string]>([
  [
    'an unknown optimizer',
    { ...usual, optimizer: 'adm' },
    "unknown optimizer 'adm'. Did you mean 'adam'? Known: sgd,",
  ],
  [
    'an unknown loss',
    { ...usual, loss: 'crossentropy' },
    "unknown loss 'crossentropy'. Did you mean 'crossEntropy'?",
  ],
  ['no loss', { optimizer: 'adam' }, 'Trainer: the loss must be a name or a function; got undefined'],
  [
    'an unknown metric',
    { ...usual, metrics: ['acuracy'] },
    "unknown metric 'acuracy'. Did you mean 'accuracy'?",
  ],
  ['a metric by itself', { ...usual, metrics: 'accuracy' }, 'Trainer: metrics must be a list'],
  ['a metric twice', { ...usual, metrics: ['accuracy', new Accuracy()] }, "are called 'accuracy'"],
  [
    'an optimizer that is none',
    { ...usual, optimizer: {} },
    'Trainer: the optimizer must be a name, an Optimizer',
  ],
  ['a learning rate below zero', { ...usual, lr: -1 }, 'Adam: lr must be a finite number'],
  [
    'an unknown option',
    { ...usual, metric: [] },
    "unknown option of Trainer 'metric'. Did you mean 'metrics'?",
  ],
  [
    'accumulating no batch',
    { ...usual, accumulate: 0 },
    'Trainer: accumulate must be a positive integer; got 0',
  ],
  [
    'a norm that is none',
    { ...usual, clipGradNorm: NaN },
    'Trainer: clipGradNorm must be a positive number; got NaN',
  ],
])('Trainer: %s', (_, options, message) => {
  expect(() => new Trainer(new Linear(2, 1), options as TrainerOptions)).toThrow(ValueError)
  expect(() => new Trainer(new Linear(2, 1), options as TrainerOptions)).toThrow(message)
})

test('Trainer: a model that is none', () => {
  const model = { forward: () => 1 } as never
  expect(() => new Trainer(model, usual)).toThrow('Trainer: the model must be a Module')
})

test.each<[string, object, string]>([
  ['epochs: 0', { epochs: 0 }, 'fit: epochs must be a positive integer; got 0'],
  ['epochs: 1.5', { epochs: 1.5 }, 'fit: epochs must be a positive integer; got 1.5'],
  ['batchSize: 0', { batchSize: 0 }, 'batchSize must be a positive integer; got 0'],
  ['batch_size', { batch_size: 32 }, "unknown option of fit 'batch_size'. Did you mean 'batchSize'?"],
  ['validationSplit: 1', { validationSplit: 1 }, 'fit: validationSplit must lie between 0 and 1; got 1'],
  [
    'validationSplit: 0.99',
    { validationSplit: 0.99 },
    'fit: a validationSplit of 0.99 leaves one side of 8 rows empty',
  ],
  [
    'both validations',
    { validationSplit: 0.5, validationData: lineData(2) },
    'fit: give validationData or a validationSplit',
  ],
  ['verbose: 3', { verbose: 3 }, 'fit: verbose must be 0 (nothing), 1 (a bar) or 2 (a line); got 3'],
  ['seed: -1', { seed: -1 }, 'seed must be a non-negative integer; got -1'],
])('fit: %s', async (_, options, message) => {
  const failed = createLineTrainer().fit(lineData(8), options)
  await expect(failed).rejects.toThrow(ValueError)
  await expect(failed).rejects.toThrow(message)
})

test('data that do not fit together', async () => {
  const trainer = createLineTrainer()
  const unequal = trainer.fit(
    {
      x: [
        [1, 2],
        [3, 4],
      ],
      y: [[1]],
    },
    silent,
  )
  await expect(unequal).rejects.toThrow(ShapeError)
  await expect(unequal).rejects.toThrow(/'x' has 2 rows but 'y' has 1/)
  await expect(trainer.fit({ x: [], y: [] }, silent)).rejects.toThrow(/empty/)
  await expect(trainer.fit({ x: [[1, 2]] } as never, silent)).rejects.toThrow(
    'fit: the data must be { x, y }, a dataset or a DataLoader; got an object with x',
  )
  await expect(trainer.fit(new ArrayDataset({ a: [1], y: [1] }), silent)).rejects.toThrow(
    "fit: batches have no field 'x'. They have a, y; rename with mapDataset (epoch 1 of 1, step 1 of 1)",
  )
  await expect(trainer.fit({ x: [[1, 2, 3]], y: [[1]] }, silent)).rejects.toThrow(ShapeError)
})

test('a loader has decided already', async () => {
  const loader = new DataLoader(lineData(8), { batchSize: 4 })
  const trainer = createLineTrainer()
  await expect(trainer.fit(loader, { batchSize: 2 })).rejects.toThrow(
    'a DataLoader, which has its own batchSize',
  )
  await expect(trainer.fit(loader, { validationSplit: 0.5 })).rejects.toThrow('a DataLoader cannot be split')
})

test('an optimizer of ones own is used as it is', async () => {
  const model = new Linear(2, 1)
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const trainer = new Trainer(model, { optimizer, loss: 'mse' })
  expect(trainer.optimizer).toBe(optimizer)
  const made = new Trainer(model, { optimizer: (params) => new SGD(params, { lr: 0.3 }), loss: 'mse' })
  expect(made.optimizer.lr).toBe(0.3)
})
