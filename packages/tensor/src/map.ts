// Ops that work element by element. Such an op is an expression of one element (engine/expr.ts) and a gradient rule per
// input; broadcasting, types, and the way of gradients back through broadcasting are the same for all and live here.
// Read next: ops/elementwise.ts.
import {
  broadcastShapes,
  cast,
  isFloating,
  noAttributes,
  promote,
  sameShape,
  type Attributes,
  type DType,
  type Expr,
  type LoadExpr,
  type Shape,
} from '@nabla/engine'
import {
  defineOp,
  formula,
  notATensor,
  numberTensor,
  type GradientCall,
  type OpDefinition,
  type OpFunction,
  type Sample,
  type TensorLike,
  type TensorOp,
  type WrongCall,
} from './op.ts'
import type { SampleMaker, SampleRange } from './samples.ts'
import { makeNode, Tensor } from './tensor.ts'
import { Variable } from './variable.ts'

/** An op of one tensor. */
export type UnaryOp = OpFunction<(x: TensorLike) => Tensor>
/** An op of two tensors that broadcast to a common shape. */
export type BinaryOp = OpFunction<(a: TensorLike, b: TensorLike) => Tensor>

/**
 * The gradient of one input: from the gradient of the output, the output and the inputs. Broadcast inputs are summed
 * back to their shape, and results brought to their type, by the caller. Null where the derivative is zero everywhere.
 */
export type MapRule = (
  upstream: Tensor,
  output: Tensor,
  a: Tensor,
  b: Tensor,
  c: Tensor,
  d: Tensor,
) => Tensor | null

/** A map with any number of inputs. */
export interface MapDefinition<F extends (...args: never[]) => unknown> extends OpDefinition {
  expr: (inputs: readonly Expr[], attributes: Attributes) => Expr
  /** One rule per input; `zero`: all derivatives vanish; `none`: the op has none, and asking is an error. */
  gradient: readonly MapRule[] | 'zero' | 'none'
  call: (op: TensorOp) => F
}

/** Defines an element-by-element op. Its function ends in {@link applyMap}, {@link applyUnary} or {@link applyBinary}. */
export function defineMap<F extends (...args: never[]) => unknown>(
  definition: MapDefinition<F>,
): OpFunction<F> {
  const { expr, gradient, ...rest } = definition
  return defineOp<F>({
    ...rest,
    lowering: { kind: 'map', expr },
    gradient:
      gradient === 'none'
        ? null
        : (call, upstream) => inputGradients(gradient === 'zero' ? [] : gradient, call, upstream),
  })
}

/** What {@link unary} and {@link binary} take. Samples may be left out: they follow from the domain. */
export interface SimpleMapDefinition<E> extends Omit<OpDefinition, 'name' | 'samples'> {
  expr: E
  gradient: readonly MapRule[] | MapRule | 'zero' | 'none'
  /** Where samples lie; for binary ops one range per operand may be given. */
  domain?: SampleRange | readonly [SampleRange, SampleRange]
  samples?: (make: SampleMaker) => readonly Sample[]
}

/** Defines an op of one input. */
export function unary(name: string, definition: SimpleMapDefinition<(x: Expr) => Expr>): UnaryOp {
  const { expr, gradient, domain = {}, ...rest } = definition
  const range = 'length' in domain ? domain[0] : domain
  return defineMap({
    name,
    samples: (make) => unarySamples(make, range),
    wrong: [{ args: () => ['text'], error: 'ValueError', message: new RegExp(`${name}: expected a tensor`) }],
    ...rest,
    expr: ([x]) => expr(x!),
    gradient: typeof gradient === 'function' ? [asOneNode(name, gradient)] : gradient,
    call: (op) => (x: TensorLike) => applyUnary(op, x),
  })
}

// A rule that looks at more than the gradient of the output mostly makes several nodes. That of the output alone (it takes
// one argument) makes one at most, and then nothing holds on to the values of the op itself.
function asOneNode(name: string, rule: MapRule): MapRule {
  if (rule.length < 2) return rule
  const whole = formula(`${name}Gradient`, ([upstream, output, x]) => rule(upstream, output, x, x, x, x)!)
  return (upstream, output, x) => whole([upstream, output, x], output, output.attributes)
}

/** Defines an op of two inputs. */
export function binary(name: string, definition: SimpleMapDefinition<(a: Expr, b: Expr) => Expr>): BinaryOp {
  const { expr, gradient, domain = {}, ...rest } = definition
  const [left, right] = 'length' in domain ? domain : [domain, domain]
  return defineMap({
    name,
    samples: (make) => binarySamples(make, left, right),
    wrong: binaryWrong(name),
    ...rest,
    expr: ([a, b]) => expr(a!, b!),
    gradient: typeof gradient === 'function' ? [gradient] : gradient,
    call: (op) => (a: TensorLike, b: TensorLike) => applyBinary(op, a, b),
  })
}

/** Shapes that any element-by-element op is tried with. */
export function unarySamples(make: SampleMaker, range: SampleRange): Sample[] {
  return [
    [make.real([7], range)],
    [make.real([], range)],
    [make.strided([3, 5], range)],
    [make.real([0, 3], range)],
    [make.real([2, 3, 4], range)],
  ]
}

function binarySamples(make: SampleMaker, left: SampleRange, right: SampleRange): Sample[] {
  return [
    [make.real([2, 5], left), make.real([2, 5], right)],
    [make.real([2, 1, 5], left), make.real([4, 1], right)],
    [make.real([], left), make.strided([3, 4], right)],
    [make.strided([3, 4], left), make.real([4], right)],
    [make.real([0, 3], left), make.real([1, 3], right)],
    [make.real([6], left), ((right.low ?? -2) + (right.high ?? 2)) / 2 + 0.3],
  ]
}

