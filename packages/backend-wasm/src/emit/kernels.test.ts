// The kernels of training, generated and compared with the interpreter; and the corners of the form: tails of every length,
// empty and short axes, strides of every kind, several outputs.
import { call, cast, type DType, type Expr, type ReduceFunction } from '@nabla/engine'
import { expect, test } from 'vitest'
import { backendUnderTest, firstDifference } from '../testing/compare.ts'
import { LaunchBuilder, rowMajor, runLaunch, wave } from '../testing/launches.ts'
import { addTransposed, chain, columnSums, namedKernels, softmax } from '../testing/kernels.ts'

const dtypes: readonly DType[] = ['float32', 'float64', 'int32', 'bool']
const reductions: readonly ReduceFunction[] = ['sum', 'prod', 'max', 'min']

for (const [name, launch] of Object.entries(namedKernels())) {
  test(`${name} agrees with the interpreter`, async () => {
    expect(await firstDifference(launch, 5e-6)).toBeNull()
  })
}

test('tails of every length, in rows, columns and flat maps', async () => {
  for (let length = 1; length <= 40; length++) {
    expect(await firstDifference(softmax(3, length), 5e-6)).toBeNull()
    expect(await firstDifference(columnSums(3, length), 5e-6)).toBeNull()
    expect(await firstDifference(chain(length), 5e-6)).toBeNull()
    expect(await firstDifference(addTransposed(2, 7, length), 5e-6)).toBeNull()
    expect(await firstDifference(addTransposed(1, length, 9), 5e-6)).toBeNull()
  }
})

test('reductions over nothing give the identity', async () => {
  for (const dtype of dtypes) {
    for (const fn of reductions) {
      for (const inner of [[0], [0, 3], [3, 0]]) {
        const b = new LaunchBuilder([5], inner)
        const x = b.input(dtype, [1, 2, 3, 4, 5], { strides: [1, ...inner.map(() => 1)] })
        b.row(b.output(dtype, 5, { strides: [1, ...inner.map(() => 0)] }), b.reduce(fn, x))
        expect(await firstDifference(b.build(), 0), `${fn} of ${dtype} over [${inner.join()}]`).toBeNull()
      }
    }
  }
})

test('an empty outer axis writes nothing', async () => {
  const b = new LaunchBuilder([0], [4])
  const x = b.input('float32', [1, 2, 3, 4], { strides: [4, 1] })
  b.element(b.output('float32', 4, { strides: [4, 1] }), call('neg', x))
  expect(await firstDifference(b.build(), 0)).toBeNull()
})

test('a kernel without axes computes one element', async () => {
  const b = new LaunchBuilder([], [])
  const x = b.input('float32', [3, 8], { strides: [], offset: 1 })
  b.element(b.output('float32', 3, { strides: [] }), call('mul', x, b.number('float32', 2)))
  b.row(b.output('float32', 3, { strides: [], offset: 2 }), call('add', b.reduce('sum', x), x))
  expect(await firstDifference(b.build(), 0)).toBeNull()
})

test('outer axes without inner ones, with and without stages', async () => {
  for (const size of [1, 3, 4, 9, 34]) {
    const map = new LaunchBuilder([2, size], [])
    const x = map.input('float32', wave(2 * size), { strides: [size, 1] })
    map.row(map.output('float32', 2 * size + 3, { strides: [1, 2] }), call('exp', x))
    expect(await firstDifference(map.build(), 1e-6)).toBeNull()

    const reduce = new LaunchBuilder([2, size], [])
    const z = reduce.input('float32', wave(2 * size), { strides: [size, 1] })
    const sum = reduce.reduce('sum', z)
    reduce.row(reduce.output('float32', 2 * size + 3, { strides: [size, 1] }), call('mul', sum, z))
    expect(await firstDifference(reduce.build(), 1e-6)).toBeNull()
  }
})

test('strided, reversed, transposed and unclassified accesses', async () => {
  const [rows, columns] = [7, 10]
  const places = [
    { strides: [columns, 1] },
    { strides: [2 * columns, 2] },
    { strides: [-columns, 1], offset: (rows - 1) * columns },
    { strides: [columns, -1], offset: columns - 1 },
    { strides: [1, rows] },
    { strides: [-1, -rows], offset: rows * columns - 1 },
    { strides: [0, 3] },
    { strides: [1, 1] },
  ]
  for (const from of places) {
    for (const to of places.filter(({ strides }) => !strides.includes(0) && strides[0] !== strides[1])) {
      for (const classified of [true, false]) {
        const map = new LaunchBuilder([rows], [columns])
        const x = map.input('float32', wave(300), from)
        map.element(map.output('float32', 300, to), call('add', x, 1))
        expect(await firstDifference(map.build(classified ? undefined : () => 's'), 0)).toBeNull()

        const reduce = new LaunchBuilder([rows], [columns])
        const z = reduce.input('float32', wave(300), from)
        const maximum = reduce.reduce('max', z)
        reduce.element(reduce.output('float32', 300, to), call('sub', z, maximum))
        reduce.row(reduce.output('float32', 30, { strides: [3, 0] }), maximum)
        expect(await firstDifference(reduce.build(classified ? undefined : () => 's'), 0)).toBeNull()
      }
    }
  }
})

