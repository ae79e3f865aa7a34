// Attention as a piece of the graph: one node that backends may do whole, one for its gradients, and the views that take
// their results apart. Scores are never kept: the gradient computes them again, from two numbers for each query (Dao et al.
// 2022). Where a backend does not claim the work, and where gradients are to be differentiated again, it is ordinary ops.
// Not public: attention.ts checks what users give and brings it into the form wanted here.
import {
  sizeOf,
  type AffineMap,
  type AttentionSpec,
  type Attributes,
  type CompositeLowering,
  type Layout,
  type OperandKind,
  type RoutineCall,
  type Shape,
} from '@nabla/engine'
import { createOp, type TensorOp } from '../op.ts'
import { isGradEnabled, makeNode, noGrad, type Tensor } from '../tensor.ts'
import { cat } from './join.ts'
import { columnMinusRow } from './position.ts'
import { softmax } from './softmax.ts'

type WholeRoutine = NonNullable<CompositeLowering['whole']>

/** A call of {@link attend}. Sizes fit, types are equal, nothing is empty. */
export interface Attention {
  /** [batch, heads, queries, features] */
  readonly q: Tensor
  /** [batch, keyHeads, keys, features]; keyHeads divides heads */
  readonly k: Tensor
  /** [batch, keyHeads, keys, values] */
  readonly v: Tensor
  /** [batch, heads, queries, keys]: bools, or reals (which get no gradient) that are added to the scores */
  readonly mask: Tensor | null
  readonly causal: boolean
  /** Factor of the scores, and which query sees which keys when causal: query i those up to i + offset. Scalars. */
  readonly scale: Tensor
  readonly offset: Tensor
}

/** What a score becomes that a mask hides. Finite: a query that may see nothing attends to everything alike. */
const hidden = -1e30

/** Softmax(q k^T scale + mask) v -> [batch, heads, queries, values]. */
export function attend({ q, k, v, mask, causal, scale, offset }: Attention): Tensor {
  const operands = mask === null ? [q, k, v] : [q, k, v, mask]
  const given = [...operands, scale, offset]
  const attributes = { causal, mask: mask === null ? 'none' : mask.dtype === 'bool' ? 'bool' : 'real' }
  const [batch, heads, queries] = q.shape as [number, number, number]
  const values = v.shape[3]!
  const length = batch * heads * queries * (values + 2)
  const whole = noGrad(() => makeNode(wholeOps[operands.length]!, given, attributes, [length], q.dtype))
  return makeNode(resultOp, [whole, ...given], attributes, [batch, heads, queries, values], q.dtype)
}

function callOf(inputs: readonly Tensor[], { causal, mask }: Attributes): Attention {
  const [q, k, v] = inputs as [Tensor, Tensor, Tensor]
  const [scale, offset] = inputs.slice(-2) as [Tensor, Tensor]
  return { q, k, v, mask: mask === 'none' ? null : inputs[3]!, causal: causal as boolean, scale, offset }
}

// Query heads that share keys are one head with more queries: [batch, heads, n, x] -> [batch, keyHeads, heads / keyHeads * n, x].
function grouped(x: Tensor, { k }: Attention): Tensor {
  const [batch, heads, rows, columns] = x.shape as [number, number, number, number]
  const keyHeads = k.shape[1]!
  return heads === keyHeads ? x : x.reshape([batch, keyHeads, (heads / keyHeads) * rows, columns])
}

/** The scores of all keys after masks: [batch, heads, queries, keys]. */
function scoresOf(call: Attention): Tensor {
  const { q, k, mask, causal, scale, offset } = call
  const shape = [...q.shape.slice(0, 3), k.shape[2]!]
  // Scaling the queries costs less than scaling the scores.
  let scores = grouped(q.mul(scale), call).matmul(k.transpose()).reshape(shape)
  if (mask !== null) scores = mask.dtype === 'bool' ? mask.where(scores, hidden) : scores.add(mask)
  // Every query sees the first key, so infinity does no harm; and what a mask hides is seen rather than what is to come.
  return causal ? columnMinusRow(shape).le(offset).where(scores, -Infinity) : scores
}