/** Calls that any op of two broadcast inputs refuses. */
export function binaryWrong(name: string): WrongCall[] {
  return [
    {
      args: (make) => [make.real([2, 3]), make.real([4])],
      error: 'ShapeError',
      message: new RegExp(`${name}: shapes \\[2, 3\\] and \\[4\\] do not broadcast`),
    },
    {
      args: (make) => [make.real([2]), undefined],
      error: 'ValueError',
      message: new RegExp(`${name}: expected a tensor`),
    },
  ]
}

/** Makes the node of a map of one input. */
export function applyUnary(op: TensorOp, value: TensorLike, attributes: Attributes = noAttributes): Tensor {
  const x = value instanceof Tensor ? value : operand(op, value, 'float32')
  return makeNode(op, [x], attributes, x.shape, resultType(op, [x], typeCodes[x.dtype], attributes))
}

/** Makes the node of a map of two inputs. */
export function applyBinary(
  op: TensorOp,
  left: TensorLike,
  right: TensorLike,
  attributes: Attributes = noAttributes,
): Tensor {
  let a: Tensor
  let b: Tensor
  if (typeof right === 'number') {
    a = left instanceof Tensor ? left : operand(op, left, 'float32')
    b = numberTensor(right, numberType(right, a.dtype))
  } else {
    b = right instanceof Tensor ? right : operand(op, right, 'float32')
    a = left instanceof Tensor ? left : operand(op, left, b.dtype)
  }
  const shape = broadcastShapes(op.name, a.shape, b.shape)
  const inputs = [a, b]
  return makeNode(
    op,
    inputs,
    attributes,
    shape,
    resultType(op, inputs, typeCodes[a.dtype] * 5 + typeCodes[b.dtype], attributes),
  )
}

/**
 * Makes the node of a map of any number of inputs. Numbers take the type of the tensors; the first `conditions` inputs
 * do not take part in that.
 */
export function applyMap(
  op: TensorOp,
  values: readonly TensorLike[],
  attributes: Attributes = noAttributes,
  conditions = 0,
): Tensor {
  let common: DType | undefined
  for (let i = conditions; i < values.length; i++) {
    const value = values[i]!
    if (typeof value === 'number') continue
    if (!(value instanceof Tensor || value instanceof Variable)) throw notATensor(op.name, value)
    common = common === undefined ? value.dtype : promote(common, value.dtype)
  }
  const inputs: Tensor[] = []
  let shape: Shape = []
  let code = 0
  for (const value of values) {
    const input = value instanceof Tensor ? value : operand(op, value, common ?? 'float32')
    shape = broadcastShapes(op.name, shape, input.shape)
    code = code * 5 + typeCodes[input.dtype]
    inputs.push(input)
  }
  return makeNode(op, inputs, attributes, shape, resultType(op, inputs, code, attributes))
}

/** An operand brought to a floating type where it has none. */
export function floatingOf(x: Expr): Expr {
  return isFloating(x.dtype) ? x : cast(x, 'float32')
}

/** The type a number takes beside tensors of a type: theirs, but fractions never become integers. */
export function numberType(value: number, beside: DType): DType {
  if (beside === 'float32' || beside === 'float64') return beside
  return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? 'int32' : 'float32'
}

function operand(op: TensorOp, value: TensorLike, beside: DType): Tensor {
  if (value instanceof Tensor) return value
  if (value instanceof Variable) return value.value
  if (typeof value === 'number') return numberTensor(value, numberType(value, beside))
  throw notATensor(op.name, value)
}

// Codes start at 1, so that ops of one and of two inputs never share a key.
const typeCodes: Readonly<Record<DType, number>> = { bool: 1, int32: 2, float32: 3, float64: 4 }

// The type of a map's result is that of its expression. Found once per op and combination of types.
const resultTypes: (Map<number, DType> | undefined)[] = []

function resultType(op: TensorOp, inputs: readonly Tensor[], code: number, attributes: Attributes): DType {
  if (attributes !== noAttributes) return expressionType(op, inputs, attributes)
  const known = (resultTypes[op.id] ??= new Map())
  let dtype = known.get(code)
  if (dtype === undefined) {
    dtype = expressionType(op, inputs, attributes)
    known.set(code, dtype)
  }
  return dtype
}

function expressionType(op: TensorOp, inputs: readonly Tensor[], attributes: Attributes): DType {
  if (op.lowering.kind !== 'map') throw new Error(`${op.name} is no map`)
  const loads = inputs.map((input, arg): LoadExpr => ({ kind: 'load', arg, dtype: input.dtype }))
  return op.lowering.expr(loads, attributes).dtype
}

function inputGradients(
  rules: readonly MapRule[],
  { inputs, output }: GradientCall,
  upstream: Tensor,
): (Tensor | null)[] {
  const gradients: (Tensor | null)[] = []
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i]!
    const rule = rules[i]
    if (!input.requiresGrad || rule === undefined) {
      gradients.push(null)
      continue
    }
    const gradient = rule(upstream, output, inputs[0], inputs[1], inputs[2], inputs[3])
    gradients.push(gradient === null ? null : fitTo(gradient, input))
  }
  return gradients
}

/** Sums a gradient over what was broadcast and brings it to the input's type. */
export function fitTo(gradient: Tensor, input: Tensor): Tensor {
  const summed = sameShape(gradient.shape, input.shape) ? gradient : gradient.sumTo(input.shape)
  return summed.dtype === input.dtype || !isFloating(input.dtype) ? summed : summed.to(input.dtype)
}
