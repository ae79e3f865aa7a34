// The cases that only infer, as ONNX models: by kind a function from the sizes to what onnx.mjs writes down, with one output
// `y`. Weights are random. Layers are spelled as PyTorch's exporter does; ONNX Runtime fuses what it can when it loads them.
import { integers, uniform, weights } from '../data.mjs'

const node = (op, inputs, output, attributes) => ({ op, inputs, outputs: [output], attributes })

export const models = {
  matmul: ({ size }) => ({
    inputs: { a: floats([size, size], 1), b: floats([size, size], 2) },
    outputShape: [size, size],
    nodes: [node('MatMul', ['a', 'b'], 'y')],
  }),
  chain: ({ size }) => ({
    inputs: { x: floats([size], 1), a: floats([size], 2), b: floats([size], 3) },
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
    inputs: { x: floats([size], 1) },
    outputShape: [],
    nodes: [node('ReduceSum', ['x'], 'y', { keepdims: 0 })],
  }),
  softmax: ({ rows, columns }) => ({
    inputs: { x: floats([rows, columns], 1) },
    outputShape: [rows, columns],
    nodes: [node('Softmax', ['x'], 'y', { axis: -1 })],
  }),
  gpt,
  resnet,
}

function floats(shape, seed) {
  return {
    shape,
    data: uniform(
      shape.reduce((product, size) => product * size, 1),
      seed,
    ),
  }
}

/** Collects nodes and constants; every method adds something and gives the name of its output. */
class Graph {
  nodes = []
  constants = {}
  #count = 0

  add(op, inputs, attributes) {
    return this.#several(op, inputs, 1, attributes)[0]
  }

  split(input, parts) {
    return this.#several('Split', [input], parts, { axis: -1 })
  }

  weight(shape, fanIn) {
    return this.constant(shape, weights(shape, fanIn, this.#count + 1))
  }

  filled(shape, value) {
    return this.constant(
      shape,
      new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(value),
    )
  }

  constant(shape, data) {
    const name = `c${this.#count++}`
    this.constants[name] = { shape, data }
    return name
  }

  number(value) {
    return this.constant([], Float32Array.of(value))
  }

  reshape(input, shape) {
    return this.add('Reshape', [input, this.constant([shape.length], BigInt64Array.from(shape, BigInt))])
  }

  linear(input, from, to, bias = true) {
    const product = this.add('MatMul', [input, this.weight([from, to], from)])
    return bias ? this.add('Add', [product, this.filled([to], 0)]) : product
  }

  #several(op, inputs, count, attributes) {
    const outputs = Array.from({ length: count }, () => `v${this.#count++}`)
    this.nodes.push({ op, inputs, outputs, attributes })
    return outputs
  }
}

function gpt({ layers, width, heads, context, batch, vocabulary }) {
  const graph = new Graph()
  const size = width / heads
  const norm = (x) =>
    graph.add('LayerNormalization', [x, graph.filled([width], 1), graph.filled([width], 0)], { axis: -1 })
  const split = (part, perm) =>
    graph.add('Transpose', [graph.reshape(part, [batch, context, heads, size])], { perm })
  const hidden = graph.constant(
    [context, context],
    Float32Array.from({ length: context ** 2 }, (_, i) => (i % context > Math.floor(i / context) ? -1e9 : 0)),
  )
  const attend = (x) => {
    const [q, k, v] = graph.split(graph.linear(x, width, 3 * width), 3)
    const product = graph.add('MatMul', [split(q, [0, 2, 1, 3]), split(k, [0, 2, 3, 1])])
    const scores = graph.add('Add', [graph.add('Mul', [product, graph.number(size ** -0.5)]), hidden])
    const mixed = graph.add('MatMul', [graph.add('Softmax', [scores], { axis: -1 }), split(v, [0, 2, 1, 3])])
    const joined = graph.add('Transpose', [mixed], { perm: [0, 2, 1, 3] })
    return graph.linear(graph.reshape(joined, [batch, context, width]), width, width)
  }
  // Hendrycks and Gimpel 2016, with the hyperbolic tangent.
  const gelu = (x) => {
    const cube = graph.add('Pow', [x, graph.number(3)])
    const inner = graph.add('Add', [x, graph.add('Mul', [cube, graph.number(0.044715)])])
    const tanh = graph.add('Tanh', [graph.add('Mul', [inner, graph.number(Math.sqrt(2 / Math.PI))])])
    return graph.add('Mul', [
      graph.add('Mul', [x, graph.number(0.5)]),
      graph.add('Add', [tanh, graph.number(1)]),
    ])
  }
  const found = graph.add('Gather', [graph.weight([vocabulary, width], width), 'x'])
  let value = graph.add('Add', [found, graph.weight([context, width], width)])
  for (let layer = 0; layer < layers; layer++) {
    value = graph.add('Add', [value, attend(norm(value))])
    const fed = gelu(graph.linear(norm(value), width, 4 * width))
    value = graph.add('Add', [value, graph.linear(fed, 4 * width, width)])
  }
  const logits = graph.linear(norm(value), width, vocabulary, false)
  return {
    inputs: { x: { shape: [batch, context], data: integers(batch * context, vocabulary) } },
    outputShape: [batch, context, vocabulary],
    nodes: [...graph.nodes, node('Identity', [logits], 'y')],
    constants: graph.constants,
  }
}

function resnet({ batch, size, classes }) {
  const graph = new Graph()
  const pair = (x, from, to, stride, side) => {
    const pad = (side - 1) / 2
    const attributes = { kernel_shape: [side, side], strides: [stride, stride], pads: [pad, pad, pad, pad] }
    const weight = graph.weight([to, from, side, side], from * side * side)
    const [scale, shift, mean, variance] = [1, 0, 0, 1].map((value) => graph.filled([to], value))
    return graph.add('BatchNormalization', [
      graph.add('Conv', [x, weight], attributes),
      scale,
      shift,
      mean,
      variance,
    ])
  }
  const residual = (x, from, to, stride) => {
    const inner = pair(graph.add('Relu', [pair(x, from, to, stride, 3)]), to, to, 1, 3)
    const shortcut = from === to && stride === 1 ? x : pair(x, from, to, stride, 1)
    return graph.add('Relu', [graph.add('Add', [inner, shortcut])])
  }
  const stem = graph.add('Relu', [pair('x', 3, 64, 2, 7)])
  const window = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }
  let value = graph.add('MaxPool', [stem], window)
  let from = 64
  for (const to of [64, 128, 256, 512]) {
    value = residual(residual(value, from, to, to === 64 ? 1 : 2), to, to, 1)
    from = to
  }
  const pooled = graph.reshape(graph.add('GlobalAveragePool', [value]), [batch, 512])
  const logits = graph.linear(pooled, 512, classes)
  return {
    inputs: { x: floats([batch, 3, size, size], 1) },
    outputShape: [batch, classes],
    nodes: [...graph.nodes, node('Identity', [logits], 'y')],
    constants: graph.constants,
  }
}
