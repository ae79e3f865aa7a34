// For tests: random kernels with everything the form allows, from a seed. Values are grown so that a small error stays
// small: each carries a bound on its size and, while it is exact in float32, the power of two it is a multiple of. Only
// exact values reach comparisons, rounding and conversions to integers, where the last bit would decide.
import {
  call,
  cast,
  constant,
  type Accumulator,
  type DType,
  type Expr,
  type ReduceFunction,
  type ScalarFunction,
} from '@nabla/engine'
import { LaunchBuilder, type Place, type TestLaunch } from './launches.ts'
import { Random } from './random.ts'

/** A kernel and how closely its float results can be expected to agree. */
export interface RandomKernel extends TestLaunch {
  readonly tolerance: number
}

interface Value {
  readonly expr: Expr
  /** Bound on the absolute value. */
  readonly size: number
  /** The value is a multiple of this, exactly; 0 if it has been rounded. */
  readonly unit: number
}

/** The random kernel of a seed. */
export function randomKernel(seed: number): RandomKernel {
  return new Generator(new Random(seed), false).generate()
}

/** A random kernel that only reduces, and so much that columns may be swept. */
export function randomColumns(seed: number): RandomKernel {
  return new Generator(new Random(seed), true).generate()
}

const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 12, 17, 33]
const smooth: readonly ScalarFunction[] = ['tanh', 'sigmoid', 'sin', 'cos', 'erf', 'atan', 'asinh']
const exactUnary: readonly ScalarFunction[] = [
  'neg',
  'abs',
  'sign',
  'floor',
  'ceil',
  'trunc',
  'round',
  'square',
]
const exactBinary: readonly ScalarFunction[] = ['add', 'sub', 'mul', 'max', 'min']
const integerBinary = 'add sub mul max min and or xor shiftLeft shiftRight floorDivide remainder fmod'.split(
  ' ',
) as readonly ScalarFunction[]
const comparisons: readonly ScalarFunction[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge']

class Generator {
  readonly #random: Random
  readonly #outer: number[]
  readonly #inner: number[]
  readonly #builder: LaunchBuilder
  readonly #floats: readonly DType[]
  readonly #special: boolean
  #leaves: Value[] = []
  readonly #numbers: Value[] = []
  readonly #results: Value[] = []
  // Inputs that an output may overwrite in place: they cover every element once.
  readonly #replaceable: { slot: number; place: Place; dtype: DType }[] = []

  readonly #columns: boolean

  constructor(random: Random, columns: boolean) {
    this.#random = random
    this.#columns = columns
    if (columns) {
      this.#outer = [this.#random.pick([1, 2]), this.#random.pick([64, 95, 130, 197])]
      this.#inner = [this.#random.pick([1, 3]), this.#random.pick([162, 261])]
      this.#floats = ['float32']
      this.#special = this.#random.chance(0.1)
      this.#builder = new LaunchBuilder(this.#outer, this.#inner)
      return
    }
    this.#outer = Array.from({ length: this.#random.below(4) }, () => this.#random.pick(sizes))
    this.#inner = Array.from({ length: this.#random.below(4) }, () => this.#random.pick(sizes))
    while (this.#elements() > 3000)
      (this.#random.chance(0.5) || this.#inner.length === 0 ? this.#outer : this.#inner).pop()
    if (this.#random.chance(0.05) && this.#inner.length > 0)
      this.#inner[this.#random.below(this.#inner.length)] = 0
    if (this.#random.chance(0.03) && this.#outer.length > 0)
      this.#outer[this.#random.below(this.#outer.length)] = 0
    this.#floats = this.#random.pick<readonly DType[]>([
      ['float32'],
      ['float32'],
      ['float32', 'float64'],
      ['float64'],
    ])
    this.#special = this.#random.chance(0.15)
    this.#builder = new LaunchBuilder(this.#outer, this.#inner)
  }

  generate(): RandomKernel {
    this.#makeLeaves()
    const stashes = this.#columns ? [] : this.#elementOutputs()
    const stageCount = this.#columns ? 1 : this.#random.pick([0, 0, 1, 1, 2, 3])
    for (let stage = 0; stage < stageCount; stage++) this.#makeStage(stashes)
    for (const { arg, dtype } of stashes) this.#builder.element(arg, this.#element(dtype).expr)
    if (!this.#columns) this.#storesInPlace()
    if (stageCount > 0 || stashes.length === 0) this.#rowOutputs(stageCount > 0)
    const degraded = this.#random.chance(0.2)
    const launch = this.#builder.build((stride, size) => {
      if (degraded && this.#random.chance(0.3)) return 's'
      return stride === 0 || size === 1 ? 0 : stride === 1 ? 1 : 's'
    })
    return { ...launch, tolerance: this.#floats.includes('float32') ? 1e-3 : 1e-8 }
  }

  // Leaves

  #makeLeaves(): void {
    const builder = this.#builder
    for (let i = 1 + this.#random.below(4); i > 0; i--) {
      const dtype = this.#dtype()
      const { place, length, covers } = this.#randomPlace()
      const slot = builder.buffer(dtype, this.#data(dtype, length))
      this.#leaves.push({ expr: builder.inputAt(dtype, slot, place), ...boundsOfData(dtype) })
      if (covers) this.#replaceable.push({ slot, place, dtype })
    }
    if (this.#random.chance(0.5)) {
      const strides = [...this.#outer, ...this.#inner].map(() => this.#random.pick([0, 0, 1, 1, 2, -3]))
      const expr = builder.position({ strides, offset: this.#random.below(7) - 3 })
      this.#leaves.push({ expr, size: 300, unit: 1 })
    }
    for (let i = this.#random.below(3); i > 0; i--) {
      const dtype = this.#dtype()
      const value =
        dtype === 'bool'
          ? this.#random.below(2)
          : dtype === 'int32'
            ? this.#random.below(9) - 4
            : this.#random.below(17) / 4 - 2
      this.#numbers.push({ expr: builder.number(dtype, value), ...boundsOfData(dtype) })
    }
    this.#leaves.push(...this.#numbers)
  }

  #data(dtype: DType, length: number): number[] {
    return Array.from({ length }, () => {
      if (dtype === 'bool') return this.#random.below(2)
      if (dtype === 'int32') return this.#random.below(21) - 10
      if (this.#special && this.#random.chance(0.05)) return this.#random.pick([NaN, Infinity, -Infinity, 0])
      return (this.#random.below(33) - 16) / 4
    })
  }

  /** Strides that visit a row-major array, its axes in any order, some walked backwards, some left out or spread. */
  #randomPlace(mustCover = false): { place: Place; length: number; covers: boolean } {
    const all = [...this.#outer, ...this.#inner]
    const inOrder = all.map((_, i) => i)
    // Columns lie side by side in memory, mostly.
    const usual = this.#columns ? [...inOrder.slice(2), ...inOrder.slice(0, 2)] : inOrder
    const order = this.#random.chance(this.#columns ? 0.9 : 0.5) ? usual : this.#random.shuffled(inOrder)
    const strides = all.map(() => 0)
    let step = this.#random.chance(0.2) ? 2 : 1
    let offset = 0
    let covers = true
    for (const axis of order.reverse()) {
      if (!mustCover && this.#random.chance(0.2)) {
        covers = false
        continue
      }
      const size = all[axis]!
      strides[axis] = step
      if (this.#random.chance(0.1)) {
        offset += step * Math.max(0, size - 1)
        strides[axis] = -step
      }
      step *= Math.max(1, size)
      if (this.#random.chance(0.1)) step += 1
    }
    return { place: { strides, offset }, length: step + 4, covers }
  }

  // Results

  #elementOutputs(): { arg: number; dtype: DType; stashed: boolean }[] {
    return Array.from({ length: this.#random.below(3) }, () => {
      const dtype = this.#dtype()
      const { place, length } = this.#randomPlace(true)
      return { arg: this.#builder.output(dtype, length, place), dtype, stashed: false }
    })
  }

  #storesInPlace(): void {
    for (const { slot, place, dtype } of this.#replaceable) {
      if (!this.#random.chance(0.2)) continue
      this.#builder.element(this.#builder.outputAt(dtype, slot, place), this.#element(dtype).expr)
    }
  }

  #rowOutputs(afterStages: boolean): void {
    if (!afterStages && this.#replaceable.length > 0) return
    // Only what there is once per row may be part of a result that there is once per row.
    this.#leaves = [...this.#results, ...this.#numbers, this.#rowLeaf()]
    for (let i = 1 + this.#random.below(2); i > 0; i--) {
      const value = this.#combine(this.#random.pick(this.#leaves), 2)
      let stride = 1
      const strides = [...this.#outer, ...this.#inner].map(() => 0)
      for (let axis = this.#outer.length - 1; axis >= 0; axis--) {
        strides[axis] = stride
        stride *= Math.max(1, this.#outer[axis]!)
      }
      const { dtype } = value.expr
      this.#builder.row(this.#builder.output(dtype, stride + 3, { strides }), value.expr)
    }
  }

  #rowLeaf(): Value {
    return { expr: constant(this.#random.below(9), this.#dtype()), size: 8, unit: 1 }
  }

  #makeStage(stashes: { arg: number; dtype: DType; stashed: boolean }[]): void {
    const inner = this.#inner.reduce((product, size) => product * size, 1)
    const bounds: Value[] = []
    const accumulators = Array.from({ length: 1 + this.#random.below(2) }, (): Accumulator => {
      const dtype = this.#dtype()
      const fn = this.#random.pick<ReduceFunction>(['sum', 'sum', 'max', 'min', 'prod'])
      let value = this.#element(dtype)
      if (fn === 'prod' && (dtype === 'float32' || dtype === 'float64')) {
        // Factors near 1, so that a product of all of them is still a number to compare.
        const step = 1 / (8 * Math.max(4, inner))
        value = {
          expr: call('add', call('mul', this.#tamed(value).expr, step), 1),
          size: 1 + 8 * step,
          unit: 0,
        }
      }
      const grown =
        fn === 'sum' ? value.size * Math.max(1, inner) : fn === 'prod' ? value.size ** inner : value.size
      const unit = fn === 'prod' ? 0 : value.unit
      bounds.push({ expr: value.expr, size: grown, unit: grown / unit < 2 ** 22 ? unit : 0 })
      const free = stashes.find((output) => output.dtype === dtype && !output.stashed)
      if (free === undefined || this.#random.chance(0.5) || value.expr.kind !== 'call')
        return { fn, value: value.expr, dtype }
      free.stashed = true
      return { fn, value: value.expr, dtype, stash: free.arg }
    })
    this.#builder.stage(accumulators).forEach((expr, i) => {
      const { size, unit } = bounds[i]!
      // An empty maximum is infinite, which is as exact as a number can be.
      this.#results.push({ expr, size, unit })
    })
    // Later values use what was found, and what was reduced may be wanted again.
    this.#leaves.push(...this.#results.slice(-accumulators.length))
    for (const { value } of accumulators) {
      if (this.#random.chance(0.5)) this.#leaves.push({ expr: value, size: 8, unit: 0 })
    }
  }

  // Values

  #element(dtype: DType): Value {
    return this.#to(dtype, this.#grow(this.#random.below(4) + 1))
  }

  #grow(depth: number): Value {
    if (depth === 0) return this.#random.pick(this.#leaves)
    return this.#combine(this.#grow(depth - 1), 1)
  }

  #combine(value: Value, steps: number): Value {
    let result = value
    for (let i = 0; i < steps; i++) result = this.#step(result)
    return result
  }

  #step(value: Value): Value {
    switch (value.expr.dtype) {
      case 'bool':
        return this.#stepBool(value)
      case 'int32':
        return this.#stepInteger(value)
      default:
        return this.#stepFloat(value)
    }
  }

  #stepBool(value: Value): Value {
    const other = this.#grow(this.#random.below(2))
    if (this.#random.chance(0.4)) {
      const [whenTrue, whenFalse] = [this.#float(other), this.#float(this.#random.pick(this.#leaves))]
      const expr = call('where', value.expr, whenTrue.expr, whenFalse.expr)
      return settled({ expr, size: Math.max(whenTrue.size, whenFalse.size), unit: both(whenTrue, whenFalse) })
    }
    if (other.unit === 0) return { ...value, expr: call('eq', value.expr, constant(1, 'bool')) }
    const operand = this.#to('bool', other).expr
    return {
      expr: call(this.#random.pick([...comparisons, 'and', 'or', 'xor']), value.expr, operand),
      size: 1,
      unit: 1,
    }
  }

  #stepInteger(value: Value): Value {
    const other = this.#grow(this.#random.below(2))
    const integer = other.unit === 0 ? constant(3, 'int32') : this.#to('int32', other).expr
    const size = 2 ** 31
    if (this.#random.chance(0.2))
      return { expr: call(this.#random.pick(['neg', 'abs', 'sign', 'square']), value.expr), size, unit: 1 }
    if (this.#random.chance(0.25))
      return { expr: call(this.#random.pick(comparisons), value.expr, integer), size: 1, unit: 1 }
    return { expr: call(this.#random.pick(integerBinary), value.expr, integer), size, unit: 1 }
  }

  #stepFloat(value: Value): Value {
    const { expr, size, unit } = value
    if (this.#random.chance(0.3)) return this.#approximate(value)
    if (unit > 0 && this.#random.chance(0.3)) {
      const fn = this.#random.pick(exactUnary)
      if (fn === 'square') return settled({ expr: call(fn, expr), size: size * size, unit: unit * unit })
      return settled({
        expr: call(fn, expr),
        size: size + 1,
        unit: fn === 'neg' || fn === 'abs' ? unit : Math.min(1, unit),
      })
    }
    const other = this.#float(this.#grow(this.#random.below(2)))
    if (unit > 0 && other.unit > 0 && this.#random.chance(0.25)) {
      return { expr: call(this.#random.pick(comparisons), expr, other.expr), size: 1, unit: 1 }
    }
    const fn = this.#random.pick(exactBinary)
    const joint = { expr: call(fn, expr, other.expr), size: size + other.size, unit: both(value, other) }
    return settled(fn === 'mul' ? { ...joint, size: size * other.size, unit: unit * other.unit } : joint)
  }

  #approximate(value: Value): Value {
    const { expr } = this.#tamed(value)
    const positive = call('add', call('abs', expr), 1)
    switch (this.#random.below(6)) {
      case 0:
        return { expr: call('exp', call('min', expr, 2)), size: 8, unit: 0 }
      case 1:
        return {
          expr: call(this.#random.pick(['log', 'sqrt', 'rsqrt', 'reciprocal', 'lgamma', 'log2']), positive),
          size: 18,
          unit: 0,
        }
      case 2:
        return { expr: call('div', this.#pickFloat().expr, positive), size: 8, unit: 0 }
      case 3:
        return { expr: call('pow', positive, this.#random.pick([2, 3, -1, 1.5])), size: 800, unit: 0 }
      default:
        return { expr: call(this.#random.pick(smooth), expr), size: 8, unit: 0 }
    }
  }

  /** A value of at most 8, so that what is computed from it stays well-conditioned. */
  #tamed(value: Value): Value {
    return value.size <= 8 ? value : { expr: call('mul', call('tanh', value.expr), 4), size: 4, unit: 0 }
  }

  #pickFloat(): Value {
    return this.#tamed(this.#float(this.#random.pick(this.#leaves)))
  }

  #float(value: Value): Value {
    const { dtype } = value.expr
    return dtype === 'float32' || dtype === 'float64'
      ? value
      : this.#to(this.#random.pick(this.#floats), value)
  }

  #to(dtype: DType, value: Value): Value {
    const from = value.expr.dtype
    const discrete = dtype === 'int32' || dtype === 'bool'
    if (discrete && value.unit === 0) return { expr: constant(1, dtype), size: 1, unit: 1 }
    const expr = cast(value.expr, dtype)
    if (!discrete) return settled({ ...value, expr })
    if (dtype === 'bool') return { expr, size: 1, unit: 1 }
    return { expr, size: from === 'int32' ? value.size : Math.min(2 ** 31, value.size), unit: 1 }
  }

  #dtype(): DType {
    return this.#random.pick<DType>([...this.#floats, ...this.#floats, ...this.#floats, 'int32', 'bool'])
  }

  #elements(): number {
    return [...this.#outer, ...this.#inner].reduce((product, size) => product * size, 1)
  }
}

function boundsOfData(dtype: DType): { size: number; unit: number } {
  if (dtype === 'bool') return { size: 1, unit: 1 }
  return dtype === 'int32' ? { size: 10, unit: 1 } : { size: 4, unit: 0.25 }
}

function both(a: Value, b: Value): number {
  return Math.min(a.unit, b.unit)
}

/** A float that needs more bits than float32 has is no longer exact; one that is large is brought back. */
function settled(value: Value): Value {
  const { dtype } = value.expr
  if (dtype === 'int32' || dtype === 'bool') return value
  const unit = value.unit > 0 && value.size / value.unit < 2 ** 22 ? value.unit : 0
  if (unit > 0 || value.size <= 1000) return { ...value, unit }
  return { expr: call('tanh', value.expr), size: 1, unit: 0 }
}
