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

/** @throws ValueError unless `value` lies in [0, 1] */
export function probability(layer: string, name: string, value: number): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) {
    throw new ValueError(`${layer}: ${name} must lie between 0 and 1; got ${String(value)}`)
  }
  return value
}

/** @throws ValueError unless `value` is a finite number */
export function finite(layer: string, name: string, value: number): number {
  if (!Number.isFinite(value)) throw new ValueError(`${layer}: ${name} must be a finite number; got ${String(value)}`)
  return value
}

/** One number for both dimensions, or one each: [height, width]. */
export type Pair = number | readonly [number, number]

/** Both numbers of a pair, checked one by one. @throws ValueError */
export function pair(
  layer: string,
  name: string,
  value: Pair,
  check: (layer: string, name: string, value: number) => number,
): [number, number] {
  if (typeof value === 'number') return [check(layer, name, value), value]
  if (!Array.isArray(value) || value.length !== 2) {
    throw new ValueError(`${layer}: ${name} must be one number or two, for example [3, 2]; got ${String(value)}`)
  }
  return [check(layer, name, value[0]), check(layer, name, value[1])]
}
