// Reads a kernel's parameter block: sizes, bases and strides as locals. Only words that the code asks for are read, once,
// where the function begins. A stride that the structure determines is a constant and takes no word.
import { bytesOf, type Kernel } from '@nabla/engine'
import type { FunctionBuilder } from '../wat/builder.ts'
import { i32 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { parameterLayout, type ParameterLayout } from './layout.ts'

/** The numbers of a launch, as code. */
export class Addresses {
  readonly layout: ParameterLayout
  readonly #f: FunctionBuilder
  readonly #kernel: Kernel
  readonly #parameters: Local
  readonly #words = new Map<number, Local>()

  constructor(f: FunctionBuilder, kernel: Kernel, parameters: Local) {
    this.#f = f
    this.#kernel = kernel
    this.#parameters = parameters
    this.layout = parameterLayout(kernel)
  }

  /** Elements along an axis. */
  size(axis: number): Local {
    return this.#word(this.layout.size(axis), 'size')
  }

  /** Where an argument begins. */
  base(arg: number): Local {
    return this.#word(this.layout.base(arg), 'base')
  }

  /** Bytes from one element to the next along an axis; for positions, by how much they grow. */
  stride(arg: number, axis: number): Wat {
    const { role, dtype, classes } = this.#kernel.args[arg]!
    if (classes[axis] === 's') return this.#word(this.layout.stride(arg, axis), 'stride')
    const unit = role === 'position' ? 1 : bytesOf(dtype)
    return i32.const(classes[axis] === 1 ? unit : 0)
  }

  /** Address, and offset to it, of a number of the launch. */
  number(index: number): readonly [address: Local, offset: number] {
    return [this.#parameters, this.layout.number(index)]
  }

  /** Writes the reads of all words asked for; to be called when the rest of the code is known. */
  emitReads(): void {
    for (const [offset, local] of this.#words) this.#f.set(local, i32.load(this.#parameters, offset))
  }

  #word(offset: number, name: string): Local {
    let local = this.#words.get(offset)
    if (local === undefined) {
      local = this.#f.local('i32', name)
      this.#words.set(offset, local)
    }
    return local
  }
}
