// Cholesky and QR factorisations of row-major float64 matrices. Source: Golub & Van Loan, Matrix Computations (4th ed.),
// algorithms 4.2.1 (Cholesky, by columns) and 5.2.1 (Householder QR). Not here: LU (lu.ts), eigenvalues (jacobi.ts).

/** The lower L with L L^T = A, from the lower triangle of A; null where A is not positive definite. */
export function cholesky(a: ArrayLike<number>, size: number): Float64Array | null {
  const l = new Float64Array(size * size)
  for (let j = 0; j < size; j++) {
    let rest = a[j * size + j]!
    for (let k = 0; k < j; k++) rest -= l[j * size + k]! ** 2
    if (!(rest > 0)) return null
    const diagonal = Math.sqrt(rest)
    l[j * size + j] = diagonal
    for (let i = j + 1; i < size; i++) {
      let sum = a[i * size + j]!
      for (let k = 0; k < j; k++) sum -= l[i * size + k]! * l[j * size + k]!
      l[i * size + j] = sum / diagonal
    }
  }
  return l
}

/** A = Q R: Q is rows x rank with orthonormal columns, R is rank x columns and upper triangular. */
export interface QR {
  readonly q: Float64Array
  readonly r: Float64Array
}

/** Factors a matrix; the diagonal of R has the signs that Householder's reflections give it, as in LAPACK. */
export function factorQR(a: ArrayLike<number>, rows: number, columns: number): QR {
  const work = Float64Array.from(a)
  const rank = Math.min(rows, columns)
  const reflectors: { vector: Float64Array; scale: number }[] = []
  for (let k = 0; k < rank; k++) {
    const reflector = householder(work, rows, columns, k)
    reflectors.push(reflector)
    reflect(work, columns, k, k, reflector)
  }
  const r = new Float64Array(rank * columns)
  for (let i = 0; i < rank; i++) {
    for (let j = i; j < columns; j++) r[i * columns + j] = work[i * columns + j]!
  }
  // Q is the product of the reflections, applied backwards to the first columns of the identity.
  const q = new Float64Array(rows * rank)
  for (let i = 0; i < rank; i++) q[i * rank + i] = 1
  for (let k = rank - 1; k >= 0; k--) reflect(q, rank, k, 0, reflectors[k]!)
  return { q, r }
}

/** The reflection I - scale v v^T that clears column k below the diagonal; v begins at row k. */
function householder(
  a: Float64Array,
  rows: number,
  columns: number,
  k: number,
): { vector: Float64Array; scale: number } {
  const vector = new Float64Array(rows - k)
  let tail = 0
  for (let i = k; i < rows; i++) {
    vector[i - k] = a[i * columns + k]!
    if (i > k) tail += vector[i - k]! ** 2
  }
  // A last row, or a column that is clear already, stays as it is.
  if (tail === 0) return { vector, scale: 0 }
  const head = vector[0]!
  const length = Math.sqrt(head * head + tail)
  vector[0] = head + (head < 0 ? -length : length)
  return { vector, scale: 2 / (vector[0]! ** 2 + tail) }
}

function reflect(
  a: Float64Array,
  columns: number,
  row: number,
  column: number,
  { vector, scale }: { vector: Float64Array; scale: number },
): void {
  if (scale === 0) return
  for (let j = column; j < columns; j++) {
    let product = 0
    for (let i = 0; i < vector.length; i++) product += vector[i]! * a[(row + i) * columns + j]!
    const factor = scale * product
    for (let i = 0; i < vector.length; i++) a[(row + i) * columns + j]! -= factor * vector[i]!
  }
}
