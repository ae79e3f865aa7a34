// FunctionBuilder: what emitters write functions with. It hands out fresh locals, names values, keeps vector constants
// out of loops, and collects statements. It holds no opinion about kernels; module.ts puts finished functions together.
// Vector constants live in locals that are set where the function begins: written inside a loop, engines load them again
// at each turn (30-50 % slower on Node 24). So a constant may be asked for anywhere, in a branch inside two loops too.
import { BackendError } from '@nabla/engine'
import { i32 } from './instructions.ts'
import { instructions, type ValueType } from './opcodes.ts'
import { printWat } from './print.ts'
import { isLocal, type Local, type Wat } from './wat.ts'

/** A function imported from JavaScript: all operands and the result are f64. */
export interface HostFunction {
  /** How JavaScript calls it, for example `sin`; code calls it `$host.sin`. */
  readonly name: string
  readonly arity: number
}

/** Writes one function. */
export class FunctionBuilder {
  /** The name code calls it by, for example `$kernel`. */
  readonly name: string
  /** The host functions this function calls, by name: its module has to import them. */
  readonly hostFunctions: Map<string, HostFunction> = new Map()
  private readonly exportName: string | undefined
  private readonly params: Wat[] = []
  private readonly locals: Wat[] = []
  private readonly types = new Map<string, ValueType>()
  private readonly constants = new Map<string, { readonly local: Local; readonly value: Wat }>()
  private resultType: ValueType | undefined
  private statements: Wat[] = []
  private counter = 0

  /** A function called `$name` inside its module and, if `exportName` is given, by that name outside. */
  constructor(name: string, exportName?: string) {
    this.name = `$${name}`
    this.exportName = exportName
  }

  // Variables

  /** Declares the next parameter. */
  param(name: string, type: ValueType): Local {
    const local: Local = ['local.get', `$${name}`]
    this.params.push(['param', local[1], type])
    this.types.set(local[1], type)
    return local
  }

  /** Declares what the function returns; its value is given by {@link FunctionBuilder.return}. */
  result(type: ValueType): void {
    this.resultType = type
  }

  /** A fresh local. It is 0 when the function begins, and not again at each turn of a loop. */
  local(type: ValueType, name = 't'): Local {
    const local: Local = ['local.get', `$${name}${this.counter++}`]
    this.locals.push(['local', local[1], type])
    this.types.set(local[1], type)
    return local
  }

  /** Computes a value here and now, into a fresh local. Whatever is used twice must be named so. */
  let(value: Wat, name?: string, type: ValueType = this.typeOf(value)): Local {
    const local = this.local(type, name)
    this.set(local, value)
    return local
  }

  /** A value that may be used many times: itself if it is a local, a new local otherwise. */
  once(value: Wat, name?: string): Local {
    return isLocal(value) ? value : this.let(value, name)
  }

  /** Statement: `local = value`. A number stands for a constant of the local's type. */
  set(local: Local, value: Wat): void {
    this.emit(['local.set', local[1], this.ofType(this.typeOf(local), value)])
  }

  /** Expression: `local = value`, with the value as its own. */
  tee(local: Local, value: Wat): Wat {
    return ['local.tee', local[1], this.ofType(this.typeOf(local), value)]
  }

  // Constants

  /** A vector constant, for example `f.constant(['v128.const', 'i32x4', 0, 1, 2, 3])`; equal ones share a local. */
  constant(value: Wat): Local {
    const key = printWat(value)
    let entry = this.constants.get(key)
    if (entry === undefined) {
      const local: Local = ['local.get', `$constant${this.constants.size}`]
      entry = { local, value }
      this.constants.set(key, entry)
      this.types.set(local[1], this.typeOf(value))
    }
    return entry.local
  }

  /** The same single float, rounded from `value`, in four lanes. */
  f32x4(value: number): Local {
    return this.splat('f32x4', Math.fround(value), 4)
  }

  /** The same double float in two lanes. */
  f64x2(value: number): Local {
    return this.splat('f64x2', value, 2)
  }

  /** The same 32-bit integer in four lanes. */
  i32x4(value: number): Local {
    return this.splat('i32x4', value | 0, 4)
  }

  /** The same 64-bit integer in two lanes; bit patterns beyond 2^53 are given as text, '0x3ff0000000000000'. */
  i64x2(value: number | string): Local {
    return this.splat('i64x2', value, 2)
  }

  private splat(shape: string, value: number | string, lanes: number): Local {
    return this.constant(['v128.const', shape, ...Array.from({ length: lanes }, () => value)])
  }

