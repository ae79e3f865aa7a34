// Will a patient's diabetes progress more than the median within a year? Ten measurements of each of 442 patients say
// something about it. The smallest complete program: data in, a model, fit, evaluate.
// Run it with: npm run example docs/examples/binary-classifier.ts
import { readCsv, StandardScaler } from '@nabla/data'
import { Linear, ReLU, Sequential, Sigmoid } from '@nabla/layers'
import { Trainer } from '@nabla/training'

const folder = `${import.meta.dirname}/data/diabetes`
const table = await readCsv(`${folder}/diabetes_data_raw.csv.gz`, { delimiter: 'whitespace', header: false })
const target = await readCsv(`${folder}/diabetes_target.csv.gz`, { header: false })

// The label: is the progression above its median?
const progression = target.numbers('c0')
const [below, above] = progression.slice().sort().subarray(220, 222)
const labels = Array.from(progression, (value) => [value > (below! + above!) / 2 ? 1 : 0])

// The first 342 patients are for training, the other 100 for the test. What scales the values is learned from the former.
const { data } = table.matrix()
const scaler = new StandardScaler()
const xTrain = scaler.fitTransform({ data: data.subarray(0, 3420), shape: [342, 10] })
const xTest = scaler.transform({ data: data.subarray(3420), shape: [100, 10] })
const [yTrain, yTest] = [labels.slice(0, 342), labels.slice(342)]

const model = new Sequential(new Linear(10, 10), new ReLU(), new Linear(10, 1), new Sigmoid())
const trainer = new Trainer(model, { optimizer: 'adam', loss: 'binaryCrossEntropy', metrics: ['accuracy'] })
await trainer.fit({ x: xTrain, y: yTrain }, { epochs: 10, batchSize: 32 })
await trainer.evaluate({ x: xTest, y: yTest })
