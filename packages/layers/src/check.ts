// Checks of constructor arguments, so that a mistake is reported where a layer is made and not where it first runs.
import { ValueError } from '@nabla/engine'

/** @throws ValueError */
export function positiveInteger(layer: string, name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) {
    throw new ValueError(`${layer}: ${name} must be a positive integer; got ${String(value)}`)
  }
  return value
}

/** @throws ValueError */
export function nonNegativeInteger(layer: string, name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0) {
    throw new ValueError(`${layer}: ${name} must be a non-negative integer; got ${String(value)}`)
  }
  return value
}

/** @throws ValueError unless `value` is an integer */
export function integer(layer: string, name: string, value: number): number {
  if (!Number.isInteger(value))
    throw new ValueError(`${layer}: ${name} must be an integer; got ${String(value)}`)
  return value
}

/** @throws ValueError unless `value` lies in [0, 1] */
export function probability(layer: string, name: string, value: number): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) {
    throw new ValueError(`${layer}: ${name} must lie between 0 and 1; got ${String(value)}`)
  }
  return value
}

/** @throws ValueError unless `value` is a finite number, zero or larger */
export function nonNegative(layer: string, name: string, value: number): number {
  if (!(finite(layer, name, value) >= 0))
    throw new ValueError(`${layer}: ${name} must not be negative; got ${value}`)
  return value
}

/** @throws ValueError unless `value` is a finite number */
export function finite(layer: string, name: string, value: number): number {
  if (!Number.isFinite(value))
    throw new ValueError(`${layer}: ${name} must be a finite number; got ${String(value)}`)
  return value
}

/** One number for all spatial dimensions, or a list of one each: [height, width]. */
export type PerDimension = number | readonly number[]

/** One checked number per spatial dimension. @throws ValueError */
export function perDimension(
  layer: string,
  name: string,
  value: PerDimension,
  spatial: number,
  check: (layer: string, name: string, value: number) => number,
): readonly number[] {
  if (!Array.isArray(value)) {
    check(layer, name, value as number)
    return Array.from({ length: spatial }, () => value as number)
  }
  if (value.length !== spatial) {
    throw new ValueError(
      `${layer}: ${name} must be one number or a list of ${spatial}; got [${value.join(', ')}]`,
    )
  }
  return value.map((size: number) => check(layer, name, size))
}
