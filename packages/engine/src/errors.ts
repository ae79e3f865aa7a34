// The errors users meet. Every one is typed, has a stable `code`, and says which operation refused, what it was given
// and what to do instead. Shapes are checked when an op is called (not when a plan runs), so the stack trace points at
// the user's own line. Read next: shape.ts for the checks that throw most of these.

/** The base of every error this project throws on purpose. */
export class NablaError extends Error {
  /** Stable, machine-readable name of the kind of error, for example `ERR_SHAPE`. */
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message + modulePathSuffix(), options)
    this.code = code
    this.name = new.target.name
  }
}

/** Sizes that do not fit together, or a rank that an operation cannot take. */
export class ShapeError extends NablaError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_SHAPE', message, options)
  }
}

/** A data type that an operation cannot take. */
export class DTypeError extends NablaError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_DTYPE', message, options)
  }
}

/** An argument outside what is allowed: a negative size, an unknown name, a label that is no class, a corrupt file. */
export class ValueError extends NablaError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_VALUE', message, options)
  }
}

/** The device or its driver could not do the work: out of memory, a kernel that trapped, a missing feature. */
export class BackendError extends NablaError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_BACKEND', message, options)
  }
}

/** No device memory was left. The message names what was asked for, and what the rest is used for. */
export class OutOfMemoryError extends BackendError {
  #explained = false

  /** Appends what memory is used for. Backends throw this error without knowing that; the engine does know. */
  explain(use: () => string): void {
    if (this.#explained) return
    this.#explained = true
    this.message += `\n${use()}`
  }
}

/** A value was read after the Variables it was computed from had been updated. */
export class StaleValueError extends NablaError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_STALE', message, options)
  }
}

/** A derivative that does not exist or cannot be taken: an integer input, a loss that is no scalar, no path. */
export class GradientError extends NablaError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_GRADIENT', message, options)
  }
}

// The path of the module whose forward is running, so that an error inside a model names the layer it came from.
const modulePath: string[] = []

/** Marks the start of a named module's forward pass. Always paired with {@link leaveModule} in a `finally`. */
export function enterModule(name: string): void {
  modulePath.push(name)
}

/** Ends what {@link enterModule} began. */
export function leaveModule(): void {
  modulePath.pop()
}

/** How many modules are being run inside one another right now; 0 outside of any model. */
export function moduleDepth(): number {
  return modulePath.length
}

function modulePathSuffix(): string {
  const path = modulePath.filter((part) => part !== '').join('.')
  return path === '' ? '' : ` in ${path}`
}

/**
 * Looks a name up in a table of known ones.
 * @throws ValueError that lists the known names, and the closest of them as a suggestion.
 */
export function lookUp<T>(what: string, name: string, table: Readonly<Record<string, T>>): T {
  if (Object.hasOwn(table, name)) return table[name] as T
  const known = Object.keys(table)
  const close = known.find(
    (candidate) => editDistance(candidate.toLowerCase(), String(name).toLowerCase()) <= 2,
  )
  const hint = close === undefined ? '' : ` Did you mean '${close}'?`
  throw new ValueError(`unknown ${what} '${String(name)}'.${hint} Known: ${known.join(', ')}`)
}

// Levenshtein 1966, one row at a time.
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
