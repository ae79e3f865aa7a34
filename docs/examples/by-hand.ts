// The same digits as mnist.ts, without a Trainer: a model of one's own, and every step of training in plain sight.
// Run it with: npm run example docs/examples/by-hand.ts
import { backward } from '@nabla/autograd'
import { DataLoader, readIdx } from '@nabla/data'
import { Linear, Module } from '@nabla/layers'
import { crossEntropy } from '@nabla/losses'
import { Accuracy, Mean } from '@nabla/metrics'
import { AdamW } from '@nabla/optimizers'
import { manualSeed, noGrad, type Tensor } from '@nabla/tensor'

/** Two layers with a residual around the second: x [N, 28, 28] -> y [N, 10]. */
class Network extends Module {
  readonly first = new Linear(784, 128)
  readonly second = new Linear(128, 128)
  readonly last = new Linear(128, 10)

  override forward(x: Tensor): Tensor {
    const hidden = this.first.forward(x.div(255).flatten(1)).relu() // [N, 128]
    const deeper = hidden.add(this.second.forward(hidden).relu()) // [N, 128]
    return this.last.forward(deeper)
  }
}

async function readDigits(part: 'train' | 't10k', batchSize: number) {
  const folder = `${import.meta.dirname}/data/mnist`
  const x = await readIdx(`${folder}/${part}-images-idx3-ubyte.gz`)
  const y = await readIdx(`${folder}/${part}-labels-idx1-ubyte.gz`)
  return new DataLoader(
    { x: { ...x, dtype: 'float32' }, y },
    { batchSize, shuffle: part === 'train', seed: 1 },
  )
}

manualSeed(1)
const train = await readDigits('train', 128)
const test = await readDigits('t10k', 500)
const model = new Network()
const optimizer = new AdamW(model.parameters(), { lr: 0.002 })

for (let epoch = 1; epoch <= 3; epoch++) {
  const meanLoss = new Mean()
  model.train()
  for await (const { x, y } of train) {
    const loss = crossEntropy(model.forward(x), y)
    backward(loss)
    meanLoss.update(loss)
    optimizer.step()
  }

  const accuracy = new Accuracy()
  model.eval()
  for await (const { x, y } of test)
    accuracy.update(
      noGrad(() => model.forward(x)),
      y,
    )
  const [loss, share] = [await meanLoss.compute(), await accuracy.compute()]
  console.log(`epoch ${epoch}: loss ${loss.toFixed(4)}, test accuracy ${share.toFixed(4)}`)
}
