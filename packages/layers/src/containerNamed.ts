// Containers by name, and lists of parameters: for models whose parts are decided while they run. Read before:
// container.ts.
import { ValueError } from '@nabla/engine'
import { Parameter } from '@nabla/tensor'
import { Module, type Member } from './module.ts'

/** Modules by name. Its members in the state dictionary are called so: `name.weight`. */
export class ModuleDict<M extends Module = Module> extends Module {
  readonly #modules: Map<string, M> = new Map()

  /** @throws ValueError for a value that is no module, and a name that is empty or has a dot */
  constructor(modules: Readonly<Record<string, M>> | Iterable<readonly [string, M]> = {}) {
    super()
    const entries = Symbol.iterator in modules ? modules : Object.entries(modules)
    for (const [name, module] of entries) this.set(name, module)
  }

  /** A dictionary has no order of calls of its own. @throws ValueError always */
  override forward(): never {
    throw new ValueError('ModuleDict: a dictionary cannot be called; call its modules')
  }

  /** Number of modules. */
  get size(): number {
    return this.#modules.size
  }

  /** Whether there is a module of that name. */
  has(name: string): boolean {
    return this.#modules.has(name)
  }

  /** The module of a name. @throws ValueError listing the known names */
  get(name: string): M {
    const module = this.#modules.get(name)
    if (module !== undefined) return module
    throw new ValueError(
      `ModuleDict: there is no module '${name}'; known: ${[...this.#modules.keys()].join(', ')}`,
    )
  }

  /** Adds a module, or replaces the one of that name. Returns itself. @throws ValueError */
  set(name: string, module: M): this {
    checkName('ModuleDict', name)
    if (!(module instanceof Module))
      throw new ValueError(`ModuleDict: '${name}' is no Module but ${String(module)}; give an instance`)
    this.#modules.set(name, module)
    return this
  }

  /** Removes the module of a name; says whether there was one. */
  delete(name: string): boolean {
    return this.#modules.delete(name)
  }

  /** Names, in the order in which they came. */
  keys(): string[] {
    return [...this.#modules.keys()]
  }

  [Symbol.iterator](): Iterator<[string, M]> {
    return this.#modules[Symbol.iterator]()
  }

  override members(): Iterable<[string, Member]> {
    return this.#modules
  }
}

/** A list of parameters, called `0`, `1`, ... in the state dictionary. */
export class ParameterList extends Module {
  readonly #parameters: Parameter[]

  /** @throws ValueError for an element that is no parameter */
  constructor(parameters: Iterable<Parameter> = []) {
    super()
    this.#parameters = []
    for (const parameter of parameters) this.append(parameter)
  }

  /** A list of parameters computes nothing. @throws ValueError always */
  override forward(): never {
    throw new ValueError('ParameterList: a list cannot be called; use its parameters')
  }

  /** Number of parameters. */
  get length(): number {
    return this.#parameters.length
  }

  /** The parameter at a position, negative ones counted from the end. @throws ValueError */
  at(index: number): Parameter {
    const parameter = Number.isInteger(index) ? this.#parameters.at(index) : undefined
    if (parameter !== undefined) return parameter
    throw new ValueError(
      `ParameterList: there is no parameter at ${String(index)}; it has ${this.#parameters.length}`,
    )
  }

  /** Adds a parameter at the end. Returns itself. @throws ValueError */
  append(parameter: Parameter): this {
    checkParameter('ParameterList', String(this.#parameters.length), parameter)
    this.#parameters.push(parameter)
    return this
  }

  [Symbol.iterator](): Iterator<Parameter> {
    return this.#parameters[Symbol.iterator]()
  }

  override members(): Iterable<[string, Member]> {
    return this.#parameters.map((parameter, i): [string, Member] => [String(i), parameter])
  }
}

/** Parameters by name, called so in the state dictionary. */
export class ParameterDict extends Module {
  readonly #parameters: Map<string, Parameter> = new Map()

  /** @throws ValueError for a value that is no parameter, and a name that is empty or has a dot */
  constructor(parameters: Readonly<Record<string, Parameter>> = {}) {
    super()
    for (const [name, parameter] of Object.entries(parameters)) this.set(name, parameter)
  }

  /** A dictionary of parameters computes nothing. @throws ValueError always */
  override forward(): never {
    throw new ValueError('ParameterDict: a dictionary cannot be called; use its parameters')
  }

  /** Number of parameters. */
  get size(): number {
    return this.#parameters.size
  }

  /** Whether there is a parameter of that name. */
  has(name: string): boolean {
    return this.#parameters.has(name)
  }

  /** The parameter of a name. @throws ValueError listing the known names */
  get(name: string): Parameter {
    const parameter = this.#parameters.get(name)
    if (parameter !== undefined) return parameter
    throw new ValueError(
      `ParameterDict: there is no parameter '${name}'; known: ${[...this.#parameters.keys()].join(', ')}`,
    )
  }

  /** Adds a parameter, or replaces the one of that name. Returns itself. @throws ValueError */
  set(name: string, parameter: Parameter): this {
    checkName('ParameterDict', name)
    checkParameter('ParameterDict', name, parameter)
    this.#parameters.set(name, parameter)
    return this
  }

  [Symbol.iterator](): Iterator<[string, Parameter]> {
    return this.#parameters[Symbol.iterator]()
  }

  override members(): Iterable<[string, Member]> {
    return this.#parameters
  }
}

function checkName(container: string, name: string): void {
  if (typeof name === 'string' && name !== '' && !name.includes('.')) return
  throw new ValueError(
    `${container}: a name must be a text without dots, which join paths; got '${String(name)}'`,
  )
}

function checkParameter(container: string, name: string, value: unknown): void {
  if (value instanceof Parameter) return
  throw new ValueError(
    `${container}: '${name}' is no Parameter but ${String(value)}; make one with new Parameter(...)`,
  )
}
