// The parameter block: everything numeric a kernel needs, at one address, so that its code depends on structure alone.
// 32-bit words: the sizes of the axes, then for each argument its base and its strides; then 64 bits for each number.
// A base is a byte address and strides are bytes; of a position argument they are the value at index 0 and its steps.
// Written by launch.ts, read by the code that addresses.ts emits.
import type { Kernel } from '@nabla/engine'

/** Byte offsets inside a parameter block. */
export interface ParameterLayout {
  size(axis: number): number
  base(arg: number): number
  stride(arg: number, axis: number): number
  number(index: number): number
  readonly bytes: number
}

/** The layout for kernels with this many axes, arguments and numbers. */
export function parameterLayout(kernel: Kernel): ParameterLayout {
  const rank = kernel.outerRank + kernel.innerRank
  const words = rank + kernel.args.length * (1 + rank)
  const numbersAt = Math.ceil(words / 2) * 8
  const base = (arg: number): number => 4 * (rank + arg * (1 + rank))
  return {
    size: (axis) => 4 * axis,
    base,
    stride: (arg, axis) => base(arg) + 4 + 4 * axis,
    number: (index) => numbersAt + 8 * index,
    bytes: numbersAt + 8 * kernel.numbers.length,
  }
}
