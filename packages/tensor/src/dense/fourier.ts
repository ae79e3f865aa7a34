// The discrete Fourier transform of float64 sequences, in n log n for every length. Sources: Cooley & Tukey 1965, "An
// algorithm for the machine calculation of complex Fourier series" (powers of two); Bluestein 1970, "A linear filtering
// approach to the computation of discrete Fourier transform" (all other lengths). Complex numbers lie as pairs.

/** Transforms one sequence of `length` complex numbers in place: X[k] = sum of x[j] exp(-2 pi i j k / n), unscaled. */
export type Transform = (pairs: Float64Array, start: number) => void

/** The transform for sequences of a length; `inverse` takes the exponent positive (and divides by nothing). */
export function transformOf(length: number, inverse: boolean): Transform {
  const sign = inverse ? 1 : -1
  if (length <= 1) return () => {}
  return (length & (length - 1)) === 0 ? powerOfTwo(length, sign) : chirp(length, sign)
}

interface Circle {
  readonly cosines: Float64Array
  readonly sines: Float64Array
}

// The tables of the last few lengths: programs transform many signals of the same one.
const circles = new Map<number, Circle>()
const mostCircles = 8

/** cos and sin of the first half of a circle divided into `length` parts. */
function circleOf(length: number): Circle {
  const known = circles.get(length)
  if (known !== undefined) return known
  const cosines = Float64Array.from({ length: length / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / length))
  const sines = Float64Array.from({ length: length / 2 }, (_, k) => Math.sin((2 * Math.PI * k) / length))
  const circle = { cosines, sines }
  if (circles.size >= mostCircles) circles.delete(circles.keys().next().value!)
  circles.set(length, circle)
  return circle
}

function powerOfTwo(length: number, sign: number): Transform {
  const { cosines, sines } = circleOf(length)
  return (x, start) => {
    reverseBits(x, start, length)
    for (let half = 1; half < length; half *= 2) {
      const stride = length / (2 * half)
      for (let block = 0; block < length; block += 2 * half) {
        for (let k = 0; k < half; k++) {
          const low = start + 2 * (block + k)
          const high = low + 2 * half
          const cosine = cosines[k * stride]!
          const sine = sign * sines[k * stride]!
          const real = x[high]! * cosine - x[high + 1]! * sine
          const imaginary = x[high]! * sine + x[high + 1]! * cosine
          x[high] = x[low]! - real
          x[high + 1] = x[low + 1]! - imaginary
          x[low]! += real
          x[low + 1]! += imaginary
        }
      }
    }
  }
}

function reverseBits(x: Float64Array, start: number, length: number): void {
  for (let i = 1, j = 0; i < length; i++) {
    let bit = length >> 1
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit
    j ^= bit
    if (i >= j) continue
    for (let part = 0; part < 2; part++) {
      const kept = x[start + 2 * i + part]!
      x[start + 2 * i + part] = x[start + 2 * j + part]!
      x[start + 2 * j + part] = kept
    }
  }
}

// Bluestein: j k = (j^2 + k^2 - (k - j)^2) / 2 turns the transform into a convolution with a chirp, which is done by
// transforms of a power of two.
function chirp(length: number, sign: number): Transform {
  let size = 1
  while (size < 2 * length - 1) size *= 2
  const forward = powerOfTwo(size, -1)
  const backward = powerOfTwo(size, 1)
  const chirps = new Float64Array(2 * length)
  for (let k = 0; k < length; k++) {
    // k^2 modulo 2n keeps the angle small, and so exact.
    const angle = (Math.PI * ((k * k) % (2 * length))) / length
    chirps[2 * k] = Math.cos(angle)
    chirps[2 * k + 1] = sign * Math.sin(angle)
  }
  const filter = new Float64Array(2 * size)
  for (let k = 0; k < length; k++) {
    for (const place of k === 0 ? [0] : [k, size - k]) {
      filter[2 * place] = chirps[2 * k]!
      filter[2 * place + 1] = -chirps[2 * k + 1]!
    }
  }
  forward(filter, 0)
  return (x, start) => {
    const work = new Float64Array(2 * size)
    for (let k = 0; k < length; k++) multiply(work, 2 * k, x, start + 2 * k, chirps, 2 * k, 1)
    forward(work, 0)
    for (let k = 0; k < size; k++) multiply(work, 2 * k, work, 2 * k, filter, 2 * k, 1)
    backward(work, 0)
    for (let k = 0; k < length; k++) multiply(x, start + 2 * k, work, 2 * k, chirps, 2 * k, 1 / size)
  }
}

function multiply(
  target: Float64Array,
  at: number,
  a: Float64Array,
  i: number,
  b: Float64Array,
  j: number,
  scale: number,
): void {
  const real = a[i]! * b[j]! - a[i + 1]! * b[j + 1]!
  const imaginary = a[i]! * b[j + 1]! + a[i + 1]! * b[j]!
  target[at] = real * scale
  target[at + 1] = imaginary * scale
}
