// Standardisation of columns: subtract the mean, divide by the standard deviation, both learned on training data only.
import { ShapeError, ValueError } from '@nabla/engine'

/** A matrix on the host, row-major. */
export interface Matrix {
  readonly data: Float32Array
  readonly shape: readonly [rows: number, columns: number]
}

/**
 * Column statistics, fitted once and applied to any number of matrices.
 * Statistics are those of scikit-learn's StandardScaler: the population variance; constant columns are only centred.
 */
export class StandardScaler {
  /** Mean of each column; empty before {@link fit}. */
  mean: Float64Array = new Float64Array(0)
  /** What each column is divided by. */
  scale: Float64Array = new Float64Array(0)

  /** Learns mean and standard deviation. @throws ValueError for no rows, and for values that are not finite */
  fit(matrix: Matrix): this {
    const [rows, columns] = checkMatrix('StandardScaler.fit', matrix)
    if (rows === 0) throw new ValueError('StandardScaler.fit: no rows to learn from')
    const bad = matrix.data.findIndex((value) => !Number.isFinite(value))
    if (bad >= 0) {
      throw new ValueError(
        `StandardScaler.fit: ${matrix.data[bad]} in row ${Math.floor(bad / columns)}, column ${bad % columns}; ` +
          `fill in or leave out what is missing first`,
      )
    }
    const mean = new Float64Array(columns)
    const scale = new Float64Array(columns)
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) mean[c]! += matrix.data[r * columns + c]! / rows
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) scale[c]! += (matrix.data[r * columns + c]! - mean[c]!) ** 2 / rows
    }
    this.mean = mean
    this.scale = scale.map((variance, c) => {
      // Rounding of the mean gives a constant column a tiny variance, by which nothing must be divided.
      const rounding = rows * Number.EPSILON * mean[c]!
      return variance <= rounding ** 2 ? 1 : Math.sqrt(variance)
    })
    return this
  }

  /** Standardised copy. @throws ValueError before fit, ShapeError for another number of columns */
  transform(matrix: Matrix): Matrix {
    return this.#apply('transform', matrix, (value, c) => (value - this.mean[c]!) / this.scale[c]!)
  }

  /** Learns from a matrix and standardises it. */
  fitTransform(matrix: Matrix): Matrix {
    return this.fit(matrix).transform(matrix)
  }

  /** Undoes {@link transform}. */
  inverse(matrix: Matrix): Matrix {
    return this.#apply('inverse', matrix, (value, c) => value * this.scale[c]! + this.mean[c]!)
  }

  #apply(method: string, matrix: Matrix, change: (value: number, column: number) => number): Matrix {
    const [, columns] = checkMatrix(`StandardScaler.${method}`, matrix)
    if (this.mean.length === 0) throw new ValueError(`StandardScaler.${method}: call fit() first`)
    if (columns !== this.mean.length) {
      throw new ShapeError(
        `StandardScaler.${method}: ${columns} columns, but it was fitted on ${this.mean.length}`,
      )
    }
    return { data: matrix.data.map((value, i) => change(value, i % columns)), shape: matrix.shape }
  }
}

function checkMatrix(op: string, { data, shape }: Matrix): readonly [number, number] {
  if (shape.length !== 2 || shape[0] * shape[1] !== data.length) {
    throw new ShapeError(`${op}: ${data.length} elements do not fill a matrix of shape [${shape.join(', ')}]`)
  }
  return shape
}
