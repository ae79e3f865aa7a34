import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ShapeError, ValueError } from '@nabla/engine'
import { BatchNorm1d, Linear, Sequential } from '@nabla/layers'
import { tensor } from '@nabla/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CSVLogger } from './callbacks/csvLogger.ts'
import { ModelCheckpoint } from './callbacks/modelCheckpoint.ts'
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts'
import { lineData } from './testing.ts'
import { Trainer } from './trainer.ts'
import { copyState, loadWeights, saveWeights } from './weights.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-training-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const createModel = (): Sequential => new Sequential(new Linear(2, 3), new BatchNorm1d(3), new Linear(3, 1))

describe('saveWeights and loadWeights', () => {
  test('a model comes back with parameters, buffers and predictions', async () => {
    const [model, fresh] = [createModel(), createModel()]
    const trainer = new Trainer(model, { optimizer: 'adam', loss: 'mse' })
    await trainer.fit(lineData(16), { epochs: 2, batchSize: 4, verbose: 0 })
    const path = join(folder, 'deep/inside/model.safetensors')
    await saveWeights(model, path, { note: 'two epochs' })
    expect(readdirSync(join(folder, 'deep/inside'))).toEqual(['model.safetensors'])
    expect(await loadWeights(fresh, path)).toEqual({ missing: [], unexpected: [] })
    expect(await copyState(fresh)).toEqual(await copyState(model))
    const { x } = lineData(5)
    const again = new Trainer(fresh, { optimizer: 'adam', loss: 'mse' })
    expect(await (await again.predict(x)).toArray()).toEqual(await (await trainer.predict(x)).toArray())
    expect(decodeSafetensors(readFileSync(path)).metadata).toEqual({ note: 'two epochs' })
  })

  test('a file of another model changes nothing', async () => {
    const path = join(folder, 'other.safetensors')
    await saveWeights(new Sequential(new Linear(2, 4)), path)
    const model = createModel()
    const before = await copyState(model)
    await expect(loadWeights(model, path)).rejects.toThrow(/missing: 1\.weight, .*\{ strict: false \}/)
    await expect(loadWeights(model, path, { strict: false })).rejects.toThrow(ShapeError)
    expect(await copyState(model)).toEqual(before)
  })

  test('files that cannot be read or written, with the name', async () => {
    const model = createModel()
    const absent = join(folder, 'absent.safetensors')
    await expect(loadWeights(model, absent)).rejects.toThrow(ValueError)
    await expect(loadWeights(model, absent)).rejects.toThrow(`loadWeights: cannot read '${absent}': ENOENT`)
    const damaged = join(folder, 'damaged.safetensors')
    writeFileSync(damaged, 'no weights here at all')
    await expect(loadWeights(model, damaged)).rejects.toThrow(`${damaged}: no valid safetensors file`)
    const taken = join(folder, 'taken')
    mkdirSync(taken)
    await expect(saveWeights(model, taken)).rejects.toThrow(`saveWeights: cannot write '${taken}'`)
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('bytes are enough where there are no files', async () => {
    const [model, fresh] = [createModel(), createModel()]
    const bytes = encodeSafetensors(await copyState(model))
    fresh.loadStateDict(decodeSafetensors(bytes).tensors)
    expect(await copyState(fresh)).toEqual(await copyState(model))
  })
})

const createTrainer = (): Trainer => new Trainer(new Linear(2, 1), { optimizer: 'sgd', lr: 0.1, loss: 'mse' })

describe('ModelCheckpoint', () => {
  test('one file for each epoch, named by its values', async () => {
    const path = join(folder, 'each/{epoch}-{loss}.safetensors')
    const { loss } = await createTrainer().fit(lineData(8), {
      epochs: 2,
      verbose: 0,
      callbacks: [new ModelCheckpoint(path)],
    })
    expect(readdirSync(join(folder, 'each')).sort()).toEqual(
      loss.map((value, epoch) => `${epoch + 1}-${value.toFixed(4)}.safetensors`),
    )
    const wrong = new ModelCheckpoint(join(folder, '{val_acc}'))
    await expect(createTrainer().fit(lineData(8), { verbose: 0, callbacks: [wrong] })).rejects.toThrow(
      /ModelCheckpoint: there is no 'val_acc' for the path .*Known: loss, epoch/,
    )
  })

  test('only the best', async () => {
    const path = join(folder, 'best.safetensors')
    const data = { x: [[0, 0]], y: [[0]] }
    const biases = [3, 1, 2]
    await createTrainer().fit(data, {
      epochs: 3,
      verbose: 0,
      callbacks: [
        {
          onEpochBegin: (run) =>
            void run.model.loadStateDict({ weight: tensor([[0, 0]]), bias: tensor([biases[run.epoch]!]) }),
        },
        new ModelCheckpoint(path, { saveBestOnly: true, monitor: 'loss' }),
      ],
    })
    // A step of gradient descent at rate 0.1 takes a bias of 1 to 0.8.
    expect(decodeSafetensors(readFileSync(path)).tensors['bias']!.data[0]).toBeCloseTo(0.8, 6)
  })
})

describe('CSVLogger', () => {
  test('a row for each epoch, in a new file or after an old one', async () => {
    const path = join(folder, 'log.csv')
    const options = { epochs: 2, verbose: 0, validationData: lineData(4) } as const
    const first = await createTrainer().fit(lineData(8), { ...options, callbacks: [new CSVLogger(path)] })
    const rows = first.epoch.map((epoch, i) => `${epoch},${first.loss[i]},${first.get('val_loss')[i]}`)
    expect(readFileSync(path, 'utf8')).toBe(['epoch,loss,val_loss', ...rows, ''].join('\n'))
    const added = new CSVLogger(path, { append: true })
    await createTrainer().fit(lineData(8), { ...options, callbacks: [added] })
    expect(readFileSync(path, 'utf8').split('\n').length).toBe(6)
    await createTrainer().fit(lineData(8), {
      ...options,
      callbacks: [new CSVLogger(path, { separator: ';' })],
    })
    expect(readFileSync(path, 'utf8').split('\n')[0]).toBe('epoch;loss;val_loss')
    expect(readFileSync(path, 'utf8').split('\n').length).toBe(4)
  })
})
