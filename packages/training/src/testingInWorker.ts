// For tests: trains in a worker of a page, as the README shows.
import { Linear } from '@nabla/layers'
import { lineData } from './testing.ts'
import { Trainer } from './trainer.ts'

const trainer = new Trainer(new Linear(2, 1), { optimizer: 'sgd', lr: 0.1, loss: 'mse' })
const history = await trainer.fit(lineData(), {
  epochs: 30,
  batchSize: 8,
  verbose: 0,
  callbacks: [{ onEpochEnd: (_run, logs) => postMessage({ logs }) }],
})
postMessage({ done: history.loss })
