import { expect, test } from 'vitest'
import { int32References, scalarFunctions, type ScalarFunction } from './scalar.ts'

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number

/** What a function gives for its operands. */
function apply(fn: ScalarFunction, a: number, b = 0, c = 0): number {
  return scalarFunctions[fn].reference(a, b, c)
}

test('max and min: NaN wins on either side', () => {
  expect([apply('max', 1, nan), apply('max', nan, 1), apply('max', 1, 2), apply('max', 2, 1)]).toEqual([
    nan,
    nan,
    2,
    2,
  ])
  expect([apply('min', 1, nan), apply('min', nan, 1), apply('min', 1, 2), apply('min', 2, 1)]).toEqual([
    nan,
    nan,
    1,
    1,
  ])
})

test('pow: the special cases of IEEE 754', () => {
  expect([
    apply('pow', nan, 0),
    apply('pow', 1, nan),
    apply('pow', 1, infinity),
    apply('pow', -1, -infinity),
  ]).toEqual([1, 1, 1, 1])
  expect([apply('pow', -2, 3), apply('pow', -2, 0.5), apply('pow', 0, -1)]).toEqual([-8, nan, infinity])
})

test('floorDivide and remainder belong together, as in Python', () => {
  expect([apply('floorDivide', 7, -2), apply('remainder', 7, -2), apply('fmod', 7, -2)]).toEqual([-4, -1, 1])
  expect([apply('floorDivide', -7, 2), apply('remainder', -7, 2), apply('fmod', -7, 2)]).toEqual([-4, 1, -1])
  // 1 / 0.1 rounds up to 10, but ten times the double next to 0.1 is more than 1.
  expect([apply('floorDivide', 1, 0.1), apply('floorDivide', 6, 0.1)]).toEqual([9, 59])
  expect([apply('floorDivide', 1, 0), apply('floorDivide', -1, 0), apply('floorDivide', 0, 0)]).toEqual([
    infinity,
    -infinity,
    nan,
  ])
  expect([apply('floorDivide', -5, infinity), apply('remainder', 5, nan)]).toEqual([-1, nan])
  for (let i = 1; i <= 400; i++) {
    const a = ((i * 37) % 101) - 50.25
    const b = ((i * 53) % 97) / 10 - 4.85
    const whole = b * apply('floorDivide', a, b) + apply('remainder', a, b)
    expect(whole).toBeCloseTo(a, 12)
    expect(Math.abs(apply('remainder', a, b))).toBeLessThanOrEqual(Math.abs(b))
  }
})

test('comparisons are false where a NaN takes part, except `ne`', () => {
  const results = (['eq', 'lt', 'le', 'gt', 'ge', 'ne'] as const).map((fn) => apply(fn, nan, nan))
  expect(results).toEqual([0, 0, 0, 0, 0, 1])
  expect((['eq', 'lt', 'le', 'gt', 'ge', 'ne'] as const).map((fn) => apply(fn, 1, 2))).toEqual([
    0, 1, 1, 0, 0, 1,
  ])
})

test('sign, copysign and where treat NaN and negative zero as IEEE 754 does', () => {
  expect([apply('sign', -3), apply('sign', 0), apply('sign', 9), apply('sign', nan)]).toEqual([-1, 0, 1, nan])
  expect([apply('copysign', 3, -0), apply('copysign', -3, 0), apply('copysign', 2, -5)]).toEqual([-3, 3, -2])
  expect([apply('where', 1, 2, 3), apply('where', 0, 2, 3)]).toEqual([2, 3])
})

test('sigmoid does not overflow at either end', () => {
  expect([apply('sigmoid', -1000), apply('sigmoid', 0), apply('sigmoid', 1000)]).toEqual([0, 0.5, 1])
})

test('int32: every function gives a 32-bit integer for 32-bit integers', () => {
  const samples = [0, 1, -1, 2, -7, 31, 46341, 65536, 2147483647, -2147483648]
  for (const [name, reference] of Object.entries(int32References)) {
    for (const a of samples) {
      for (const b of samples) {
        const value = reference(a, b, a)
        expect(value, `${name}(${a}, ${b})`).toBe(value | 0)
      }
    }
  }
})

test('int32: products and powers are exact modulo 2^32', () => {
  const samples = [0, 1, -1, 3, -5, 46341, 1103515245, 2147483647, -2147483648]
  for (const a of samples) {
    for (const b of samples) {
      const product = Number(BigInt.asIntN(32, BigInt(a) * BigInt(b)))
      expect(int32References.mul(a, b, 0)).toBe(product)
    }
    expect(int32References.square(a, 0, 0)).toBe(Number(BigInt.asIntN(32, BigInt(a) ** 2n)))
    for (const exponent of [0, 1, 2, 5, 31, 64, 101]) {
      const exact = Number(BigInt.asIntN(32, BigInt(a) ** BigInt(exponent)))
      expect(int32References.pow(a, exponent, 0), `${a} ** ${exponent}`).toBe(exact)
    }
  }
  expect([
    int32References.pow(1, -3, 0),
    int32References.pow(-1, -3, 0),
    int32References.pow(2, -1, 0),
  ]).toEqual([1, -1, 0])
})
