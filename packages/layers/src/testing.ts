// What every layer has to pass, for tests: the shape of its output, its state going out and in again, parameters that all
// matter, and inputs that it must refuse.
import { ShapeError } from '@nabla/engine'
import { rand, Tensor } from '@nabla/tensor'
import { expect } from 'vitest'
import type { Module } from './module.ts'

/** A layer to check. */
export interface ModuleCheck {
  /** A layer with fresh weights at every call. */
  readonly make: () => Module
  /** Arguments of `forward`. */
  readonly inputs: readonly unknown[]
  /** Shapes of all outputs. */
  readonly outputs: readonly (readonly number[])[]
  /** Arguments that are refused with a ShapeError. */
  readonly wrong?: readonly unknown[]
  /** Names in the state dictionary, where they are worth asserting. */
  readonly state?: readonly string[]
}

/** Runs a module, and gives all tensors that come out. */
export function run(module: Module, inputs: readonly unknown[]): Tensor[] {
  return flatten((module.forward as (...inputs: readonly unknown[]) => unknown)(...inputs))
}

function flatten(output: unknown): Tensor[] {
  if (output instanceof Tensor) return [output]
  return Array.isArray(output) ? output.flatMap(flatten) : []
}

async function valuesOf(module: Module, inputs: readonly unknown[]): Promise<number[]> {
  const arrays = await Promise.all(run(module, inputs).map((output) => output.data()))
  return arrays.flatMap((array) => [...array])
}

/** Checks a layer. */
export async function checkModule({ make, inputs, outputs, wrong, state }: ModuleCheck): Promise<void> {
  const module = make().eval()
  const name = module.constructor.name
  expect([name, run(module, inputs).map(({ shape }) => shape)]).toEqual([name, outputs])
  const values = await valuesOf(module, inputs)
  expect([name, values.length > 0 && values.every(Number.isFinite)]).toEqual([name, true])
  if (state !== undefined)
    expect([name, Object.keys(module.stateDict()).sort()]).toEqual([name, [...state].sort()])

  const copy = make().eval()
  copy.loadStateDict(module.stateDict())
  expect([name, await valuesOf(copy, inputs)]).toEqual([name, values])

  for (const [key, parameter] of copy.namedParameters()) {
    const before = parameter.value
    // Not the same for all elements: attention and norms do not see those.
    parameter.value = before.add(rand(parameter.shape))
    const changed = await valuesOf(copy, inputs)
    expect([name, key, changed.some((value, i) => Math.abs(value - values[i]!) > 1e-6)]).toEqual([
      name,
      key,
      true,
    ])
    parameter.value = (module.stateDict()[key] ?? parameter).value
  }
  if (wrong !== undefined) expect(() => run(module, wrong), `${name} with a wrong input`).toThrow(ShapeError)
}