test('casts between all types', async () => {
  const special = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -7.75, 1e10, -1e10, Infinity, -Infinity, NaN, 2 ** 31]
  for (const from of dtypes) {
    for (const to of dtypes) {
      const data =
        from === 'int32' || from === 'bool' ? [0, 1, -1, 5, 2 ** 31 - 1, -(2 ** 31), 0, 77, 3] : special
      const b = new LaunchBuilder([], [data.length])
      const x = b.input(from, data, { strides: [1] })
      b.element(b.output(to, data.length, { strides: [1] }), cast(x, to))
      // A conversion in a register and back, beside the one on the way to memory.
      b.element(b.output(from, data.length, { strides: [1] }), cast(cast(x, to), from))
      expect(await firstDifference(b.build(), 0), `${from} to ${to}`).toBeNull()
    }
  }
})

test('every reduction of every type, rows and columns', async () => {
  for (const dtype of dtypes) {
    for (const fn of reductions) {
      for (const strides of [
        [9, 1],
        [1, 4],
        [-1, 5],
      ]) {
        const data =
          dtype === 'bool' ? wave(50).map((v) => (v > 0 ? 1 : 0)) : wave(50, dtype === 'int32' ? 1e9 : 2)
        const b = new LaunchBuilder([4], [9])
        const x = b.input(dtype, data, { strides, offset: strides[0]! < 0 ? 3 : 0 })
        b.row(b.output(dtype, 5, { strides: [1, 0] }), b.reduce(fn, x))
        expect(
          await firstDifference(b.build(), 1e-5),
          `${fn} of ${dtype}, strides ${strides.join()}`,
        ).toBeNull()
      }
    }
  }
})

test('a NaN anywhere in a row is its maximum and its minimum', async () => {
  for (let at = 0; at < 23; at++) {
    for (const dtype of ['float32', 'float64'] as const) {
      const b = new LaunchBuilder([1], [23])
      const x = b.input(
        dtype,
        wave(23).map((v, i) => (i === at ? NaN : v)),
        { strides: [23, 1] },
      )
      for (const fn of ['max', 'min'] as const)
        b.row(b.output(dtype, 1, { strides: [1, 0] }), b.reduce(fn, x))
      const [, maximum, minimum] = await runLaunch(backendUnderTest(), b.build())
      expect([maximum![0], minimum![0]]).toEqual([NaN, NaN])
    }
  }
})

test('a reduction of everything, over three axes in an odd order', async () => {
  const b = new LaunchBuilder([], [3, 5, 7])
  const [a, c, d] = rowMajor(7, 3, 5)
  const x = b.input('float32', wave(105), { strides: [c!, d!, a!] })
  b.row(b.output('float32', 1, { strides: [0, 0, 0] }), b.reduce('sum', x))
  expect(await firstDifference(b.build(), 5e-6)).toBeNull()
})

test('a stash is read by later stages and stores, whether loads say so or not', async () => {
  // Where all axes have size 1, nothing but the order of the passes tells when a stash may be read.
  for (const [rows, columns] of [
    [5, 11],
    [3, 1],
    [1, 1],
  ] as const) {
    for (const explicit of [true, false]) {
      const b = new LaunchBuilder([rows], [columns])
      const x = b.input('float32', wave(55, 3, 1), { strides: [columns, 1] })
      const y = b.output('float32', 55, { strides: [columns, 1] })
      const value = call('sin', x)
      const sum = b.reduce('sum', value, y)
      const kept: Expr = explicit ? { kind: 'load', arg: y, dtype: 'float32' } : value
      const squares = b.reduce('sum', call('square', kept))
      b.element(y, call('div', call('sub', kept, call('mul', sum, 2)), call('sqrt', squares)))
      expect(await firstDifference(b.build(), 1e-5), `${rows} x ${columns}`).toBeNull()
    }
  }
})

test('a result of a row reads its input before a result of the elements is written over it', async () => {
  for (const inner of [[1], []]) {
    const b = new LaunchBuilder([6], inner)
    const place = { strides: [1, ...inner.map(() => 0)] }
    const slot = b.buffer('float32', wave(6))
    const x = b.inputAt('float32', slot, place)
    const sum = b.reduce('sum', x)
    b.element(b.outputAt('float32', slot, place), call('mul', sum, 3))
    b.row(b.output('float32', 6, place), call('add', x, sum))
    expect(await firstDifference(b.build(), 1e-6)).toBeNull()
  }
})
