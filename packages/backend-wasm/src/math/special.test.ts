// Exact results where IEEE 754 demands them: zeros and their signs, infinities, NaN, and whole numbers that must stay
// whole. Accuracy everywhere else is accuracy.test.ts.
import { expect, test } from 'vitest'
import { expNeg } from './exp.ts'
import { float32Functions } from './float32.ts'
import { createHarness } from './harness.ts'

type Write = (typeof float32Functions)[keyof typeof float32Functions]

// Each value is tried in every lane, among neighbours that take the ordinary path.
function evaluate(write: Write, ...operands: number[]): number {
  const harness = createHarness(operands.length, 1, 64, (f, inputs) => [write!(f, ...inputs)])
  operands.forEach((operand, i) => {
    const column = harness.inputs[i]!.float32
    column.fill(0.75)
    for (let lane = 0; lane < 4; lane++) column[5 * lane] = operand
  })
  harness.run()
  const results = harness.outputs[0]!.float32
  for (let lane = 1; lane < 4; lane++) expect(results[5 * lane]).toBe(results[0])
  return results[0]!
}

const inf = Infinity
const halfPi = Math.fround(Math.PI / 2)

const unary: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  exp: [
    [0, 1],
    [-0, 1],
    [inf, inf],
    [-inf, 0],
    [NaN, NaN],
    [89, inf],
    [-88, 0],
    [3e38, inf],
    [-3e38, 0],
    [1e-45, 1],
  ],
  exp2: [
    [0, 1],
    [-0, 1],
    [inf, inf],
    [-inf, 0],
    [NaN, NaN],
    [127, 2 ** 127],
    [-126, 2 ** -126],
    [10, 1024],
    [128, inf],
    [-127, 0],
  ],
  expm1: [
    [0, 0],
    [-0, -0],
    [inf, inf],
    [-inf, -1],
    [NaN, NaN],
    [1e-45, 1e-45],
    [-1e-30, -1e-30],
    [-50, -1],
    [90, inf],
  ],
  sigmoid: [
    [0, 0.5],
    [-0, 0.5],
    [inf, 1],
    [-inf, 0],
    [NaN, NaN],
    [40, 1],
    [-200, 0],
  ],
  log: [
    [1, 0],
    [0, -inf],
    [-0, -inf],
    [inf, inf],
    [-inf, NaN],
    [-1, NaN],
    [NaN, NaN],
    [-1e-45, NaN],
  ],
  log2: [
    [1, 0],
    [0, -inf],
    [-0, -inf],
    [inf, inf],
    [-1, NaN],
    [NaN, NaN],
    [8, 3],
    [2 ** -126, -126],
    [2 ** -149, -149],
    [2 ** 127, 127],
  ],
  log10: [
    [1, 0],
    [0, -inf],
    [-0, -inf],
    [inf, inf],
    [-1, NaN],
    [NaN, NaN],
  ],
  log1p: [
    [0, 0],
    [-0, -0],
    [-1, -inf],
    [-2, NaN],
    [inf, inf],
    [-inf, NaN],
    [NaN, NaN],
    [1e-45, 1e-45],
    [-1e-30, -1e-30],
  ],
  sin: [
    [0, 0],
    [-0, -0],
    [inf, NaN],
    [-inf, NaN],
    [NaN, NaN],
    [1e-45, 1e-45],
    [-1e-30, -1e-30],
    [1e10, Math.sin(1e10)],
    [halfPi, 1],
  ],
  cos: [
    [0, 1],
    [-0, 1],
    [inf, NaN],
    [-inf, NaN],
    [NaN, NaN],
    [1e-45, 1],
    [-1e10, Math.cos(1e10)],
  ],
  tan: [
    [0, 0],
    [-0, -0],
    [inf, NaN],
    [-inf, NaN],
    [NaN, NaN],
    [-1e-30, -1e-30],
    [1e10, Math.tan(1e10)],
  ],
  sinh: [
    [0, 0],
    [-0, -0],
    [inf, inf],
    [-inf, -inf],
    [NaN, NaN],
    [-1e-30, -1e-30],
    [90, inf],
    [-90, -inf],
  ],
  cosh: [
    [0, 1],
    [-0, 1],
    [inf, inf],
    [-inf, inf],
    [NaN, NaN],
    [90, inf],
  ],
  tanh: [
    [0, 0],
    [-0, -0],
    [inf, 1],
    [-inf, -1],
    [NaN, NaN],
    [1e-45, 1e-45],
    [-1e-30, -1e-30],
    [20, 1],
  ],
  erf: [
    [0, 0],
    [-0, -0],
    [inf, 1],
    [-inf, -1],
    [NaN, NaN],
    [1e-45, 1e-45],
    [5, 1],
    [-5, -1],
  ],
  sqrt: [
    [0, 0],
    [-0, -0],
    [inf, inf],
    [-1, NaN],
    [-inf, NaN],
    [NaN, NaN],
    [4, 2],
  ],
  rsqrt: [
    [0, inf],
    [-0, -inf],
    [inf, 0],
    [-1, NaN],
    [NaN, NaN],
    [0.25, 2],
  ],
}

test('the table names every function of one operand', () => {
  expect([...Object.keys(unary), 'pow'].sort()).toEqual(Object.keys(float32Functions).sort())
})

test.each(Object.entries(unary))('%s', (name, rows) => {
  const write = float32Functions[name as keyof typeof float32Functions]
  for (const [x, expected] of rows) {
    expect(evaluate(write, x), `${name}(${Object.is(x, -0) ? '-0' : x})`).toBe(Math.fround(expected))
  }
})

test('expNeg', () => {
  for (const [x, expected] of [
    [0, 1],
    [-0, 1],
    [-inf, 0],
    [NaN, NaN],
    [-88, 0],
    [-1e-45, 1],
  ] as const) {
    expect(evaluate(expNeg, x), `expNeg(${x})`).toBe(expected)
  }
})

// C99 annex F.9.4.4.
test('pow', () => {
  const rows: readonly (readonly [number, number, number])[] = [
    [0, 2, 0],
    [-0, 2, 0],
    [-0, 3, -0],
    [0, -1, inf],
    [-0, -1, -inf],
    [-0, -2, inf],
    [0, 0, 1],
    [-0, 0, 1],
    [inf, 2, inf],
    [inf, -2, 0],
    [-inf, 3, -inf],
    [-inf, 2, inf],
    [-inf, -3, -0],
    [inf, 0, 1],
    [NaN, 0, 1],
    [NaN, 1, NaN],
    [2, NaN, NaN],
    [1, NaN, 1],
    [1, inf, 1],
    [1, -inf, 1],
    [-1, inf, 1],
    [-1, -inf, 1],
    [0.5, inf, 0],
    [0.5, -inf, inf],
    [2, inf, inf],
    [2, -inf, 0],
    [-2, inf, inf],
    [-0.5, inf, 0],
    [-2, 3, -8],
    [-2, 2, 4],
    [-8, 0.5, NaN],
    [-1, 1e10, 1],
    [3, 4, 81],
    [2, -126, 2 ** -126],
    [2, 127, 2 ** 127],
    [1e-40, 0.5, Math.sqrt(Math.fround(1e-40))],
    [2, 128, inf],
    [2, -150, 0],
    [10, 0, 1],
    [10, 1, 10],
  ]
  for (const [x, y, expected] of rows) {
    expect(evaluate(float32Functions.pow, x, y), `pow(${x}, ${y})`).toBe(Math.fround(expected))
  }
})
