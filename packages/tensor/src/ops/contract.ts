// Contraction: the one op behind matrix products, linear layers, einsum and convolutions. Axes carry labels, as in einsum:
// labels of both operands that the result lacks are summed over. The result may list its labels in any order, and the
// operands may be any views, so nothing is ever transposed in memory for its sake. The gradients of a contraction are
// contractions again. Not public: see linalg.ts, einsum.ts and convolution.ts, which check what users give.
import {
  promote,
  rowMajorStrides,
  type Attributes,
  type Layout,
  type RoutineCall,
  type RoutineSpec,
  type Shape,
} from '@nabla/engine'
import { createOp, toTensor, type TensorLike, type TensorOp } from '../op.ts'
import { makeNode, type Tensor } from '../tensor.ts'
import { combinations, slice } from './pieces.ts'

/** One label per axis. Which numbers are used does not matter, only which are equal. */
export type Labels = readonly number[]

const contractOp: TensorOp = createOp(
  'contract',
  { kind: 'routine', operands: ['strided', 'strided'], epilogue: true, specify },
  ({ inputs: [a, b], attributes }, upstream) => {
    const labels = labelsOf(attributes)
    return [
      a.requiresGrad ? contract(upstream, b, labels.c, labels.b, labels.a) : null,
      b.requiresGrad ? contract(a, upstream, labels.a, labels.c, labels.b) : null,
    ]
  },
  ({ example, whole: [a, b] }) => {
    const labels = labelsOf(example.attributes)
    const fresh = 1 + Math.max(-1, ...labels.a, ...labels.b)
    // An operand that all examples share stays as it is: theirs together are then one larger product with it.
    return contract(
      a ?? example.inputs[0]!,
      b ?? example.inputs[1]!,
      a === null ? labels.a : [fresh, ...labels.a],
      b === null ? labels.b : [fresh, ...labels.b],
      [fresh, ...labels.c],
    )
  },
)

/**
 * c[labelsC] = the sum over all labels that `labelsC` lacks of a[labelsA] * b[labelsB]. Nothing is checked: types must be
 * equal, sizes of equal labels too, no label may appear twice in one operand, and each label in at least two of the three.
 */
export function contract(a: Tensor, b: Tensor, labelsA: Labels, labelsB: Labels, labelsC: Labels): Tensor {
  const shape = labelsC.slice()
  for (let i = 0; i < labelsC.length; i++) {
    const label = labelsC[i]!
    const axis = labelsA.indexOf(label)
    shape[i] = axis >= 0 ? a.shape[axis]! : b.shape[labelsB.indexOf(label)]!
  }
  return makeNode(contractOp, [a, b], { a: labelsA, b: labelsB, c: labelsC }, shape, a.dtype)
}

/** What {@link contract} computes, as a product and a sum that fuse into one kernel: for results that are sums of few terms. */
export function multiplyAndSum(
  a: Tensor,
  b: Tensor,
  labelsA: Labels,
  labelsB: Labels,
  labelsC: Labels,
): Tensor {
  const summed = summedLabels(labelsA, labelsB, labelsC)
  const order = [...labelsC, ...summed]
  const product = alignTo(a, labelsA, order).mul(alignTo(b, labelsB, order))
  return summed.length === 0 ? product : product.sum(summed.map((_, i) => labelsC.length + i))
}

/**
 * What {@link contract} computes, every product written out: for sums of so few terms that a loop over them costs more, where
 * neighbours in the result have neighbours in the operands.
 */
export function addProducts(a: Tensor, b: Tensor, labelsA: Labels, labelsB: Labels, labelsC: Labels): Tensor {
  const summed = summedLabels(labelsA, labelsB, labelsC)
  const order = [...labelsC, ...summed]
  const [left, right] = [alignTo(a, labelsA, order), alignTo(b, labelsB, order)]
  const kept = labelsC.length
  const at = (x: Tensor, place: readonly number[]): Tensor => {
    const shape = x.shape.slice(0, kept)
    const starts = [...shape.map(() => 0), ...place]
    const only = [...shape, ...place.map(() => 1)]
    return slice(
      x,
      starts,
      only.map(() => 1),
      only,
    ).reshape(shape)
  }
  const places = left.shape.slice(kept).map((size) => Array.from({ length: size }, (_, place) => place))
  return combinations(places)
    .map((place) => at(left, place).mul(at(right, place)))
    .reduce((sum, product) => sum.add(product))
}

function summedLabels(labelsA: Labels, labelsB: Labels, labelsC: Labels): number[] {
  return [...new Set([...labelsA, ...labelsB])].filter((label) => !labelsC.includes(label))
}

/** Two operands as tensors of one type; bools are counted as integers. */
export function operandsOf(op: string, left: TensorLike, right: TensorLike): [Tensor, Tensor] {
  const a = toTensor(op, left)
  const b = toTensor(op, right)
  const common = promote(a.dtype, b.dtype)
  const dtype = common === 'bool' ? 'int32' : common
  return [a.dtype === dtype ? a : a.to(dtype), b.dtype === dtype ? b : b.to(dtype)]
}

/** The axes of `x` in the order of `order`, with axes of size 1 for the labels it lacks. */
export function alignTo(x: Tensor, labels: Labels, order: Labels): Tensor {
  const present = order.filter((label) => labels.includes(label))
  const sorted = x.permute(present.map((label) => labels.indexOf(label)))
  let next = 0
  return sorted.reshape(order.map((label) => (labels.includes(label) ? sorted.shape[next++]! : 1)))
}

function labelsOf(attributes: Attributes): { a: Labels; b: Labels; c: Labels } {
  return attributes as { a: Labels; b: Labels; c: Labels }
}

function specify({ inputs, shape, dtype, attributes, slots }: RoutineCall): RoutineSpec {
  const labels = labelsOf(attributes)
  const [a, b] = inputs as readonly [Layout, Layout]
  const inA = (label: number): boolean => labels.a.includes(label)
  const inB = (label: number): boolean => labels.b.includes(label)
  const batch = labels.c.filter((label) => inA(label) && inB(label))
  const m = labels.c.filter((label) => !inB(label))
  const n = labels.c.filter((label) => !inA(label))
  const k = labels.a.filter((label) => !labels.c.includes(label))
  const ofA = picker(labels.a, a.shape, a.strides)
  const ofB = picker(labels.b, b.shape, b.strides)
  const ofC = picker(labels.c, shape, rowMajorStrides(shape))
  return {
    name: 'contract',
    dtype,
    batch: ofA.sizes(batch),
    m: ofA.sizes(m),
    n: ofB.sizes(n),
    k: ofA.sizes(k),
    a: { offset: a.offset, batch: ofA.strides(batch), m: ofA.strides(m), k: ofA.strides(k) },
    b: { offset: b.offset, batch: ofB.strides(batch), k: ofB.strides(k), n: ofB.strides(n) },
    c: { offset: 0, batch: ofC.strides(batch), m: ofC.strides(m), n: ofC.strides(n) },
    slots: [slots[0]!, slots[1]!, slots[2]!],
  }
}

interface Picker {
  sizes(group: Labels): number[]
  strides(group: Labels): number[]
}

/** Looks sizes and strides up by label. */
function picker(labels: Labels, shape: Shape, strides: readonly number[]): Picker {
  return {
    sizes: (group) => group.map((label) => shape[labels.indexOf(label)]!),
    strides: (group) => group.map((label) => strides[labels.indexOf(label)]!),
  }
}
