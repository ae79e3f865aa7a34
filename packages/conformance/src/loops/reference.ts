// Linear regression with gradient descent in plain TypeScript: what the loops of Nabla are compared with. Nothing of Nabla
// is used here, so nothing of it can be wrong in the same way.

/** Rows of features with one target each. */
export interface Table {
  readonly features: readonly (readonly number[])[]
  readonly targets: readonly number[]
}

/** Weights of a linear model; the last one is the bias. */
export type Weights = readonly number[]

/** A table of a linear rule with a little disturbance, always the same. */
export function makeTable(rows: number, columns: number): Table {
  const wave = (i: number, j: number): number =>
    Math.sin(1.7 * i + 2.3 * j) + 0.3 * Math.cos(0.9 * i * (j + 1))
  const features = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => wave(i, j)),
  )
  const targets = features.map(
    (row, i) => row.reduce((sum, x, j) => sum + x * (j - 1), 0.5) + 0.1 * Math.sin(5 * i),
  )
  return { features, targets }
}

/** The rows from `from` up to and without `to`. */
export function rowsOf(table: Table, from: number, to: number): Table {
  return { features: table.features.slice(from, to), targets: table.targets.slice(from, to) }
}

function predict(weights: Weights, row: readonly number[]): number {
  return row.reduce((sum, x, j) => sum + x * weights[j]!, weights[row.length]!)
}

/** Mean squared error. */
export function meanSquaredError(weights: Weights, { features, targets }: Table): number {
  const squares = features.map((row, i) => (predict(weights, row) - targets[i]!) ** 2)
  return squares.reduce((a, b) => a + b, 0) / squares.length
}

/** The gradient of {@link meanSquaredError} by the weights. */
export function gradientOf(weights: Weights, { features, targets }: Table): number[] {
  const gradient = weights.map(() => 0)
  features.forEach((row, i) => {
    const factor = (2 * (predict(weights, row) - targets[i]!)) / features.length
    row.forEach((x, j) => (gradient[j]! += factor * x))
    gradient[row.length]! += factor
  })
  return gradient
}

/** One step of gradient descent. */
export function descend(weights: Weights, gradient: readonly number[], lr: number): number[] {
  return weights.map((weight, j) => weight - lr * gradient[j]!)
}
