// Eigenvalues of general real matrices, which may be complex. Sources: Martin & Wilkinson 1968, "Similarity reduction of a
// general matrix to Hessenberg form" (elimination with pivoting); Golub & Van Loan, Matrix Computations (4th ed.), section
// 7.5 (QR steps with shifts), here with single complex shifts, so that there is one kind of step. Symmetric: jacobi.ts.

const precision = 2 ** -52
const mostStepsEach = 100

/** A square complex matrix. */
interface Complex {
  readonly size: number
  readonly real: Float64Array
  readonly imaginary: Float64Array
}

/** Eigenvalues as pairs, in ascending order of real and then of imaginary parts; null where the steps do not converge. */
export function eigenvalues(a: ArrayLike<number>, size: number): Float64Array | null {
  const h: Complex = { size, real: hessenberg(a, size), imaginary: new Float64Array(size * size) }
  let norm = 0
  for (let i = 0; i < h.real.length; i++) norm = Math.max(norm, Math.abs(h.real[i]!))
  let end = size - 1
  for (let steps = 0; end > 0;) {
    const start = activeStart(h, end)
    if (start === end) {
      end -= 1
      steps = 0
      continue
    }
    steps += 1
    if (steps > mostStepsEach) return null
    const shift = steps % 10 === 0 ? exceptionalShift(h, end) : wilkinsonShift(h, end)
    qrStep(h, start, end, shift)
  }
  const noise = 16 * size * precision * norm
  const found = Array.from({ length: size }, (_, i) => {
    const imaginary = h.imaginary[i * size + i]!
    return { real: h.real[i * size + i]!, imaginary: Math.abs(imaginary) <= noise ? 0 : imaginary }
  })
  // Real parts of a conjugate pair differ by rounding, which must not decide about their order.
  const step = Math.max(norm, Number.MIN_VALUE) * 1e-9
  found.sort((x, y) => Math.round(x.real / step) - Math.round(y.real / step) || x.imaginary - y.imaginary)
  return Float64Array.from(found.flatMap(({ real, imaginary }) => [real, imaginary]))
}

/** A similar matrix that is zero below the first subdiagonal. */
function hessenberg(matrix: ArrayLike<number>, size: number): Float64Array {
  const a = Float64Array.from(matrix)
  for (let m = 1; m < size - 1; m++) {
    let pivot = m
    for (let i = m; i < size; i++) {
      if (Math.abs(a[i * size + m - 1]!) > Math.abs(a[pivot * size + m - 1]!)) pivot = i
    }
    const head = a[pivot * size + m - 1]!
    if (head === 0) continue
    for (let j = 0; j < size && pivot !== m; j++) {
      exchange(a, pivot * size + j, m * size + j)
    }
    for (let i = 0; i < size && pivot !== m; i++) {
      exchange(a, i * size + pivot, i * size + m)
    }
    for (let i = m + 1; i < size; i++) {
      const factor = a[i * size + m - 1]! / head
      if (factor === 0) continue
      for (let j = m - 1; j < size; j++) a[i * size + j]! -= factor * a[m * size + j]!
      for (let k = 0; k < size; k++) a[k * size + m]! += factor * a[k * size + i]!
      a[i * size + m - 1] = 0
    }
  }
  return a
}

function exchange(a: Float64Array, i: number, j: number): void {
  const kept = a[i]!
  a[i] = a[j]!
  a[j] = kept
}

/** The first row of the block that ends at `end` and has no negligible subdiagonal element inside. */
function activeStart({ size, real, imaginary }: Complex, end: number): number {
  const magnitude = (i: number, j: number): number =>
    Math.hypot(real[i * size + j]!, imaginary[i * size + j]!)
  for (let k = end; k > 0; k--) {
    const neighbours = magnitude(k - 1, k - 1) + magnitude(k, k)
    if (magnitude(k, k - 1) > precision * (neighbours === 0 ? 1 : neighbours)) continue
    real[k * size + k - 1] = 0
    imaginary[k * size + k - 1] = 0
    return k
  }
  return 0
}

type Pair = readonly [number, number]

const times = ([a, b]: Pair, [c, d]: Pair): Pair => [a * c - b * d, a * d + b * c]

