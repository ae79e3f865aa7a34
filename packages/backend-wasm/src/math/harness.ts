// For tests: applies inline functions to whole arrays. It compiles the smallest module that takes 16 bytes of each input
// at a time and stores the vectors the function makes of them.
import { scalarFunctions, type ScalarFunction } from '@nabla/engine'
import { assemble } from '../wat/assembler.ts'
import { FunctionBuilder } from '../wat/builder.ts'
import { i32, v128 } from '../wat/instructions.ts'
import { buildModule } from '../wat/module.ts'
import type { Local, Wat } from '../wat/wat.ts'

/** What is tested: from one vector of each input to one vector of each output. */
export type VectorFunction = (f: FunctionBuilder, inputs: readonly Local[]) => readonly Wat[]

/** One array, seen as each type. */
export interface Column {
  readonly float32: Float32Array
  readonly float64: Float64Array
  readonly int32: Int32Array
}

/** A compiled function and the arrays it reads and writes. */
export interface Harness {
  readonly module: Wat
  readonly inputs: readonly Column[]
  readonly outputs: readonly Column[]
  /** Applies the function to all of the inputs. */
  readonly run: () => void
}

const pageBytes = 65536

/** Compiles a function for `inputCount` inputs and `outputCount` outputs of `bytes` bytes each (a multiple of 16). */
export function createHarness(
  inputCount: number,
  outputCount: number,
  bytes: number,
  vectorFunction: VectorFunction,
): Harness {
  const f = new FunctionBuilder('run', 'run')
  const offset = f.local('i32', 'offset')
  f.for(offset, i32.const(bytes), 16, () => {
    const inputs = Array.from({ length: inputCount }, (_, i) => f.let(v128.load(offset, i * bytes), 'input'))
    vectorFunction(f, inputs).forEach((value, i) => {
      f.emit(v128.store(offset, value, (inputCount + i) * bytes))
    })
  })
  const pages = Math.ceil(((inputCount + outputCount) * bytes) / pageBytes)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const module = buildModule({ minimum: pages, maximum: pages, shared: false }, [f])
  const host: Record<string, WebAssembly.ImportValue> = { memory }
  for (const name of f.hostFunctions.keys()) host[name] = scalarFunctions[name as ScalarFunction].reference
  const instance = new WebAssembly.Instance(new WebAssembly.Module(assemble(module)), { host })
  const column = (i: number): Column => ({
    float32: new Float32Array(memory.buffer, i * bytes, bytes / 4),
    float64: new Float64Array(memory.buffer, i * bytes, bytes / 8),
    int32: new Int32Array(memory.buffer, i * bytes, bytes / 4),
  })
  return {
    module,
    inputs: Array.from({ length: inputCount }, (_, i) => column(i)),
    outputs: Array.from({ length: outputCount }, (_, i) => column(inputCount + i)),
    run: instance.exports['run'] as () => void,
  }
}
