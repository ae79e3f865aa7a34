// Where NaN comes from: inside of `detectAnomaly` every value is computed as soon as its op is called and looked at, so the
// first one that is not finite is an error that names the op and the line of the program that called it. Slow; for debugging.
import { engine, isFloating, NablaError, type Node } from '@nabla/engine'
import type { Tensor } from '@nabla/tensor'

/** A value that is NaN or infinite appeared inside of {@link detectAnomaly}. */
export class AnomalyError extends NablaError {
  /** Name of the op that gave it. */
  readonly op: string
  /** Where the program called that op (or, for a gradient, the op it belongs to); empty where that is unknown. */
  readonly line: string

  constructor(op: string, line: string, message: string, options?: ErrorOptions) {
    super('ERR_ANOMALY', message, options)
    this.op = op
    this.line = line
  }
}

/** Settings of {@link detectAnomaly}. */
export interface AnomalyOptions {
  /** Whether infinite values are errors as well as NaN. Default true. */
  infinite?: boolean
}

// Where ops were called, while anomalies are looked for.
let lines: WeakMap<Node, string> | null = null

/**
 * Runs `fn` and stops at the first value that is NaN or infinite, on the way forward or in a gradient.
 * @param fn may be asynchronous; until it is done, all that happens is looked at
 * @throws AnomalyError naming the op, its inputs, and the line of the program
 */
export function detectAnomaly<T>(fn: () => T, options: AnomalyOptions = {}): T {
  const outer = lines
  lines = new WeakMap()
  const before = engine.observe((node, inputs) => look(node, inputs, options.infinite ?? true))
  const end = (): void => {
    lines = outer
    engine.observe(before)
  }
  let result: T
  try {
    result = fn()
  } catch (error) {
    end()
    throw error
  }
  if (!(result instanceof Promise)) {
    end()
    return result
  }
  return result.finally(end) as T
}

/** What an error from a gradient rule should say in addition: through which op the gradient was passed, and its line. */
export function inGradientOf(tensor: Tensor, error: unknown): unknown {
  if (!(error instanceof AnomalyError) || error.cause !== undefined) return error
  const line = lines?.get(tensor) ?? ''
  const message = `in the gradient of ${tensor.op.name}${line === '' ? '' : `, called ${line}`}: ${error.message}`
  return new AnomalyError(tensor.op.name, line, message, { cause: error })
}

function look(node: Node, inputs: readonly Node[], infinite: boolean): void {
  const line = callingLine(new Error().stack ?? '')
  lines?.set(node, line)
  const { host, op, shape, dtype } = node
  if (host === null || !isFloating(dtype)) return
  const bad = firstBad(host, infinite)
  if (bad < 0) return
  const kind = Number.isNaN(host[bad]) ? 'NaN' : 'infinite'
  const place = shape.length === 0 ? '' : ` at element ${bad}`
  const already = inputs.findIndex((input) => input.host !== null && firstBad(input.host, infinite) >= 0)
  const origin = already < 0 ? '' : ` Its input ${already} was so already.`
  throw new AnomalyError(
    op.name,
    line,
    `${op.name} gave a value that is ${kind}${place} of [${shape.join(', ')}]${line === '' ? '' : `, called ${line}`}.${origin}`,
  )
}

function firstBad(elements: ArrayLike<number>, infinite: boolean): number {
  for (let i = 0; i < elements.length; i++) {
    const value = elements[i]!
    if (value !== value || (infinite && Math.abs(value) === Infinity)) return i
  }
  return -1
}

/** The first line of a stack that belongs to the program, as `at file:line:column`. */
function callingLine(stack: string): string {
  for (const frame of stack.split('\n').slice(1)) {
    const place = /\(?([^\s()]+:\d+:\d+)\)?$/.exec(frame.trim())?.[1]
    if (place === undefined || place.startsWith('node:') || isOurs(place)) continue
    return `at ${place}`
  }
  return ''
}

function isOurs(place: string): boolean {
  if (/\.test\.ts:/.test(place)) return false
  return /[\\/](@nabla[\\/][\w-]+|packages[\\/][\w-]+)[\\/](dist|src)[\\/]/.test(place)
}