function rootOf([a, b]: Pair): Pair {
  const length = Math.hypot(a, b)
  const real = Math.sqrt((length + a) / 2)
  const imaginary = Math.sqrt(Math.max(0, (length - a) / 2))
  return [real, b < 0 ? -imaginary : imaginary]
}

/** The eigenvalue of the last two rows and columns that is closer to the last diagonal element. */
function wilkinsonShift({ size, real, imaginary }: Complex, end: number): Pair {
  const at = (i: number, j: number): Pair => [real[i * size + j]!, imaginary[i * size + j]!]
  const [a, b, c, d] = [at(end - 1, end - 1), at(end - 1, end), at(end, end - 1), at(end, end)]
  const half: Pair = [(a[0] - d[0]) / 2, (a[1] - d[1]) / 2]
  const square = times(half, half)
  const product = times(b, c)
  const root = rootOf([square[0] + product[0], square[1] + product[1]])
  const sign = half[0] * root[0] + half[1] * root[1] > 0 ? -1 : 1
  return [d[0] + half[0] + sign * root[0], d[1] + half[1] + sign * root[1]]
}

/** A shift from elsewhere, for blocks that a usual one leaves as they are. */
function exceptionalShift({ size, real, imaginary }: Complex, end: number): Pair {
  const place = end * size + end - 1
  const magnitude = Math.hypot(real[place]!, imaginary[place]!)
  return [real[end * size + end]! + 0.75 * magnitude, imaginary[end * size + end]! + 0.5 * magnitude]
}

/** One step H - s = Q R, H := R Q + s of the rows and columns from `start` to `end`, by Givens rotations. */
function qrStep(h: Complex, start: number, end: number, shift: Pair): void {
  const { size, real, imaginary } = h
  for (let i = start; i <= end; i++) {
    real[i * size + i]! -= shift[0]
    imaginary[i * size + i]! -= shift[1]
  }
  const rotations: { cosine: number; sine: Pair }[] = []
  for (let k = start; k < end; k++) {
    const [high, low] = [k * size + k, (k + 1) * size + k]
    const [p, q]: [Pair, Pair] = [
      [real[high]!, imaginary[high]!],
      [real[low]!, imaginary[low]!],
    ]
    const length = Math.hypot(p[0], p[1], q[0], q[1])
    const first = Math.hypot(p[0], p[1])
    // The rotation [[c, s], [-conj(s), c]] with real c takes (p, q) to (length in the direction of p, 0).
    const direction: Pair = first === 0 ? [1, 0] : [p[0] / first, p[1] / first]
    const turned = times(direction, [q[0], -q[1]])
    const rotation = {
      cosine: length === 0 ? 1 : first / length,
      sine: (length === 0 ? [0, 0] : [turned[0] / length, turned[1] / length]) as Pair,
    }
    rotations.push(rotation)
    for (let j = k; j <= end; j++) rotate(h, k * size + j, (k + 1) * size + j, rotation, false)
  }
  rotations.forEach((rotation, i) => {
    const k = start + i
    for (let row = start; row <= Math.min(k + 1, end); row++) {
      rotate(h, row * size + k, row * size + k + 1, rotation, true)
    }
  })
  for (let i = start; i <= end; i++) {
    real[i * size + i]! += shift[0]
    imaginary[i * size + i]! += shift[1]
  }
}

/** Applies a rotation to two elements from the left, or its conjugate transpose from the right. */
function rotate(
  { real, imaginary }: Complex,
  first: number,
  second: number,
  { cosine, sine }: { readonly cosine: number; readonly sine: Pair },
  fromRight: boolean,
): void {
  const x: Pair = [real[first]!, imaginary[first]!]
  const y: Pair = [real[second]!, imaginary[second]!]
  const conjugate: Pair = [sine[0], -sine[1]]
  const added = times(fromRight ? conjugate : sine, y)
  const taken = times(fromRight ? sine : conjugate, x)
  real[first] = cosine * x[0] + added[0]
  imaginary[first] = cosine * x[1] + added[1]
  real[second] = cosine * y[0] - taken[0]
  imaginary[second] = cosine * y[1] - taken[1]
}
