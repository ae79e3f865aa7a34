// Data on its way in and out: nested arrays, typed arrays and ndarrays become elements with a shape and a type, and back.
// Everything given is copied, so later changes to it change no tensor. Read next: ops/create.ts, print.ts.
import {
  checkDType,
  checkShape,
  dtypeOfArray,
  formatShape,
  hostArray,
  sameShape,
  ShapeError,
  sizeOf,
  ValueError,
  type DType,
  type Shape,
  type TypedArray,
} from '@nabla/engine'
import type ndarray from 'ndarray'

/** Numbers or booleans in nested arrays, as `toArray` gives them. */
export type Nested = number | boolean | Nested[]

/** Numbers or booleans in nested arrays, as creation functions take them. */
export type NestedInput = number | boolean | readonly NestedInput[]

/** Any typed array; those without a type of ours become the next wider one. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array
  | Uint8ClampedArray

/** What tensors are made from. */
export type TensorData = NestedInput | NumericArray | ndarray.NdArray

/** Elements on the host with what they mean. */
export interface HostData {
  readonly data: TypedArray
  readonly shape: Shape
  readonly dtype: DType
}

/**
 * Copies data into the array of its type.
 * @param shape for flat data; must fit what nested data has by itself
 * @throws ValueError for anything that is no number, naming its position
 * @throws ShapeError for ragged arrays, naming the position, and for shapes that do not fit
 */
export function toHost(op: string, given: TensorData, shape?: Shape, dtype?: DType): HostData {
  if (dtype !== undefined) checkDType(dtype)
  if (shape !== undefined) checkShape(op, shape)
  if (isNumericArray(given)) return fromFlat(op, given, shape ?? [given.length], dtype ?? dtypeOfArray(given))
  if (isNdarray(given)) return fromNdarray(op, given, shape, dtype)
  return fromNested(op, given, shape, dtype)
}

/** Row-major elements as nested arrays. */
export function toNested(data: ArrayLike<number>, shape: Shape, dtype: DType): Nested {
  let position = 0
  const build = (dim: number): Nested => {
    if (dim === shape.length) {
      const value = data[position++]!
      return dtype === 'bool' ? value !== 0 : value
    }
    return Array.from({ length: shape[dim]! }, () => build(dim + 1))
  }
  return build(0)
}

/** Row-major elements as an ndarray over the same memory. The library is loaded when first asked for. */
export async function toNdarray(data: TypedArray, shape: Shape): Promise<ndarray.NdArray<TypedArray>> {
  const { default: create } = await import('ndarray')
  return create(data, [...shape])
}

function isNumericArray(given: unknown): given is NumericArray {
  if (!ArrayBuffer.isView(given) || given instanceof DataView) return false
  return !(given instanceof BigInt64Array || given instanceof BigUint64Array)
}

function isNdarray(given: unknown): given is ndarray.NdArray {
  if (typeof given !== 'object' || given === null) return false
  return 'data' in given && 'shape' in given && 'stride' in given && 'offset' in given
}

function fromFlat(op: string, given: ArrayLike<number>, shape: Shape, dtype: DType): HostData {
  if (given.length !== sizeOf(shape)) {
    throw new ShapeError(
      `${op}: ${given.length} elements do not fill shape ${formatShape(shape)}, which has ${sizeOf(shape)}`,
    )
  }
  return { data: convert(given, dtype), shape: [...shape], dtype }
}

function convert(given: ArrayLike<number>, dtype: DType): TypedArray {
  if (dtype !== 'bool') return hostArray(dtype, given)
  const bools = new Uint8Array(given.length)
  for (let i = 0; i < given.length; i++) bools[i] = given[i] !== 0 ? 1 : 0
  return bools
}

function fromNdarray(
  op: string,
  given: ndarray.NdArray,
  shape: Shape | undefined,
  dtype: DType | undefined,
): HostData {
  const sizes = [...given.shape]
  const source = given.data as ArrayLike<number>
  const flat = new Float64Array(sizeOf(sizes))
  const index = sizes.map(() => 0)
  for (let i = 0; i < flat.length; i++) {
    let offset = given.offset
    for (let dim = 0; dim < sizes.length; dim++) offset += index[dim]! * given.stride[dim]!
    flat[i] = source[offset]!
    for (let dim = sizes.length - 1; dim >= 0 && ++index[dim]! === sizes[dim]; dim--) index[dim] = 0
  }
  const natural = isNumericArray(given.data) ? dtypeOfArray(given.data) : 'float32'
  return fromFlat(op, flat, shape ?? sizes, dtype ?? natural)
}

function fromNested(
  op: string,
  given: unknown,
  shape: Shape | undefined,
  dtype: DType | undefined,
): HostData {
  const natural: number[] = []
  for (let level = given; Array.isArray(level); level = level[0]) natural.push(level.length)
  const flat: number[] = []
  let booleans = 0
  const path: number[] = []
  const visit = (value: unknown, dim: number): void => {
    if (dim < natural.length) {
      if (!Array.isArray(value) || value.length !== natural[dim])
        throw raggedError(op, value, path, natural, dim)
      for (let i = 0; i < value.length; i++) {
        path.push(i)
        visit(value[i], dim + 1)
        path.pop()
      }
      return
    }
    if (typeof value === 'boolean') booleans += 1
    else if (Array.isArray(value)) throw raggedError(op, value, path, natural, dim)
    else if (typeof value !== 'number') {
      throw new ValueError(`${op}: expected numbers or booleans, got ${describe(value)}${at(path)}`)
    }
    flat.push(Number(value))
  }
  visit(given, 0)
  const type = dtype ?? (booleans > 0 && booleans === flat.length ? 'bool' : 'float32')
  if (shape !== undefined && natural.length > 1 && !sameShape(shape, natural)) {
    throw new ShapeError(
      `${op}: nested arrays of shape ${formatShape(natural)} were given with shape ${formatShape(shape)}`,
    )
  }
  return fromFlat(op, flat, shape ?? natural, type)
}

function raggedError(
  op: string,
  value: unknown,
  path: readonly number[],
  natural: Shape,
  dim: number,
): ShapeError {
  const expected = dim < natural.length ? `an array of length ${natural[dim]}` : 'a number'
  return new ShapeError(
    `${op}: the nested arrays are ragged: expected ${expected}${at(path)}, got ${describe(value)}. ` +
      `The first entries give shape ${formatShape(natural)}`,
  )
}

function at(path: readonly number[]): string {
  return path.length === 0 ? '' : ` at [${path.join('][')}]`
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return `an array of length ${value.length}`
  if (value === null || typeof value === 'number') return String(value)
  return `a ${typeof value}`
}
