// Eigenvalues of symmetric matrices and singular values, by Jacobi's rotations: slower than tridiagonal methods, but short,
// and the most accurate there are. Sources: Golub & Van Loan, Matrix Computations (4th ed.), algorithms 8.5.1 and 8.5.3
// (cyclic Jacobi); Hestenes 1958, "Inversion of matrices by biorthogonalization" (one-sided Jacobi, section 8.6.3 there).

// Convergence is quadratic: five to ten sweeps are usual, and none needs as many as this.
const mostSweeps = 60
const precision = 2 ** -52

/** Cosine and sine of the rotation that makes the off-diagonal element of [[p, off], [off, q]] zero (algorithm 8.5.1). */
function rotationOf(p: number, q: number, off: number): { cosine: number; sine: number } {
  const slope = (q - p) / (2 * off)
  const tangent = (slope >= 0 ? 1 : -1) / (Math.abs(slope) + Math.hypot(1, slope))
  const cosine = 1 / Math.hypot(1, tangent)
  return { cosine, sine: tangent * cosine }
}

/** Rotates two vectors of `count` elements that lie in `a` at a step. */
function rotate(
  a: Float64Array,
  first: number,
  second: number,
  step: number,
  count: number,
  { cosine, sine }: { cosine: number; sine: number },
): void {
  for (let k = 0; k < count; k++) {
    const x = a[first + k * step]!
    const y = a[second + k * step]!
    a[first + k * step] = cosine * x - sine * y
    a[second + k * step] = sine * x + cosine * y
  }
}

/** A = V diag(values) V^T with values ascending; vectors are the columns of V, their largest component positive. */
export interface SymmetricEigen {
  readonly values: Float64Array
  readonly vectors: Float64Array
}

/** Eigenvalues and eigenvectors of a symmetric matrix. */
export function symmetricEigen(matrix: ArrayLike<number>, size: number): SymmetricEigen {
  const a = Float64Array.from(matrix)
  // Row i of v will be the eigenvector of a[i][i].
  const v = new Float64Array(size * size)
  for (let i = 0; i < size; i++) v[i * size + i] = 1
  let norm = 0
  for (let i = 0; i < a.length; i++) norm = Math.hypot(norm, a[i]!)
  for (let sweep = 0; sweep < mostSweeps; sweep++) {
    let rotated = false
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        const off = a[p * size + q]!
        if (Math.abs(off) <= precision * 1e-3 * norm) continue
        rotated = true
        const rotation = rotationOf(a[p * size + p]!, a[q * size + q]!, off)
        rotate(a, p * size, q * size, 1, size, rotation)
        rotate(a, p, q, size, size, rotation)
        rotate(v, p * size, q * size, 1, size, rotation)
      }
    }
    if (!rotated) break
  }
  const diagonal = Float64Array.from({ length: size }, (_, i) => a[i * size + i]!)
  const order = orderOf(diagonal, false)
  const vectors = new Float64Array(size * size)
  order.forEach((from, to) => {
    const sign = signOf(v, from * size, size)
    for (let k = 0; k < size; k++) vectors[k * size + to] = sign * v[from * size + k]!
  })
  return { values: Float64Array.from(order, (i) => diagonal[i]!), vectors }
}

/** A = U diag(values) V^T with values descending: U is rows x rank, V is columns x rank. */
export interface SingularValues {
  readonly u: Float64Array
  readonly values: Float64Array
  readonly v: Float64Array
}

/** The reduced singular value decomposition. Where a singular value is 0, its column of U is 0 as well. */
export function singularValues(matrix: ArrayLike<number>, rows: number, columns: number): SingularValues {
  if (rows < columns) {
    const turned = singularValues(transposed(matrix, rows, columns), columns, rows)
    return { u: turned.v, values: turned.values, v: turned.u }
  }
  // Columns of A and V are kept as rows, so that rotations run along memory.
  const a = transposed(matrix, rows, columns)
  const v = new Float64Array(columns * columns)
  for (let i = 0; i < columns; i++) v[i * columns + i] = 1
  const squares = new Float64Array(columns)
  for (let sweep = 0; sweep < mostSweeps; sweep++) {
    let rotated = false
    for (let p = 0; p < columns; p++) squares[p] = product(a, p * rows, p * rows, rows)
    for (let p = 0; p < columns; p++) {
      for (let q = p + 1; q < columns; q++) {
        const pp = squares[p]!
        const qq = squares[q]!
        const pq = product(a, p * rows, q * rows, rows)
        if (Math.abs(pq) <= precision * Math.sqrt(pp * qq) || pq === 0) continue
        rotated = true
        const rotation = rotationOf(pp, qq, pq)
        rotate(a, p * rows, q * rows, 1, rows, rotation)
        rotate(v, p * columns, q * columns, 1, columns, rotation)
        const moved = (rotation.sine / rotation.cosine) * pq
        squares[p] = changed(a, p * rows, rows, pp, -moved)
        squares[q] = changed(a, q * rows, rows, qq, moved)
      }
    }
    if (!rotated) break
  }
  const lengths = Float64Array.from({ length: columns }, (_, i) =>
    Math.sqrt(product(a, i * rows, i * rows, rows)),
  )
  const order = orderOf(lengths, true)
  const u = new Float64Array(rows * columns)
  const right = new Float64Array(columns * columns)
  order.forEach((from, to) => {
    const length = lengths[from]!
    const sign = signOf(a, from * rows, rows)
    for (let k = 0; k < rows; k++)
      u[k * columns + to] = length === 0 ? 0 : (sign * a[from * rows + k]!) / length
    for (let k = 0; k < columns; k++) right[k * columns + to] = sign * v[from * columns + k]!
  })
  return { u, values: Float64Array.from(order, (i) => lengths[i]!), v: right }
}

function transposed(a: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const result = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = a[i * columns + j]!
  return result
}

function product(a: Float64Array, first: number, second: number, count: number): number {
  let sum = 0
  for (let k = 0; k < count; k++) sum += a[first + k]! * a[second + k]!
  return sum
}

/** The square of a vector's length after a change, taken anew where the difference would lose digits. */
function changed(a: Float64Array, start: number, count: number, before: number, difference: number): number {
  const after = before + difference
  return after > before / 8 ? after : product(a, start, start, count)
}

function orderOf(values: Float64Array, descending: boolean): number[] {
  const order = Array.from(values, (_, i) => i)
  return order.sort((i, j) => (descending ? values[j]! - values[i]! : values[i]! - values[j]!))
}

/** 1 or -1: what makes the component of largest absolute value positive. */
function signOf(a: Float64Array, start: number, count: number): number {
  let largest = 0
  for (let k = 0; k < count; k++) if (Math.abs(a[start + k]!) > Math.abs(largest)) largest = a[start + k]!
  return largest < 0 ? -1 : 1
}
