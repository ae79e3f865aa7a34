// Writes ONNX models without any library: a model is a protocol buffer, which is fields with a number, a kind and a value,
// one after the other. Only what the cases need. Field numbers are those of onnx.proto3. Pieces are lists of byte arrays,
// joined once at the end, since weights take tens of megabytes. Read next: onnxModels.mjs.

const irVersion = 8
const opsetVersion = 17
const elementTypes = { Float32Array: 1, Int32Array: 6, BigInt64Array: 7 }

/**
 * @param nodes [{ op, inputs, outputs, attributes }]; attributes are whole numbers, lists of them, or { float }
 * @param inputs names with { shape, type? }; `type` is the class of their data, Float32Array unless said otherwise
 * @param outputs names with shapes @param constants names with { shape, data }
 * @returns the file's bytes
 */
export function onnxModel({ nodes, inputs, outputs, constants = {} }) {
  const graph = [
    ...nodes.flatMap((node) => field(1, nodeParts(node))),
    ...field(2, text('bench')),
    ...Object.entries(constants).flatMap(([name, value]) => field(5, tensorParts(name, value))),
    ...Object.entries(inputs).flatMap(([name, { shape, type }]) => field(11, valueParts(name, shape, type))),
    ...Object.entries(outputs).flatMap(([name, shape]) => field(12, valueParts(name, shape))),
  ]
  const opset = integer(2, opsetVersion)
  return join([...integer(1, irVersion), ...field(7, graph), ...field(8, opset)])
}

function nodeParts({ op, inputs, outputs, attributes = {} }) {
  return [
    ...inputs.flatMap((name) => field(1, text(name))),
    ...outputs.flatMap((name) => field(2, text(name))),
    ...field(4, text(op)),
    ...Object.entries(attributes).flatMap(([name, value]) => field(5, attributeParts(name, value))),
  ]
}

const kinds = { float: 1, integer: 2, integers: 7 }

function attributeParts(name, value) {
  if (Array.isArray(value)) {
    return [
      ...field(1, text(name)),
      ...value.flatMap((one) => integer(8, one)),
      ...integer(20, kinds.integers),
    ]
  }
  if (typeof value === 'object') {
    const bytes = new Uint8Array(Float32Array.of(value.float).buffer)
    return [...field(1, text(name)), variable(2 * 8 + 5), bytes, ...integer(20, kinds.float)]
  }
  return [...field(1, text(name)), ...integer(3, value), ...integer(20, kinds.integer)]
}

function tensorParts(name, { shape, data }) {
  return [
    ...shape.flatMap((size) => integer(1, size)),
    ...integer(2, elementTypes[data.constructor.name]),
    ...field(8, text(name)),
    ...field(9, [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]),
  ]
}

function valueParts(name, shape, type = Float32Array) {
  const sizes = shape.flatMap((size) => field(1, integer(1, size)))
  const tensorType = [...integer(1, elementTypes[type.name]), ...field(2, sizes)]
  return [...field(1, text(name)), ...field(2, field(1, tensorType))]
}

function text(value) {
  return [new TextEncoder().encode(value)]
}

function integer(number, value) {
  return [variable(number * 8), variable(value)]
}

function field(number, parts) {
  return [variable(number * 8 + 2), variable(lengthOf(parts)), ...parts]
}

function lengthOf(parts) {
  return parts.reduce((sum, part) => sum + part.length, 0)
}

function join(parts) {
  const bytes = new Uint8Array(lengthOf(parts))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

// Two's complement of 64 bits in groups of seven, the lowest first.
function variable(value) {
  const groups = []
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest > 127n) {
    groups.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  groups.push(Number(rest))
  return Uint8Array.from(groups)
}
