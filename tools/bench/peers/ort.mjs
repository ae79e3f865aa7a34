// ONNX Runtime, on WebAssembly and native: it only infers, and takes models as files, so cases are those whose model can be
// written down in a few lines (onnx.mjs). Results are not read out, but it does make a tensor of every result.
import { uniform } from '../data.mjs'
import { load, versionOf } from '../install.mjs'
import { onnxModel } from './onnx.mjs'

/** @param kind `web` or `node` */
export async function open(kind, { threads }) {
  const name = `onnxruntime-${kind}`
  const module = await load(name)
  const ort = module.default ?? module
  if (kind === 'web') ort.env.wasm.numThreads = threads
  const provider = kind === 'web' ? 'wasm' : 'cpu'
  const builders = Object.fromEntries(
    Object.entries(models).map(([name, model]) => [
      name,
      (spec) => session(ort, model(spec), provider, threads),
    ]),
  )
  const reason = 'ONNX Runtime only infers'
  const cannot = { mlp: reason, cnn: reason, lstm: reason, gpt: reason, layerNorm: reason }
  return {
    version: versionOf(name),
    threads,
    builders,
    cannot: { ...cannot, resnet: 'no model file without other tools' },
  }
}

async function session(ort, { inputs, ...model }, provider, threads) {
  const outputs = { y: model.outputShape }
  const options = { executionProviders: [provider], intraOpNumThreads: threads, interOpNumThreads: 1 }
  const created = await ort.InferenceSession.create(onnxModel({ ...model, inputs, outputs }), options)
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, shape], i) => {
      const count = shape.reduce((product, size) => product * size, 1)
      return [name, new ort.Tensor('float32', uniform(count, i + 1), shape)]
    }),
  )
  return {
    step: async () => {
      const { y } = await created.run(feeds)
      y.dispose?.()
    },
    finish: async () => {
      await created.release?.()
      return {}
    },
  }
}

const node = (op, inputs, output, attributes) => ({ op, inputs, outputs: [output], attributes })

const models = {
  matmul: ({ size }) => ({
    inputs: { a: [size, size], b: [size, size] },
    outputShape: [size, size],
    nodes: [node('MatMul', ['a', 'b'], 'y')],
  }),
  chain: ({ size }) => ({
    inputs: { x: [size], a: [size], b: [size] },
    outputShape: [size],
    nodes: [
      node('Mul', ['x', 'a'], 'product'),
      node('Add', ['product', 'b'], 'shifted'),
      node('Relu', ['shifted'], 'rectified'),
      node('Tanh', ['x'], 'squashed'),
      node('Add', ['rectified', 'squashed'], 'y'),
    ],
  }),
  sum: ({ size }) => ({
    inputs: { x: [size] },
    outputShape: [],
    nodes: [node('ReduceSum', ['x'], 'y', { keepdims: 0 })],
  }),
  softmax: ({ rows, columns }) => ({
    inputs: { x: [rows, columns] },
    outputShape: [rows, columns],
    nodes: [node('Softmax', ['x'], 'y', { axis: -1 })],
  }),
}
