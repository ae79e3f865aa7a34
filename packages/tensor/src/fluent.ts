// How ops become methods of Tensor: `Fluent` gives the types, `installMethods` the methods, both from the modules of the
// op families, so a new op is written in one place. The types are a mapped type over the module, which keeps "go to
// definition" and the doc comments of the op itself.
import type { OpFunction } from './op.ts'
import { Tensor } from './tensor.ts'

/** The methods that a module of ops gives to tensors: each function without its first argument. */
export type Fluent<Module> = {
  [
    Name in keyof Module as Module[Name] extends { readonly method: true } ? Name : never
  ]: Module[Name] extends (self: never, ...rest: infer Rest) => infer Result
    ? (...rest: Rest) => Result
    : never
}

type AnyMethod = OpFunction<(self: Tensor, a?: unknown, b?: unknown, c?: unknown, d?: unknown) => unknown>

/** Gives Tensor a method for every op of the table that is one. */
export function installMethods(table: Readonly<Record<string, { readonly method: boolean }>>): void {
  for (const [name, fn] of Object.entries(table)) {
    if (!fn.method) continue
    if (name in Tensor.prototype) throw new Error(`the op '${name}' would replace a method of Tensor`)
    define(name, methodOf(fn as AnyMethod))
  }
  // What Node shows for a tensor inside of other things; an unknown name is harmless elsewhere.
  define(Symbol.for('nodejs.util.inspect.custom'), function (this: Tensor) {
    return this.toString()
  })
}

function define(name: string | symbol, value: (this: Tensor, ...args: unknown[]) => unknown): void {
  Object.defineProperty(Tensor.prototype, name, { value, configurable: true, writable: true })
}

// Methods take up to four arguments; one that takes a list of any length says so by its `length` of 1 (the tensor alone).
function methodOf(fn: AnyMethod): (this: Tensor, ...args: unknown[]) => unknown {
  if (fn.length === 1) {
    const variadic = fn as unknown as (...all: unknown[]) => unknown
    return function (this: Tensor, ...rest: unknown[]) {
      return rest.length === 0 ? variadic(this) : variadic(this, ...rest)
    }
  }
  return function (this: Tensor, a?: unknown, b?: unknown, c?: unknown, d?: unknown) {
    return fn(this, a, b, c, d)
  }
}
