// Module: what layers and models are made of. It finds the parameters, buffers and modules among a class's own fields, so
// that a model is a plain class with a `forward`; and it runs every `forward` inside a frame of its own, which gives
// error messages the path of the layer they come from and keeps a model's outputs readable after a step (R5). Not here:
// how states are compared and copied (state.ts), how a model is printed (summary.ts). Read next: state.ts, linear.ts.
import { engine, enterModule, leaveModule } from '@nabla/engine'
import { Parameter, Tensor, Variable, type TensorLike } from '@nabla/tensor'
import { loadState, type LoadOptions, type LoadResult, type State } from './state.ts'

/** What a module may own: trained parameters, other state that travels with it, and further modules. */
export type Member = Variable | Module

/** A module of one tensor: what {@link Sequential} chains and what most layers are. */
export interface Layer extends Module {
  forward(x: TensorLike): Tensor
}

/**
 * The base of all layers and models. Subclasses keep parameters, Variables (buffers), modules, or arrays of these in
 * fields, and define `forward`; there is nothing to register. Fields are visited in the order they were assigned.
 *
 * Names are those of the state dictionary: the path of fields joined by dots, each in snake_case as PyTorch has it, so
 * `this.runningMean` of `this.norm` is `norm.running_mean` and published checkpoints fit. A field whose name begins with
 * a capital, and names without capitals, are taken as they are.
 */
export abstract class Module {
  /** Whether layers that differ between the two (dropout, batch norm) behave as in training. See {@link train}. */
  training: boolean = true

  constructor() {
    frameForwards(new.target.prototype as Module)
  }

  /** From inputs to outputs. Call it directly: `model.forward(x)`. */
  abstract forward(...inputs: never[]): unknown

  /** Puts this module and all modules inside of it into training mode. Returns itself. */
  train(mode: boolean = true): this {
    for (const [, module] of this.namedModules()) module.training = mode
    return this
  }

  /** Puts this module and all modules inside of it into evaluation mode. Returns itself. */
  eval(): this {
    return this.train(false)
  }

  /** All parameters, frozen ones included; one that is used in several places comes once. */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter)
  }

  /** Like {@link parameters}, each with the first name it was found under. */
  namedParameters(): [string, Parameter][] {
    return distinct(this.#namedVariables()).filter((entry): entry is [string, Parameter] =>
      isParameter(entry[1]),
    )
  }

  /** State that is not trained, such as running statistics; each Variable once. */
  buffers(): Variable[] {
    return this.namedBuffers().map(([, buffer]) => buffer)
  }

  /** Like {@link buffers}, each with the first name it was found under. */
  namedBuffers(): [string, Variable][] {
    return distinct(this.#namedVariables()).filter(([, variable]) => !isParameter(variable))
  }

  /** This module (under the name '') and all modules inside of it, outer before inner, each once. */
  namedModules(): [string, Module][] {
    const found = new Map<Module, string>()
    const visit = (module: Module, name: string): void => {
      if (found.has(module)) return
      found.set(module, name)
      for (const [key, member] of module.members())
        if (member instanceof Module) visit(member, join(name, key))
    }
    visit(this, '')
    return [...found].map(([module, name]) => [name, module])
  }

  /**
   * All parameters and buffers by name. These are the Variables themselves, not copies: read them to save a model. What
   * is used in several places is listed under each name, as PyTorch does it.
   */
  stateDict(): Record<string, Variable> {
    return Object.fromEntries(this.#namedVariables())
  }

  /**
   * Takes over saved values. Everything is checked before anything is changed.
   * @param state by name: Variables (another model's `stateDict()`), tensors, or `{ data, shape }`
   * @param options `strict: false` lets names be missing or unexpected; shapes must fit always
   * @returns the names that were missing and unexpected
   * @throws ValueError naming all missing and unexpected names
   * @throws ShapeError naming all values of a wrong shape
   */
  loadStateDict(state: State, options: LoadOptions = {}): LoadResult {
    return loadState(this.constructor.name, this.stateDict(), state, options)
  }

  /** What the class's name says no more about: sizes and settings, for printing. */
  describe(): string {
    return ''
  }

  /** The module and what is inside of it, one line each. */
  toString(): string {
    const lines: string[] = []
    for (const [key, member] of this.members()) {
      if (member instanceof Module) lines.push(`(${key}): ${member.toString()}`.replaceAll('\n', '\n  '))
    }
    const head = `${this.constructor.name}(${this.describe()}`
    return lines.length === 0 ? `${head})` : `${head}\n  ${lines.join('\n  ')}\n)`
  }

  /** The members this module owns directly, by name. Containers whose members have no names of fields override it. */
  *members(): Iterable<[string, Member]> {
    for (const [field, value] of Object.entries(this)) {
      const name = stateName(field)
      if (isMember(value)) yield [name, value]
      else if (Array.isArray(value)) {
        for (const [i, element] of value.entries()) if (isMember(element)) yield [`${name}.${i}`, element]
      }
    }
  }

  #namedVariables(): [string, Variable][] {
    const found: [string, Variable][] = []
    // A module may stand in several places, but one that contains itself would never end.
    const open = new Set<Module>()
    const visit = (module: Module, name: string): void => {
      if (open.has(module)) return
      open.add(module)
      for (const [key, member] of module.members()) {
        if (member instanceof Module) visit(member, join(name, key))
        else found.push([join(name, key), member])
      }
      open.delete(module)
    }
    visit(this, '')
    return found
  }
}

