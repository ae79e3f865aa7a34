// Compiled kernels, one per structure: the first launch of a structure has its module emitted, assembled and instantiated;
// later launches, of whatever sizes, find it here. Read next: launch.ts, which binds a compiled kernel to sizes.
import { kernelKey, type Kernel } from '@nabla/engine'
import { chooseArrangement, type Arrangement } from './emit/arrange.ts'
import { emitKernel } from './emit/emit.ts'
import type { ParameterLayout } from './emit/layout.ts'
import { importsOf } from './hostFunctions.ts'
import type { DeviceMemory } from './memory.ts'
import type { SharedCode } from './pool/threads.ts'
import type { RunItems } from './pool/words.ts'
import { assemble } from './wat/assembler.ts'
import { printWat } from './wat/print.ts'

/** A kernel ready to be called for any sizes. */
export interface CompiledKernel {
  /** Does items of the launch whose parameter block it is given, on any thread. */
  readonly code: SharedCode
  readonly arrangement: Arrangement
  readonly layout: ParameterLayout
  readonly scratchBytes: number
  readonly nanosecondsPerPosition: number
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
    const { module, hostFunctions, ...facts } = emitKernel(kernel, arrangement, limits)
    if (print) console.log(`;; ${key}\n${printWat(module)}`)
    const bytes = assemble(module)
    const imports = importsOf(memory.memory, hostFunctions)
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports)
    const code = { run: instance.exports['k'] as RunItems, bytes }
    return { ...facts, code, arrangement }
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
