// Groups of parameters that share hyperparameters, and the checks on what users give.
import { ValueError } from '@nabla/engine'
import { Parameter } from '@nabla/tensor'

/** Parameters with the hyperparameters that hold for them. */
export type Group<Options> = Options & { readonly params: readonly Parameter[] }

/** A group as users give it: what is left out is that of the optimizer. */
export type GroupInput<Options> = Partial<Options> & { readonly params: Iterable<Parameter> }

/** What optimizers take: parameters, or groups of them. */
export type Groups<Options> = Iterable<Parameter> | Iterable<GroupInput<Options>>

/** @throws ValueError for an empty list, for what is no parameter, and for a parameter that is listed twice */
export function makeGroups<Options>(
  optimizer: string,
  given: Groups<Options>,
  defaults: Options,
): Group<Options>[] {
  if (typeof given !== 'object' || given === null || !(Symbol.iterator in given)) {
    throw new ValueError(
      `${optimizer}: expected parameters, for example model.parameters(); got ${describe(given)}`,
    )
  }
  const list: (Parameter | GroupInput<Options>)[] = [...given]
  if (list.length === 0) throw new ValueError(`${optimizer}: the list of parameters is empty`)
  const grouped = list.some(
    (entry) =>
      !(entry instanceof Parameter) && typeof entry === 'object' && entry !== null && 'params' in entry,
  )
  const inputs = grouped
    ? (list as GroupInput<Options>[])
    : [{ params: list as Parameter[] } as unknown as GroupInput<Options>]
  const seen = new Set<Parameter>()
  return inputs.map((input) => {
    const params = [...(input.params ?? [])]
    for (const [i, parameter] of params.entries()) checkParameter(optimizer, parameter, i, seen)
    return { ...defaults, ...withoutUndefined(input), params }
  })
}

function checkParameter(optimizer: string, parameter: unknown, position: number, seen: Set<Parameter>): void {
  if (!(parameter instanceof Parameter)) {
    throw new ValueError(`${optimizer}: entry ${position} is no Parameter; got ${describe(parameter)}`)
  }
  if (seen.has(parameter))
    throw new ValueError(`${optimizer}: ${parameter.name} is listed twice and would be updated twice`)
  seen.add(parameter)
}

/** Options without the keys whose value is undefined, so that they hide no default. */
export function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}

/** @throws ValueError unless `value` is a finite number, zero or larger */
export function checkNonNegative(optimizer: string, name: string, value: number): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw new ValueError(
      `${optimizer}: ${name} must be a finite number, zero or larger; got ${String(value)}`,
    )
  }
}

/** @throws ValueError unless `value` lies in [0, 1) */
export function checkDecay(optimizer: string, name: string, value: number): void {
  if (typeof value !== 'number' || !(value >= 0 && value < 1)) {
    throw new ValueError(`${optimizer}: ${name} must lie in [0, 1); got ${String(value)}`)
  }
}

/** @throws ValueError unless both lie in [0, 1) */
export function checkBetas(optimizer: string, betas: readonly [number, number]): void {
  if (!Array.isArray(betas) || betas.length !== 2)
    throw new ValueError(`${optimizer}: betas must be two numbers; got ${String(betas)}`)
  checkDecay(optimizer, 'betas[0]', betas[0])
  checkDecay(optimizer, 'betas[1]', betas[1])
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? `a ${value.constructor?.name ?? 'object'}`
    : String(value)
}