function mix(weights: Tensor, call: Attention): Tensor {
  const { q, v } = call
  return grouped(weights, call)
    .matmul(v)
    .reshape([...q.shape.slice(0, 3), v.shape[3]!])
}

/** {@link attend} in ordinary ops. @param change what is done to the weights before values are mixed by them */
export function attendInOps(call: Attention, change: (weights: Tensor) => Tensor): Tensor {
  return mix(change(softmax(scoresOf(call), -1)), call)
}

function wholeOf(call: Attention): Tensor {
  const scores = scoresOf(call)
  const largest = scores.amax(-1, { keepdim: true })
  const inverse = scores.sub(largest).exp().sum(-1, { keepdim: true }).reciprocal()
  const result = mix(softmax(scores, -1), call).permute([0, 2, 1, 3])
  return cat([result.flatten(), largest.flatten(), inverse.flatten()])
}

/** The gradients of q, k and v, in ops that can be differentiated again. */
function gradientsOf(call: Attention, upstream: Tensor): [q: Tensor, k: Tensor, v: Tensor] {
  const { q, k, v, scale } = call
  const weights = softmax(scoresOf(call), -1)
  const ofResult = grouped(upstream, call)
  const ofWeights = ofResult.matmul(v.transpose()).reshape(weights.shape)
  const mean = weights.mul(ofWeights).sum(-1, { keepdim: true })
  const ofScores = grouped(weights.mul(ofWeights.sub(mean)).mul(scale), call)
  return [
    ofScores.matmul(k).reshape(q.shape),
    ofScores.transpose().matmul(grouped(q, call)),
    grouped(weights, call).transpose().matmul(ofResult),
  ]
}

/** How a value [batch, heads, positions, size] lies in a buffer: from where, and how far apart positions are. */
interface Place {
  readonly start: number
  readonly row: number
}

function stridesOf([, , positions, size]: Shape, row: number): number[] {
  return [positions! * row, size!, row, 1]
}

function partOf({ start, row }: Place, shape: Shape): AffineMap {
  return { kind: 'affine', start: [start], moves: stridesOf(shape, row).map((stride) => [[0, stride]]) }
}

/**
 * Where the gradients of q, k and v lie in one buffer. Where there are as many queries as keys, position by position: so
 * lies the one product that nearly always made all three, and its gradient is then put together without a copy.
 */
function gradientPlaces(shapes: readonly Shape[]): readonly Place[] {
  const rows = shapes.map(([, heads, , size]) => heads! * size!)
  const isTogether = shapes[0]![2] === shapes[1]![2]
  const whole = rows.reduce((sum, row) => sum + row)
  let start = 0
  return shapes.map((shape, i) => {
    const place = { start, row: isTogether ? whole : rows[i]! }
    start += isTogether ? rows[i]! : sizeOf(shape)
    return place
  })
}

const partOp: TensorOp = createOp(
  'part',
  {
    kind: 'view',
    view: (_input, attributes, output) => partOf(attributes as unknown as Place, output),
  },
  null,
)

// The result, as a view of what the whole op wrote. It has the inputs as well, because gradients go to them from here.
const resultOp: TensorOp = createOp(
  'scaledDotProductAttention',
  {
    kind: 'view',
    view: (_input, _attributes, output) => partOf({ start: 0, row: output[1]! * output[3]! }, output),
  },
  ({ inputs, attributes }, upstream) => {
    const [whole, ...given] = inputs
    const call = callOf(given, attributes)
    const { q, k, v } = call
    if (isGradEnabled()) return [null, ...gradientsOf(call, upstream)]
    const numbers = given.slice(-2)
    const operands = [...given.slice(0, -2), upstream, whole]
    const op = gradientOps[operands.length]!
    const length = q.size + k.size + v.size
    const gradients = makeNode(op, [...operands, ...numbers], attributes, [length], q.dtype)
    const shapes = [q, k, v].map(({ shape }) => shape)
    const parts = gradientPlaces(shapes).map(({ start, row }, i) =>
      makeNode(partOp, [gradients], { start, row }, shapes[i]!, q.dtype),
    )
    return [null, ...parts]
  },
  // The op has a batch already: examples and their batches together are a larger one.
  ({ example: { attributes, shape }, all, size }) => {
    const merged = all()
      .slice(1)
      .map((x) => (x.rank === 5 ? x.reshape([size * x.shape[1]!, ...x.shape.slice(2)]) : x))
    return attend(callOf(merged, attributes)).reshape([size, ...shape])
  },
)

