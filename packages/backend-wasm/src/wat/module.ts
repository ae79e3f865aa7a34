// Puts functions together into a module: the imports they need, then the functions. One place decides under which names
// memory and host functions are imported, so that whoever instantiates modules has one rule to follow: everything comes
// from the import object's `host`: `{ host: { memory, sin: Math.sin, ... } }`.
import { BackendError } from '@nabla/engine'
import { hostName, type FunctionBuilder, type HostFunction } from './builder.ts'
import type { Wat } from './wat.ts'

/** The size of the imported memory, in pages of 64 KiB; it must cover what is given at instantiation. */
export interface MemoryLimits {
  readonly minimum: number
  readonly maximum: number
  /** Whether threads share it; must be as the given memory is. */
  readonly shared: boolean
}

/** The module of some functions, with the memory and every host function they call imported from `host`. */
export function buildModule(memory: MemoryLimits, functions: readonly FunctionBuilder[]): Wat {
  const hostFunctions = new Map<string, HostFunction>()
  for (const builder of functions) {
    for (const [name, host] of builder.hostFunctions) {
      const known = hostFunctions.get(name)
      if (known !== undefined && known.arity !== host.arity) {
        throw new BackendError(
          `host function ${name} is called with ${known.arity} and with ${host.arity} operands`,
        )
      }
      hostFunctions.set(name, host)
    }
  }
  const { minimum, maximum, shared } = memory
  return [
    'module',
    ['import', '"host"', '"memory"', ['memory', minimum, maximum, ...(shared ? ['shared'] : [])]],
    ...[...hostFunctions.values()].map(importOf),
    ...functions.map((builder) => builder.build()),
  ]
}

function importOf({ name, arity }: HostFunction): Wat {
  const params = Array.from({ length: arity }, () => 'f64')
  return ['import', '"host"', `"${name}"`, ['func', hostName(name), ['param', ...params], ['result', 'f64']]]
}
