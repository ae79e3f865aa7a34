// A small convolutional network learns to read handwritten digits: 60,000 images to train with, 10,000 to test.
// `npm start` runs this.
import { ArrayDataset, mapDataset, readIdx } from '@nabla/data'
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential, summary } from '@nabla/layers'
import {
  classificationReport,
  LearningRateScheduler,
  loadWeights,
  saveWeights,
  Trainer,
  type TrainerOptions,
} from '@nabla/training'
import { drawDigits } from './support/digits.ts'

const folder = import.meta.dirname
const options: TrainerOptions = { optimizer: 'adam', loss: 'crossEntropy', metrics: ['accuracy'] }

async function readDigits(part: 'train' | 't10k') {
  const images = await readIdx(`${folder}/data/mnist/${part}-images-idx3-ubyte.gz`)
  const labels = await readIdx(`${folder}/data/mnist/${part}-labels-idx1-ubyte.gz`)
  const [count = 0, height = 0, width = 0] = images.shape
  const digits = new ArrayDataset({
    x: { data: images.data, shape: [count, 1, height, width], dtype: 'float32' },
    y: { data: labels.data, shape: labels.shape },
  })
  return { images, labels, digits: mapDataset(digits, ({ x, y }) => ({ x: x.div(255), y })) }
}

function createModel(): Sequential {
  return new Sequential(
    new Conv2d(1, 16, 3), // [N, 16, 26, 26]
    new ReLU(),
    new MaxPool2d(2), // [N, 16, 13, 13]
    new Conv2d(16, 32, 3), // [N, 32, 11, 11]
    new ReLU(),
    new MaxPool2d(2), // [N, 32, 5, 5]
    new Flatten(), // [N, 800]
    new Linear(800, 64),
    new ReLU(),
    new Linear(64, 10), // [N, 10]
  )
}

const train = await readDigits('train')
const test = await readDigits('t10k')
const model = createModel()
console.log(`${summary(model)}\n`)

const trainer = new Trainer(model, options)
const slowingDown = new LearningRateScheduler((epoch) => [0.004, 0.002, 0.0005][epoch]!)
await trainer.fit(train.digits, {
  epochs: 3,
  batchSize: 64,
  validationData: test.digits,
  callbacks: [slowingDown],
})

console.log('\nOn the 10,000 test images:')
const { accuracy } = await trainer.evaluate(test.digits, { batchSize: 100 })
const scores = await trainer.predict(test.digits, { batchSize: 100 }) // [10000, 10]
console.log(`\n${await classificationReport(scores, test.labels.data)}\n`)

const file = `${folder}/out/mnist.safetensors`
await saveWeights(model, file)
const reader = createModel()
await loadWeights(reader, file)
const again = await new Trainer(reader, options).predict(test.digits, { batchSize: 100 })
if (!(await again.eq(scores).all().item()))
  throw new Error('the model that was loaded predicts something else')
console.log(`Saved to ${file} and loaded into a fresh model: the same predictions.\n`)

const predicted = await scores.argmax(1).data()
const captions = Array.from({ length: 8 }, (_, i) => [
  `predicted ${predicted[i]}`,
  `true      ${test.labels.data[i]}`,
])
console.log(`${drawDigits(test.images.data, 28, captions)}\n`)
console.log(`test accuracy ${accuracy?.toFixed(4)}`)