/** The ops by their number of operands: with a mask there is one more. */
const wholeOps: Readonly<Record<number, TensorOp>> = { 3: wholeOp(3), 4: wholeOp(4) }
const gradientOps: Readonly<Record<number, TensorOp>> = { 5: gradientOp(5), 6: gradientOp(6) }

function wholeOp(operands: 3 | 4): TensorOp {
  const whole: WholeRoutine = {
    kind: 'routine',
    name: 'attention',
    operands: ['rows', 'rows', 'rows', ...maskKind(operands - 3)],
    specify: (call) => ({ name: 'attention', ...specificationOf(call, operands) }),
  }
  const expand = (inputs: readonly unknown[], attributes: Attributes): Tensor =>
    wholeOf(callOf(inputs as Tensor[], attributes))
  return createOp('attention', { kind: 'composite', expand, whole }, null)
}

function gradientOp(operands: 5 | 6): TensorOp {
  const upstream = operands - 2
  const whole: WholeRoutine = {
    kind: 'routine',
    name: 'attentionGradient',
    operands: ['rows', 'rows', 'rows', ...maskKind(operands - 5), 'rows', 'rowMajor'],
    specify: (call) => {
      const shapes = call.inputs.slice(0, 3).map(({ shape }) => shape)
      const [q, k, v] = gradientPlaces(shapes).map(({ start, row }, i) => ({
        offset: start,
        strides: stridesOf(shapes[i]!, row),
      }))
      return {
        name: 'attentionGradient',
        ...specificationOf(call, upstream),
        upstream: accessOf(call.inputs[upstream]!),
        gradients: { q: q!, k: k!, v: v! },
      }
    },
  }
  const expand = (given: readonly unknown[], attributes: Attributes): Tensor => {
    const inputs = given as Tensor[]
    const gradients = gradientsOf(callOf(inputs, attributes), inputs[upstream]!)
    const rows = gradients.map((gradient) => gradient.permute([0, 2, 1, 3]).flatten(2))
    const isTogether = rows[0]!.shape[1] === rows[1]!.shape[1]
    return isTogether ? cat(rows, 2).flatten() : cat(rows.map((row) => row.flatten()))
  }
  return createOp('attentionGradient', { kind: 'composite', expand, whole }, null)
}

function maskKind(masks: number): OperandKind[] {
  return masks === 0 ? [] : ['strided']
}

/** What both specifications have in common. @param operands q, k, v and the mask if there is one */
function specificationOf(
  { inputs, dtype, attributes, slots, numbers }: RoutineCall,
  operands: number,
): Omit<AttentionSpec, 'name'> {
  const [q, k, v, mask] = inputs as readonly Layout[]
  const [batch, heads, queries, features] = q!.shape as [number, number, number, number]
  const [, keyHeads, keys, values] = v!.shape as [number, number, number, number]
  const kind = attributes['mask'] as 'bool' | 'real'
  return {
    dtype,
    sizes: { batch, heads, keyHeads, queries, keys, features, values },
    q: accessOf(q!),
    k: accessOf(k!),
    v: accessOf(v!),
    mask: operands === 3 ? null : { kind, ...accessOf(mask!) },
    causal: attributes['causal'] as boolean,
    numbers: [numbers[0]!, numbers[1]!],
    slots,
  }
}

function accessOf({ offset, strides }: Layout): { offset: number; strides: readonly number[] } {
  return { offset, strides }
}
