import { expect, test } from 'vitest'
import { lowToFloat64, highToFloat64, float64ToFloat32, float32ToInt32, int32ToFloat32 } from './convert.ts'
import { float64ToInt32, highInt32ToFloat64, lowInt32ToFloat64 } from './convert.ts'
import { createHarness } from './harness.ts'
import { divide, remainder, type Rounding } from './integer.ts'
import { lanewise } from './lanewise.ts'

const lowest = -2147483648
const highest = 2147483647
const interesting = [
  0,
  1,
  -1,
  2,
  -2,
  3,
  -3,
  7,
  -7,
  10,
  46341,
  -46341,
  highest,
  lowest,
  highest - 1,
  lowest + 1,
  1e9,
  -1e9,
]

const round: Readonly<Record<Rounding, (x: number) => number>> = { trunc: Math.trunc, floor: Math.floor }

test.each(['trunc', 'floor'] as const)('integer division and remainder, %s', (rounding) => {
  const pairs = interesting.flatMap((a) => interesting.map((b): [number, number] => [a, b]))
  for (let i = 0; i < 4096; i++) pairs.push([Math.imul(i, 0x9e3779b1), Math.imul(i, 0x85ebca6b) >> (i & 31)])
  const bytes = Math.ceil(pairs.length / 4) * 16
  const harness = createHarness(2, 2, bytes, (f, [a, b]) => [
    divide(f, rounding, a!, b!),
    remainder(f, rounding, a!, b!),
  ])
  pairs.forEach(([a, b], i) => {
    harness.inputs[0]!.int32[i] = a
    harness.inputs[1]!.int32[i] = b
  })
  harness.run()
  pairs.forEach(([a, b], i) => {
    const quotient = b === 0 ? 0 : round[rounding](a / b) | 0
    expect(harness.outputs[0]!.int32[i], `${a} / ${b}`).toBe(quotient)
    expect(harness.outputs[1]!.int32[i], `${a} % ${b}`).toBe(b === 0 ? 0 : (a - Math.imul(quotient, b)) | 0)
  })
})

test('conversions keep lanes in order, truncate, saturate, and make 0 of NaN', () => {
  const values = [1.75, -1.75, NaN, 3e9, -3e9, Infinity, -Infinity, -0]
  const truncated = [1, -1, 0, highest, lowest, highest, lowest, 0]
  const harness = createHarness(1, 5, 32, (f, [x]) => {
    const low = f.let(lowToFloat64(x!))
    const high = f.let(highToFloat64(x!))
    const integers = f.let(float32ToInt32(x!))
    return [
      integers,
      float64ToInt32(low, high),
      float64ToFloat32(low, high),
      float64ToFloat32(lowInt32ToFloat64(integers), highInt32ToFloat64(integers)),
      int32ToFloat32(integers),
    ]
  })
  harness.inputs[0]!.float32.set(values)
  harness.run()
  const [direct, throughFloat64, back, widened, narrowed] = harness.outputs
  expect(Array.from(direct!.int32)).toEqual(truncated)
  expect(Array.from(throughFloat64!.int32)).toEqual(truncated)
  expect(Array.from(back!.float32)).toEqual(values.map(Math.fround))
  expect(Array.from(widened!.float32)).toEqual(truncated.map(Math.fround))
  expect(Array.from(narrowed!.float32)).toEqual(truncated.map(Math.fround))
})

test('host functions are applied lane by lane', () => {
  const float32 = createHarness(2, 1, 32, (f, [x, y]) => [lanewise(f, 'f32x4', 'atan2', x!, y!)])
  float32.inputs[0]!.float32.set([1, 2, 3, 4, 5, 6, 7, 8])
  float32.inputs[1]!.float32.set([-1, 1, -2, 2, -3, 3, -4, 4])
  float32.run()
  float32.outputs[0]!.float32.forEach((value, i) => {
    expect(value).toBe(
      Math.fround(Math.atan2(float32.inputs[0]!.float32[i]!, float32.inputs[1]!.float32[i]!)),
    )
  })
  const float64 = createHarness(1, 1, 32, (f, [x]) => [lanewise(f, 'f64x2', 'exp', x!)])
  float64.inputs[0]!.float64.set([0.1, -20, 700, -Infinity])
  float64.run()
  expect(Array.from(float64.outputs[0]!.float64)).toEqual([0.1, -20, 700, -Infinity].map(Math.exp))
})
