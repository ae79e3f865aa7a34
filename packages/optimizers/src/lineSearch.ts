// A line search: how far to go along a direction so that a function has fallen enough and is flat enough there.
// Plain numbers, no tensors. Used by: lbfgs.ts.

/** A function of the distance gone: its value, its slope along the direction, and whatever belongs to the point. */
export interface LinePoint<Extra> {
  readonly distance: number
  readonly value: number
  readonly slope: number
  readonly extra: Extra
}

/** Evaluates the function at a distance. */
export type LineFunction<Extra> = (distance: number) => Promise<LinePoint<Extra>>

/** When a point is good: how much must be gained, how much slope may be left, and when to give up. */
export interface LineSearchOptions {
  /** The share of the gain that the first slope promises (Armijo). Default 1e-4. */
  readonly gain?: number
  /** The share of the first slope that may be left. Default 0.9. */
  readonly slope?: number
  /** The smallest change of position worth a further step. Default 1e-9. */
  readonly toleranceChange?: number
  /** The largest element of the direction, which makes changes of distance changes of position. Default 1. */
  readonly scale?: number
  /** Most evaluations while the bracket is looked for, and while it is narrowed together. Default 25. */
  readonly maxSteps?: number
}

/**
 * Finds a point that fulfils the strong Wolfe conditions (Nocedal and Wright 2006, algorithms 3.5 and 3.6), or the best
 * one seen: the function is followed downhill until a minimum is enclosed, and the interval is narrowed by cubic
 * interpolation.
 */
export async function strongWolfe<Extra>(
  evaluate: LineFunction<Extra>,
  start: LinePoint<Extra>,
  firstDistance: number,
  options: LineSearchOptions = {},
): Promise<LinePoint<Extra>> {
  const { gain = 1e-4, slope = 0.9, toleranceChange = 1e-9, scale = 1, maxSteps = 25 } = options
  const fellEnough = (point: LinePoint<Extra>): boolean =>
    point.value <= start.value + gain * point.distance * start.slope
  const isFlat = (point: LinePoint<Extra>): boolean => Math.abs(point.slope) <= -slope * start.slope

  let previous = start
  let current = await evaluate(firstDistance)
  let steps = 0
  let bracket: Bracket<Extra> | null = null
  for (; steps < maxSteps; steps++) {
    if (!fellEnough(current) || (steps > 0 && current.value >= previous.value)) {
      bracket = [previous, current]
      break
    }
    if (isFlat(current)) return current
    if (current.slope >= 0) {
      bracket = [previous, current]
      break
    }
    // Still downhill: further on, between a little more and ten times as far.
    const least = current.distance + 0.01 * (current.distance - previous.distance)
    const next = cubicMinimum(previous, current, least, current.distance * 10)
    previous = current
    current = await evaluate(next)
  }
  bracket ??= [start, current]

  let stuck = false
  for (; steps < maxSteps; steps++) {
    const [low, high]: Bracket<Extra> = ordered(bracket)
    const [a, b] = bracket
    const from = Math.min(a.distance, b.distance)
    const width = Math.abs(b.distance - a.distance)
    if (width * scale < toleranceChange) break
    let distance = cubicMinimum(a, b, from, from + width)
    // A point near an end brings little. It is taken once; the second time in a row, or at an end itself, it is moved in.
    const nearEnd = Math.min(from + width - distance, distance - from) < 0.1 * width
    if (nearEnd && (stuck || distance >= from + width || distance <= from)) {
      const nearHigh = Math.abs(distance - from - width) < Math.abs(distance - from)
      distance = nearHigh ? from + 0.9 * width : from + 0.1 * width
      stuck = false
    } else {
      stuck = nearEnd
    }
    const found = await evaluate(distance)
    if (!fellEnough(found) || found.value >= low.value) {
      bracket = [low, found]
    } else {
      if (isFlat(found)) return found
      // The slope says on which side of the point the minimum lies.
      bracket = [found, found.slope * (high.distance - low.distance) >= 0 ? low : high]
    }
  }
  return ordered(bracket)[0]
}

type Bracket<Extra> = [LinePoint<Extra>, LinePoint<Extra>]

/** The better end first. */
function ordered<Extra>([a, b]: Bracket<Extra>): Bracket<Extra> {
  return a.value <= b.value ? [a, b] : [b, a]
}

/** The minimum in [least, most] of the cubic through two values and slopes (Nocedal and Wright 2006, equation 3.59). */
function cubicMinimum<Extra>(a: LinePoint<Extra>, b: LinePoint<Extra>, least: number, most: number): number {
  const [left, right] = a.distance <= b.distance ? [a, b] : [b, a]
  const d1 = left.slope + right.slope - (3 * (left.value - right.value)) / (left.distance - right.distance)
  const square = d1 * d1 - left.slope * right.slope
  const middle = (least + most) / 2
  if (!(square >= 0)) return middle
  const d2 = Math.sqrt(square)
  const width = right.distance - left.distance
  const found = right.distance - width * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2))
  return Number.isFinite(found) ? Math.min(Math.max(found, least), most) : middle
}
