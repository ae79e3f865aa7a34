// ONNX Runtime, on WebAssembly and native: it only infers. Results are not read out, but it does make a tensor of every
// result. Models: onnxModels.mjs, written down by onnx.mjs.
import { load, versionOf } from '../install.mjs'
import { onnxModel } from './onnx.mjs'
import { skip, withoutCache } from '../skip.mjs'
import { models } from './onnxModels.mjs'

const reason = 'ONNX Runtime only infers'

/** @param kind `web` or `node` */
export async function open(kind, { threads }) {
  const name = `onnxruntime-${kind}`
  const module = await load(name)
  const ort = module.default ?? module
  if (kind === 'web') ort.env.wasm.numThreads = threads
  const provider = kind === 'web' ? 'wasm' : 'cpu'
  const build = (model) => (spec) => {
    if (spec.train === true) throw skip(reason)
    return session(ort, model(spec), provider, threads)
  }
  const builders = Object.fromEntries(Object.entries(models).map(([name, model]) => [name, build(model)]))
  const cannot = { mlp: reason, cnn: reason, lstm: reason, layerNorm: reason, generate: withoutCache }
  return { version: versionOf(name), threads, builders, cannot }
}

async function session(ort, { inputs, outputShape, ...graph }, provider, threads) {
  const model = onnxModel({ ...graph, inputs: describe(inputs), outputs: { y: outputShape } })
  const options = { executionProviders: [provider], intraOpNumThreads: threads, interOpNumThreads: 1 }
  const created = await ort.InferenceSession.create(model, options)
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, data }]) => {
      return [name, new ort.Tensor(data instanceof Int32Array ? 'int32' : 'float32', data, shape)]
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

function describe(inputs) {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, data }]) => [name, { shape, type: data.constructor }]),
  )
}
