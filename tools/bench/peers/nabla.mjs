// Nabla itself, by its public package alone. What a step costs besides its kernels is counted by observing the engine
// (nablaProfile.mjs). Models: nablaModels.mjs.
import { integers, uniform } from '../data.mjs'
import { skip } from '../skip.mjs'
import { GPT, Lstm, Mlp, Network, ResNet18 } from './nablaModels.mjs'
import { loadBlas, nabla, version } from './nablaPackage.mjs'
import { observe } from './nablaProfile.mjs'

/** @throws where the backend runs on another number of threads */
export async function open({ threads }) {
  nabla.configure({ threads })
  nabla.manualSeed(1)
  if (threads > 1) await startThreads()
  const info = nabla.backendInfo()
  if (info.threads !== threads) throw skip(`the ${info.name} backend runs on ${info.threads} thread(s) only`)
  return { version, threads: info.threads, notes: info.notes, builders }
}

/** The same with products by an installed BLAS. @throws where there is none */
export async function openWithBlas(options) {
  const { useBlas } = await loadBlas()
  try {
    useBlas()
  } catch (error) {
    throw skip(error.message.split('\n', 1)[0])
  }
  const peer = await open(options)
  return { ...peer, notes: [nabla.backendInfo().library, ...peer.notes] }
}

/** Threads start with the first work worth sharing, and while the program waits for something. */
async function startThreads() {
  const x = random([512, 512])
  for (let i = 0; i < 10; i++) {
    await x.value.matmul(x.value).sum().item()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const builders = {
  matmul: ({ size }, options) => {
    const a = random([size, size])
    const b = random([size, size])
    return computed([size, size], () => a.value.matmul(b.value), options)
  },
  chain: ({ size }, options) => {
    const [x, a, b] = [random([size]), random([size]), random([size])]
    const chain = () => x.value.mul(a.value).add(b.value).relu().add(x.value.tanh())
    return computed([size], chain, options)
  },
  sum: ({ size }, options) => {
    const x = random([size])
    return computed([], () => x.value.sum(), options)
  },
  softmax: ({ rows, columns }, options) => {
    const x = random([rows, columns])
    return computed([rows, columns], () => x.value.softmax(-1), options)
  },
  layerNorm: ({ rows, columns }, options) => {
    const x = new nabla.Parameter(nabla.randn([rows, columns]))
    const weight = new nabla.Parameter(nabla.ones([columns]))
    const bias = new nabla.Parameter(nabla.zeros([columns]))
    const upstream = random([rows, columns])
    const sources = [x, weight, bias]
    const targets = [...sources, x].map(({ shape }) => zeros(shape))
    return observed(() => {
      const output = nabla.layerNorm(x.value, columns, { weight, bias })
      const gradients = nabla.grad(output, sources, { gradOutputs: [upstream.value] })
      targets.forEach((target, i) => (target.value = gradients[i] ?? output))
      nabla.flush()
    }, options)
  },
  mlp: (spec, options) => {
    const { sizes, batch } = spec
    const x = nabla.tensor(uniform(batch * sizes[0]), { shape: [batch, sizes[0]] })
    const y = nabla.tensor(integers(batch, sizes.at(-1)), { shape: [batch] })
    return training(new Mlp(sizes), x, y, adam, options)
  },
  cnn: ({ batch }, options) => {
    const x = nabla.tensor(uniform(batch * 784), { shape: [batch, 1, 28, 28] })
    const y = nabla.tensor(integers(batch, 10), { shape: [batch] })
    return training(new Network(), x, y, adam, options)
  },
  lstm: (spec, options) => {
    const { batch, steps, inputs, outputs } = spec
    const x = nabla.tensor(uniform(batch * steps * inputs), { shape: [batch, steps, inputs] })
    const y = nabla.tensor(integers(batch, outputs), { shape: [batch] })
    return training(new Lstm(spec), x, y, adam, options)
  },
  gpt: (spec, options) => {
    const { batch, context, vocabulary, train } = spec
    const shape = [batch, context]
    const x = nabla.tensor(integers(batch * context, vocabulary, 1), { shape })
    const model = new GPT(spec)
    if (!train) return inferring(model, x, [batch * context, vocabulary], options)
    const y = nabla.tensor(integers(batch * context, vocabulary, 2), { shape: [batch * context] })
    const optimizer = (parameters) => new nabla.AdamW(parameters, { lr: 1e-3 })
    return training(model, x, y, optimizer, options)
  },
  generate: (spec, options) => {
    const model = new GPT(spec).eval()
    const caches = model.createCaches(spec.batch)
    const generate = async () => {
      await model.generate(1, spec.tokens, caches)
    }
    return observed(generate, options)
  },
  resnet: ({ batch, size, classes, train }, options) => {
    const model = new ResNet18(classes)
    const x = nabla.tensor(uniform(batch * 3 * size * size), { shape: [batch, 3, size, size] })
    if (!train) return inferring(model, x, [batch, classes], options)
    const y = nabla.tensor(integers(batch, classes), { shape: [batch] })
    const optimizer = (parameters) => new nabla.SGD(parameters, { lr: 0.01, momentum: 0.9 })
    return training(model, x, y, optimizer, options)
  },
}

function adam(parameters) {
  return new nabla.Adam(parameters, { lr: 1e-3 })
}

function random(shape) {
  return new nabla.Variable(nabla.randn(shape))
}

function zeros(shape) {
  return new nabla.Variable(nabla.zeros(shape))
}

/** A step that computes a value and leaves it on the device, as the other peers do. */
function computed(shape, compute, options) {
  const out = zeros(shape)
  return observed(() => {
    out.value = compute()
    nabla.flush()
  }, options)
}

function inferring(model, x, shape, options) {
  model.eval()
  return computed(shape, () => nabla.noGrad(() => model.forward(x)), options)
}

function training(model, x, y, makeOptimizer, options) {
  const optimizer = makeOptimizer(model.parameters())
  return observed(() => {
    const loss = nabla.crossEntropy(model.forward(x), y)
    nabla.backward(loss)
    optimizer.step()
    return loss
  }, options)
}

function observed(step, options) {
  const observer = observe(nabla.engine, options)
  return {
    step: () => observer.step(step),
    warm: () => observer.start(),
    finish: () => observer.finish(),
  }
}
