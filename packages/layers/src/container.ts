// Modules that only hold other modules. Their members are named by position, as PyTorch names them: `0.weight`.
import { ValueError } from '@nabla/engine'
import { toTensor, type Tensor, type TensorLike } from '@nabla/tensor'
import { Module, type Layer, type Member } from './module.ts'

/** Modules in a row, each taking the output of the one before. */
export class Sequential extends Module {
  readonly layers: readonly Layer[]

  /** @throws ValueError for an argument that is no module */
  constructor(...layers: Layer[]) {
    super()
    this.layers = checkModules('Sequential', layers)
  }

  /** x -> last(...second(first(x))) */
  override forward(x: TensorLike): Tensor {
    let value = toTensor('Sequential', x)
    for (const layer of this.layers) value = layer.forward(value)
    return value
  }

  /** Number of modules. */
  get length(): number {
    return this.layers.length
  }

  /** The module at a position, negative ones counted from the end. @throws ValueError */
  at(index: number): Layer {
    return elementAt('Sequential', this.layers, index)
  }

  [Symbol.iterator](): Iterator<Layer> {
    return this.layers[Symbol.iterator]()
  }

  override members(): Iterable<[string, Member]> {
    return this.layers.map((layer, i): [string, Member] => [String(i), layer])
  }
}

/** A list of modules that a model calls in its own way. */
export class ModuleList<M extends Module = Module> extends Module {
  readonly modules: readonly M[]

  /** @throws ValueError for an element that is no module */
  constructor(modules: Iterable<M>) {
    super()
    this.modules = checkModules('ModuleList', [...modules])
  }

  /** A list has no order of calls of its own. @throws ValueError always */
  override forward(): never {
    throw new ValueError('ModuleList: a list cannot be called; call its modules, or use Sequential')
  }

  /** Number of modules. */
  get length(): number {
    return this.modules.length
  }

  /** The module at a position, negative ones counted from the end. @throws ValueError */
  at(index: number): M {
    return elementAt('ModuleList', this.modules, index)
  }

  [Symbol.iterator](): Iterator<M> {
    return this.modules[Symbol.iterator]()
  }

  override members(): Iterable<[string, Member]> {
    return this.modules.map((module, i): [string, Member] => [String(i), module])
  }
}

/** Returns what it is given: fills a place where a model may have a layer. */
export class Identity extends Module {
  override forward(x: TensorLike): Tensor {
    return toTensor('Identity', x)
  }
}

function checkModules<M extends Module>(container: string, modules: readonly M[]): readonly M[] {
  for (const [i, module] of modules.entries()) {
    if (!(module instanceof Module)) {
      const got =
        typeof module === 'function' ? `the class ${(module as { name: string }).name}` : String(module)
      throw new ValueError(
        `${container}: element ${i} is no Module but ${got}; give instances, for example new ReLU()`,
      )
    }
  }
  return modules
}

function elementAt<M>(container: string, modules: readonly M[], index: number): M {
  const module = modules.at(index)
  if (module === undefined || !Number.isInteger(index)) {
    throw new ValueError(`${container}: there is no module at ${String(index)}; it has ${modules.length}`)
  }
  return module
}