  // Statements

  /** Appends a statement. */
  emit(statement: Wat): void {
    this.statements.push(statement)
  }

  /** `if (condition) { then } else { otherwise }`. The condition is an i32. */
  if(condition: Wat, then: () => void, otherwise?: () => void): void {
    const whenTrue: Wat = ['then', ...this.collect(then)]
    const whenFalse: readonly Wat[] = otherwise === undefined ? [] : [['else', ...this.collect(otherwise)]]
    this.emit(['if', condition, whenTrue, ...whenFalse])
  }

  /** `do { body } while (condition)`: the condition is what the body returns. */
  doWhile(body: () => Wat): void {
    const label = this.label()
    const statements = this.collect(() => {
      this.emit(['br_if', label, body()])
    })
    this.emit(['loop', label, ...statements])
  }

  /** `while (condition) { body }`. */
  while(condition: () => Wat, body: () => void): void {
    this.if(condition(), () =>
      this.doWhile(() => {
        body()
        return condition()
      }),
    )
  }

  /**
   * `for (; counter < end; counter += step)`, all unsigned. `end` and `step` are read at each turn: give locals or
   * numbers. The counter keeps its value afterwards, so loops over the rest can go on from there.
   */
  for(counter: Local, end: Wat, step: Wat, body: () => void): void {
    this.while(
      () => i32.lt_u(counter, end),
      () => {
        body()
        this.set(counter, i32.add(counter, step))
      },
    )
  }

  /** A block; `body` gets a function that writes a jump out of it, taken always or if a condition holds. */
  block(body: (leave: (condition?: Wat) => void) => void): void {
    const label = this.label()
    const leave = (condition?: Wat): void =>
      this.emit(condition === undefined ? ['br', label] : ['br_if', label, condition])
    this.emit(['block', label, ...this.collect(() => body(leave))])
  }

  /** Returns from the function. */
  return(value?: Wat): void {
    this.emit(value === undefined ? ['return'] : ['return', value])
  }

  /** The statements that `write` emits, taken out instead of appended. */
  collect(write: () => void): readonly Wat[] {
    const outer = this.statements
    this.statements = []
    try {
      write()
      return this.statements
    } finally {
      this.statements = outer
    }
  }

  // Calls

  /** Calls another function of the module; its result type must be stated to `let` when the value is named. */
  call(name: string, ...operands: readonly Wat[]): Wat {
    return ['call', name, ...operands]
  }

  /** Calls a function of JavaScript with f64 operands and an f64 result, and records that the module imports it. */
  callHost(name: string, ...operands: readonly Wat[]): Wat {
    const known = this.hostFunctions.get(name)
    if (known !== undefined && known.arity !== operands.length) {
      throw new BackendError(`host function ${name} takes ${known.arity} operands, got ${operands.length}`)
    }
    this.hostFunctions.set(name, { name, arity: operands.length })
    return ['call', hostName(name), ...operands]
  }

  // The whole

  /** The finished function: constants first, then the statements in order. */
  build(): Wat {
    const constants = [...this.constants.values()]
    return [
      'func',
      this.name,
      ...(this.exportName === undefined ? [] : [['export', `"${this.exportName}"`]]),
      ...this.params,
      ...(this.resultType === undefined ? [] : [['result', this.resultType]]),
      ...this.locals,
      ...constants.map(({ local }) => ['local', local[1], this.typeOf(local)]),
      ...constants.map(({ local, value }) => ['local.set', local[1], value]),
      ...this.statements,
    ]
  }

  /** The type of a value. @throws BackendError when it has none, or when it is that of a function of the module. */
  typeOf(value: Wat): ValueType {
    if (!Array.isArray(value)) throw new BackendError(`a value must be an instruction, got ${String(value)}`)
    const [name, first] = value as readonly Wat[]
    let type: ValueType | undefined = instructions.get(name as string)?.result
    if (name === 'local.get' || name === 'local.tee') type = this.types.get(first as string)
    else if (name === 'select') type = this.typeOf(first!)
    else if (name === 'call' && String(first).startsWith(hostName(''))) type = 'f64'
    if (type === undefined) throw new BackendError(`no type is known for ${printWat(value)}: state it`)
    return type
  }

  private ofType(type: ValueType, value: Wat): Wat {
    return typeof value === 'number' && type !== 'v128' ? [`${type}.const`, value] : value
  }

  private label(): string {
    return `$label${this.counter++}`
  }
}

/** How code calls a host function. */
export function hostName(name: string): string {
  return `$host.${name}`
}
