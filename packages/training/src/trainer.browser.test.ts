import { BackendError } from '@nabla/engine'
import { Linear } from '@nabla/layers'
import { expect, test, vi } from 'vitest'
import { ModelCheckpoint } from './callbacks/modelCheckpoint.ts'
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts'
import { lineData } from './testing.ts'
import { Trainer } from './trainer.ts'
import { copyState, saveWeights } from './weights.ts'

test('a page trains, shows lines in its console, and stays alive', async () => {
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  let ticks = 0
  const timer = setInterval(() => (ticks += 1), 1)
  const trainer = new Trainer(new Linear(2, 1), { optimizer: 'sgd', lr: 0.1, loss: 'mse' })
  const history = await trainer.fit(lineData(), { epochs: 60, batchSize: 8 })
  // Long enough for several breaths, however fast the machine is.
  const started = performance.now()
  while (performance.now() - started < 400) await trainer.fit(lineData(), { epochs: 20, verbose: 0 })
  clearInterval(timer)
  log.mockRestore()
  expect(history.loss.at(-1)!).toBeLessThan(1e-6)
  expect(ticks).toBeGreaterThan(1)
  expect(lines.length).toBe(120)
  expect(lines[118]).toBe('Epoch 60/60')
  expect(lines[119]).toMatch(/^8\/8 \[={30}\] - 0s \d+(ms|us)\/step - loss: \d\.\d{4}(e-\d+)?$/)
})

test('weights are bytes here, for there are no files', async () => {
  const [model, fresh] = [new Linear(2, 3), new Linear(2, 3)]
  fresh.loadStateDict(decodeSafetensors(encodeSafetensors(await copyState(model))).tensors)
  expect(await copyState(fresh)).toEqual(await copyState(model))
  await expect(saveWeights(model, 'model.safetensors')).rejects.toThrow(BackendError)
  await expect(saveWeights(model, 'model.safetensors')).rejects.toThrow(
    'saveWeights: there is no file system here',
  )
  expect(() => new ModelCheckpoint('model.safetensors')).toThrow(
    'ModelCheckpoint: there is no file system here',
  )
})
