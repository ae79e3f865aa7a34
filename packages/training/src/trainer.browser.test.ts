import { BackendError, breathe, configure } from '@nabla/engine'
import { Linear, ReLU, Sequential } from '@nabla/layers'
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

test('a page gets its turn within a single step of training', async () => {
  configure({ slice: 1e-12 })
  const layers = [64, 64, 64, 64].flatMap((size) => [new Linear(size, size), new ReLU()])
  const trainer = new Trainer(new Sequential(...layers, new Linear(64, 1)), { optimizer: 'sgd', loss: 'mse' })
  const row = Array.from({ length: 64 }, (_, i) => Math.sin(i))
  let [turns, running] = [0, true]
  const count = async (): Promise<void> => {
    for (; running; turns++) await breathe()
  }
  void count()
  await trainer.fit({ x: [row, row], y: [[1], [1]] }, { epochs: 1, batchSize: 2, verbose: 0 })
  running = false
  configure({ slice: 25 })
  // A forward product, and two in the gradient, of each layer.
  expect(turns).toBeGreaterThan(10)
})

test('training in a worker leaves the page alone', async () => {
  const worker = new Worker(new URL('./testingInWorker.ts', import.meta.url), { type: 'module' })
  const losses: number[] = []
  const final = await new Promise<number[]>((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message))
    worker.onmessage = ({ data }: MessageEvent<{ logs?: { loss: number }; done?: number[] }>) => {
      if (data.logs !== undefined) losses.push(data.logs.loss)
      if (data.done !== undefined) resolve(data.done)
    }
  })
  worker.terminate()
  expect(losses).toEqual(final)
  expect(final.length).toBe(30)
  expect(final.at(-1)!).toBeLessThan(final[0]!)
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
