// Writes small ONNX models without any library: a model is a protocol buffer, which is fields with a number, a kind and a
// value, one after the other. Only what the cases need. Field numbers are those of onnx.proto3.

const irVersion = 8
const opsetVersion = 17
const float = 1

/** @param nodes [{ op, inputs, outputs, attributes }] @param constants { name: { shape, data } } @returns the file's bytes */
export function onnxModel({ nodes, inputs, outputs, constants = {} }) {
  const graph = [
    ...nodes.flatMap((node) => bytes(1, nodeBytes(node))),
    ...bytes(2, text('bench')),
    ...Object.entries(constants).flatMap(([name, value]) => bytes(5, tensorBytes(name, value))),
  ]
  const rest = [
    ...Object.entries(inputs).flatMap(([name, shape]) => bytes(11, valueBytes(name, shape))),
    ...Object.entries(outputs).flatMap(([name, shape]) => bytes(12, valueBytes(name, shape))),
  ]
  const opset = integer(2, opsetVersion)
  return Uint8Array.from([...integer(1, irVersion), ...bytes(7, [...graph, ...rest]), ...bytes(8, opset)])
}

function nodeBytes({ op, inputs, outputs, attributes = {} }) {
  return [
    ...inputs.flatMap((name) => bytes(1, text(name))),
    ...outputs.flatMap((name) => bytes(2, text(name))),
    ...bytes(4, text(op)),
    ...Object.entries(attributes).flatMap(([name, value]) => bytes(5, attributeBytes(name, value))),
  ]
}

const integerAttribute = 2
const integersAttribute = 7

function attributeBytes(name, value) {
  if (Array.isArray(value)) {
    return [
      ...bytes(1, text(name)),
      ...value.flatMap((one) => integer(8, one)),
      ...integer(20, integersAttribute),
    ]
  }
  return [...bytes(1, text(name)), ...integer(3, value), ...integer(20, integerAttribute)]
}

function tensorBytes(name, { shape, data }) {
  const raw = [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]
  return [
    ...shape.flatMap((size) => integer(1, size)),
    ...integer(2, float),
    ...bytes(8, text(name)),
    ...bytes(9, raw),
  ]
}

function valueBytes(name, shape) {
  const sizes = shape.flatMap((size) => bytes(1, integer(1, size)))
  const tensorType = [...integer(1, float), ...bytes(2, sizes)]
  return [...bytes(1, text(name)), ...bytes(2, bytes(1, tensorType))]
}

function text(value) {
  return [...new TextEncoder().encode(value)]
}

function integer(field, value) {
  return [...variable(field * 8), ...variable(value)]
}

function bytes(field, content) {
  return variable(field * 8 + 2).concat(variable(content.length), content)
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
  return groups
}
