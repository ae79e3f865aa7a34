// Compiled kernels, one per structure: the first launch of a structure has its module emitted, assembled and instantiated;
// later launches, of whatever sizes, find it here. Read next: launch.ts, which binds a compiled kernel to sizes.
import {
  BackendError,
  int32References,
  kernelKey,
  scalarFunctions,
  type Kernel,
  type ScalarFacts,
  type ScalarFunction,
} from '@nabla/engine'
import { chooseArrangement, type Arrangement } from './emit/arrange.ts'
import { emitKernel } from './emit/emit.ts'
import { integerPrefix } from './emit/functions.ts'
import type { ParameterLayout } from './emit/layout.ts'
import type { DeviceMemory } from './memory.ts'
import { assemble } from './wat/assembler.ts'
import { printWat } from './wat/print.ts'

/** A kernel ready to be called for any sizes. */
export interface CompiledKernel {
  /** Does items `from` to `to` of the launch whose parameter block lies at `param`. */
  readonly run: (param: number, from: number, to: number) => void
  readonly arrangement: Arrangement
  readonly layout: ParameterLayout
  itemCount(sizes: readonly number[]): number
}

/** The kernels of one memory. */
export interface KernelCache {
  /** Kernels compiled so far. */
  readonly size: number
  /** The compiled form of a kernel for a launch with these sizes. */
  find(kernel: Kernel, sizes: readonly number[]): CompiledKernel
}

/** An empty cache of kernels that work on `memory`. */
export function createKernelCache(memory: DeviceMemory): KernelCache {
  const compiled = new Map<string, CompiledKernel>()
  const print = globalThis.process?.env?.['NABLA_DEBUG']?.split(',').includes('kernels') === true

  const compile = (kernel: Kernel, arrangement: Arrangement, key: string): CompiledKernel => {
    const limits = { minimum: 1, maximum: 65_536, shared: memory.shared }
    const { module, hostFunctions, layout, itemCount } = emitKernel(kernel, arrangement, limits)
    if (print) console.log(`;; ${key}\n${printWat(module)}`)
    const host: WebAssembly.ModuleImports = { memory: memory.memory }
    for (const name of hostFunctions) host[name] = hostFunction(name)
    const instance = new WebAssembly.Instance(new WebAssembly.Module(assemble(module)), { host })
    return { run: instance.exports['k'] as CompiledKernel['run'], arrangement, layout, itemCount }
  }

  return {
    get size() {
      return compiled.size
    },
    find(kernel, sizes) {
      const arrangement = chooseArrangement(kernel, sizes)
      const key = `${kernelKey(kernel)} ${arrangement.form} ${arrangement.axes.join()}`
      let found = compiled.get(key)
      if (found === undefined) compiled.set(key, (found = compile(kernel, arrangement, key)))
      return found
    },
  }
}

/** What a module imports under a name: the engine's reference, or the one on int32 operands. */
function hostFunction(name: string): ScalarFacts['reference'] {
  const integer = name.startsWith(integerPrefix)
  const fn = (integer ? name.slice(integerPrefix.length) : name) as ScalarFunction
  const reference = integer ? int32References[fn] : scalarFunctions[fn]?.reference
  if (reference === undefined) throw new BackendError(`a kernel calls '${name}', which is no scalar function`)
  return reference
}
