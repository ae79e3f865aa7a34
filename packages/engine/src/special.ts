// Special functions in float64, for the interpreter and for backends without a fast form: error function and its
// inverse, gamma family, Bessel I0. Sources are named at each. Not a numerics library: only what scalar.ts needs.

/** Nearest integer, halves to the even one (IEEE 754 roundTiesToEven). */
export function roundHalfToEven(x: number): number {
  const floor = Math.floor(x)
  const fraction = x - floor
  if (fraction < 0.5) return floor === 0 && (x < 0 || Object.is(x, -0)) ? -0 : floor
  if (fraction > 0.5) return floor + 1 === 0 ? -0 : floor + 1
  return floor % 2 === 0 ? floor : floor + 1 === 0 ? -0 : floor + 1
}

/**
 * Error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x. Abramowitz & Stegun 7.1.6 (a series of
 * positive terms) below 2.5, the continued fraction 7.1.14 of erfc above; both to the last bits of a double.
 */
export function erf(x: number): number {
  const magnitude = Math.abs(x)
  if (magnitude !== magnitude) return x
  if (magnitude < 2.5) return erfSeries(x)
  return Math.sign(x) * (1 - erfcFraction(magnitude))
}

function erfSeries(x: number): number {
  const square = x * x
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * square) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-square) * sum
}

function erfcFraction(x: number): number {
  if (x > 27) return 0
  let fraction = 0
  for (let k = 60; k >= 1; k--) fraction = k / 2 / (x + fraction)
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction)
}

/**
 * Inverse of the error function on (-1, 1): Giles 2010 as a start, then Halley's method to full precision. Two steps do
 * but at the very ends, where the start is no more than near.
 */
export function erfInverse(y: number): number {
  if (y !== y || y < -1 || y > 1) return NaN
  if (y === 1 || y === -1) return y * Infinity
  if (y === 0) return y
  const w = -Math.log((1 - y) * (1 + y))
  let x: number
  if (w < 5) {
    const t = w - 2.5
    const p = [
      2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503,
      -0.00417768164, 0.246640727, 1.50140941,
    ]
    x = y * p.reduce((sum, c) => sum * t + c, 0)
  } else {
    const t = Math.sqrt(w) - 3
    const p = [
      -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
      0.00943887047, 1.00167406, 2.83297682,
    ]
    x = y * p.reduce((sum, c) => sum * t + c, 0)
  }
  for (let i = 0; i < 8; i++) {
    // Where y is near 1, 1 - erf(x) cancels; the complement keeps its digits.
    const error =
      Math.abs(x) < 2.5 ? erf(x) - y : Math.sign(x) * (1 - Math.abs(y) - erfcFraction(Math.abs(x)))
    const slope = (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x)
    const newton = error / slope
    const step = newton / (1 + x * newton)
    x -= step
    if (Math.abs(step) < 1e-9 * Math.abs(x)) break
  }
  return x
}

// Lanczos approximation, g = 7, n = 9 (coefficients by P. Godfrey, 2001).
const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

/** Logarithm of the absolute value of the gamma function. */
export function lgamma(x: number): number {
  if (x !== x) return x
  if (x === Infinity || x === -Infinity) return Infinity
  if (x <= 0 && Number.isInteger(x)) return Infinity
  // Reflection. The sine repeats, and is exact only when its argument is small: hence the fraction.
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * (x - Math.round(x))))) - lgamma(1 - x)
  const shifted = x - 1
  const t = shifted + 7.5
  const sum = lanczos.reduce((total, c, i) => (i === 0 ? c : total + c / (shifted + i)), 0)
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum)
}

/** Derivative of lgamma: recurrence up to 10, then the asymptotic series (Abramowitz & Stegun 6.3.18). */
export function digamma(x: number): number {
  if (x === 0) return Object.is(x, -0) ? Infinity : -Infinity
  if (x < 0 && Number.isInteger(x)) return NaN
  if (x < 0) return digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x - Math.round(x)))
  let shifted = x
  let result = 0
  while (shifted < 10) {
    result -= 1 / shifted
    shifted += 1
  }
  const r = 1 / (shifted * shifted)
  const series =
    r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132 - (r * 691) / 32760)))))
  return result + Math.log(shifted) - 0.5 / shifted - series
}

/** Modified Bessel function of the first kind, order 0: its power series (all terms positive). */
export function i0(x: number): number {
  const magnitude = Math.abs(x)
  if (magnitude > 30) {
    // Asymptotic expansion, Abramowitz & Stegun 9.7.1.
    if (magnitude === Infinity) return Infinity
    let term = 1
    let sum = 1
    for (let k = 1; k < 30; k++) {
      const next = (term * (2 * k - 1) ** 2) / (k * 8 * magnitude)
      if (next > term) break
      term = next
      sum += term
    }
    // In two halves: the exponential overflows before the quotient does.
    const root = Math.exp(magnitude / 2)
    return (root / Math.sqrt(2 * Math.PI * magnitude)) * sum * root
  }
  const quarter = (x * x) / 4
  let term = 1
  let sum = 1
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= quarter / (k * k)
    sum += term
  }
  return sum
}