function isMember(value: unknown): value is Member {
  return value instanceof Variable || value instanceof Module
}

function isParameter(variable: Variable): boolean {
  return variable instanceof Parameter
}

function distinct(entries: readonly [string, Variable][]): [string, Variable][] {
  const seen = new Set<Variable>()
  return entries.filter(([, variable]) => !seen.has(variable) && seen.add(variable))
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function stateName(field: string): string {
  if (/^[A-Z]/.test(field)) return field
  return field
    .replace(/([a-z0-9])([A-Z])/g, (_, before: string, capital: string) => `${before}_${capital}`)
    .toLowerCase()
}

// --- Frames around forward ------------------------------------------------------------------------------------------

// The modules whose forwards are running, outermost first.
const running: Module[] = []

const framed = new WeakSet<object>()

// Replaces `forward` once per class, not per object: no subclass has to call anything, and `super.forward()` works.
function frameForwards(prototype: Module): void {
  for (let level = prototype; level !== Module.prototype; level = Object.getPrototypeOf(level) as Module) {
    if (framed.has(level)) return
    framed.add(level)
    const forward = Object.getOwnPropertyDescriptor(level, 'forward')?.value as Forward | undefined
    if (typeof forward !== 'function') continue
    const frame = function (this: Module, ...inputs: never[]): unknown {
      return runForward(this, forward, inputs)
    }
    Object.defineProperty(level, 'forward', {
      value: frame,
      configurable: true,
      writable: true,
      enumerable: false,
    })
  }
}

type Forward = (this: Module, ...inputs: never[]) => unknown

function runForward(module: Module, forward: Forward, inputs: never[]): unknown {
  const caller = running.at(-1)
  if (caller === module) return forward.apply(module, inputs)
  running.push(module)
  enterModule(nameSeenFrom(caller, module))
  let output: unknown
  try {
    output = forward.apply(module, inputs)
  } finally {
    leaveModule()
    running.pop()
  }
  if (caller === undefined) keepOutputs(output)
  return output
}

const knownNames = new WeakMap<Module, WeakMap<Module, string>>()

// The name of a module in the one that calls it, found once per pair. The outermost is called after its class.
function nameSeenFrom(caller: Module | undefined, module: Module): string {
  if (caller === undefined) return classLabel(module)
  let names = knownNames.get(caller)
  if (names === undefined) knownNames.set(caller, (names = new WeakMap()))
  let name = names.get(module)
  if (name === undefined) {
    name = caller.namedModules().find(([, candidate]) => candidate === module)?.[0] ?? classLabel(module)
    names.set(module, name)
  }
  return name
}

// `GPT` becomes gpt, `ConvNet` becomes convNet: the path in a message then reads like the fields of an object.
function classLabel(module: Module): string {
  const name = module.constructor.name
  return name === '' ? 'model' : name.replace(/^[A-Z]+(?![a-z])|^[A-Z]/, (capitals) => capitals.toLowerCase())
}

function keepOutputs(output: unknown): void {
  if (output instanceof Tensor) engine.keepIfComputed(output)
  else if (Array.isArray(output)) output.forEach(keepOutputs)
  else if (
    output !== null &&
    typeof output === 'object' &&
    Object.getPrototypeOf(output) === Object.prototype
  ) {
    Object.values(output).forEach(keepOutputs)
  }
}
