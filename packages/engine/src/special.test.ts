// Values to 16 digits were computed with 25 digits of precision and agree with the tables of Abramowitz & Stegun
// (table 7.1 for erf, 6.1 and 6.2 for the gamma family, 9.8 for I0) where those reach.
import { expect, test } from 'vitest'
import { digamma, erf, erfInverse, i0, lgamma, roundHalfToEven } from './special.ts'

type Row = readonly [x: number, value: number]

/** Compares with known values, relatively, or absolutely where a value is small. */
function expectValues(fn: (x: number) => number, rows: readonly Row[], tolerance: number): void {
  for (const [x, value] of rows) {
    const error = Math.abs(fn(x) - value) / Math.max(Math.abs(value), tolerance)
    expect.soft(error, `at ${x}: ${fn(x)} instead of ${value}`).toBeLessThan(tolerance)
  }
}

test('erf: known values, odd symmetry, ends', () => {
  const rows: Row[] = [
    [1e-300, 1.1283791670955126e-300],
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [2.4999, 0.9995928300996665],
    [2.5, 0.999593047982555],
    [3, 0.9999779095030014],
    [5, 0.9999999999984626],
  ]
  expectValues(erf, rows, 2e-15)
  for (const [x] of rows) expect(erf(-x)).toBe(-erf(x))
  expect([erf(0), erf(-0), erf(Infinity), erf(-Infinity), erf(NaN), erf(30)]).toEqual([0, -0, 1, -1, NaN, 1])
})

test('erfInverse: known values up to the last number below 1, ends, and back again', () => {
  expectValues(
    erfInverse,
    [
      [1e-10, 8.862269254527581e-11],
      [0.1, 0.08885599049425769],
      [0.5, 0.4769362762044699],
      [0.9, 1.1630871536766743],
      [0.99, 1.8213863677184496],
      [0.999999, 3.4589107372793055],
      [1 - 2 ** -53, 5.863584748755168],
      [-0.5, -0.4769362762044699],
    ],
    5e-11,
  )
  for (let y = -0.999; y < 1; y += 0.0371) expect(erf(erfInverse(y))).toBeCloseTo(y, 14)
  expect([0, 1, -1, 1.5, NaN].map(erfInverse)).toEqual([0, Infinity, -Infinity, NaN, NaN])
})

test('lgamma: known values on both sides of zero, poles, ends', () => {
  expectValues(
    lgamma,
    [
      [1e-5, 11.512919692895826],
      [0.1, 2.252712651734206],
      [0.5, 0.5723649429247001],
      [1.5, -0.12078223763524522],
      [2.5, 0.2846828704729192],
      [3, Math.log(2)],
      [10.5, 13.940625219403763],
      [100, 359.1342053695754],
      [1e6, 12815504.569147611],
      [-0.5, 1.2655121234846454],
      [-1.5, 0.860047015376481],
      [-10.3, -14.457515440024208],
    ],
    2e-13,
  )
  expect(lgamma(1)).toBeCloseTo(0, 14)
  expect(lgamma(2)).toBeCloseTo(0, 14)
  expect([0, -0, -1, -7, Infinity, -Infinity].map(lgamma)).toEqual(Array.from({ length: 6 }, () => Infinity))
  expect(lgamma(NaN)).toBeNaN()
})

test('digamma: known values, reflection, poles, ends', () => {
  expectValues(
    digamma,
    [
      [1e-3, -1000.5755719318103],
      [0.1, -10.423754940411076],
      [0.5, -1.9635100260214235],
      [1, -0.5772156649015329],
      [2, 0.4227843350984671],
      [5.5, 1.6110931485817512],
      [10, 2.251752589066721],
      [100, 4.600161852738087],
      [-0.5, 0.03648997397857652],
      [-1.5, 0.7031566406452432],
      [-10.3, 4.662403493582087],
    ],
    2e-13,
  )
  expect([0, -0, -3, Infinity, NaN].map(digamma)).toEqual([-Infinity, Infinity, NaN, Infinity, NaN])
})

test('i0: known values of both expansions, up to where it overflows', () => {
  const rows: Row[] = [
    [0.5, 1.0634833707413236],
    [1, 1.2660658777520084],
    [5, 27.239871823604442],
    [10, 2815.7166284662544],
    [29.9, 708478330489.0146],
    [30.1, 862432920031.7792],
    [100, 1.0737517071310738e42],
    [700, 1.5295933476718737e302],
    [712, 2.468411057762752e307],
  ]
  expectValues(i0, rows, 1e-13)
  for (const [x] of rows) expect(i0(-x)).toBe(i0(x))
  expect([0, 800, Infinity, -Infinity, NaN].map(i0)).toEqual([1, Infinity, Infinity, Infinity, NaN])
})

test('roundHalfToEven: halves go to the even neighbour, zeros keep their sign', () => {
  const cases: Row[] = [
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [3.5, 4],
    [-0.5, -0],
    [-1.5, -2],
    [-2.5, -2],
    [0.49999999999999994, 0],
    [-0.2, -0],
    [-0.7, -1],
    [2.4, 2],
    [2.6, 3],
    [0, 0],
    [-0, -0],
    [4503599627370495.5, 4503599627370496],
    [9007199254740991, 9007199254740991],
    [Infinity, Infinity],
    [-Infinity, -Infinity],
    [NaN, NaN],
  ]
  expect(cases.map(([x]) => roundHalfToEven(x))).toEqual(cases.map(([, rounded]) => rounded))
})
