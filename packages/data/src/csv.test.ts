// Cases beyond those of data.test.ts: every rule of RFC 4180, and input that no table is.
import { ValueError } from '@nabla/engine'
import { expect, test } from 'vitest'
import { parseCsv } from './index.ts'

test('RFC 4180: quoted fields hold delimiters, quotes and line ends; line numbers count those', () => {
  const table = parseCsv('a,b\n"1\r\n2","say ""hi"", twice"\n"",x\n3,oops\n', { name: 't.csv' })
  expect(table.rows).toEqual([
    ['1\r\n2', 'say "hi", twice'],
    ['', 'x'],
    ['3', 'oops'],
  ])
  expect(() => table.numbers('b')).toThrow(/^t\.csv, line 2, column 'b'/)
  expect(() => parseCsv('a\n"1\n2"\nx', { name: 't.csv' }).numbers('a')).toThrow(/line 2, column 'a'/)
  expect(() => parseCsv('a,b\n"1\n2",3\nx', { name: 't.csv' })).toThrow(/line 4: 1 fields instead of 2/)
})

test('line ends of every system, with and without the last one, give the same rows', () => {
  for (const end of ['\n', '\r\n', '\r']) {
    for (const last of ['', end]) {
      const table = parseCsv(`a,b${end}1,2${end}${end}3,4${last}`)
      expect(table.rows).toEqual([
        ['1', '2'],
        ['3', '4'],
      ])
    }
  }
  expect(parseCsv('a,b\n1,2\n3,').rows).toEqual([
    ['1', '2'],
    ['3', ''],
  ])
})

test('columns without a header are counted; a byte order mark is no part of the first name', () => {
  expect(parseCsv('1,2\n3,4', { header: false }).columns).toEqual(['c0', 'c1'])
  expect(parseCsv('\ufeffa,b\n1,2').columns).toEqual(['a', 'b'])
  expect(parseCsv('\ufeffa b\n1 2', { delimiter: 'whitespace' }).columns).toEqual(['a', 'b'])
  expect(parseCsv('', { header: false }).length).toBe(0)
  expect(parseCsv('a,b\n').matrix().shape).toEqual([0, 2])
})

test('numbers are decimal: what only JavaScript takes for one is refused', () => {
  const numbers = (field: string): Float64Array => parseCsv(`a\n${field}`).numbers('a')
  for (const [field, value] of [
    ['-1.5', -1.5],
    ['+2', 2],
    ['.5', 0.5],
    ['3.', 3],
    ['1e-3', 0.001],
    [' 7 ', 7],
    ['inf', Infinity],
    ['-Infinity', -Infinity],
  ] as const) {
    expect([...numbers(field)], field).toEqual([value])
  }
  for (const field of ['0x10', '0b1', '0o7', '1_000', '1,5', '--1', '1e', 'e5', '.', 'true']) {
    expect(() => parseCsv(`a;b\n${field};0`, { delimiter: ';' }).numbers('a'), field).toThrow(/is no number/)
  }
})

test('missing values: as asked, and only those listed', () => {
  const table = parseCsv('a,b\nNA,1\n2,-', { missing: ['NA', '-'] })
  expect(table.numbers('a')).toEqual(Float64Array.of(NaN, 2))
  expect(() => table.matrix()).toThrow(/line 2, column 'a': the value is missing/)
  expect(table.matrix(['b', 'a'], 'nan')).toEqual({ data: Float32Array.of(1, NaN, NaN, 2), shape: [2, 2] })
  expect(() => parseCsv('a,b\n,1').numbers('a', 'error')).toThrow(/missing/)
  expect(() => parseCsv('a,b\n,1', { missing: [] }).numbers('a')).toThrow(/'' is no number/)
})

test('classes: the distinct texts of a column, and which one each row holds', () => {
  const { classes, codes } = parseCsv('species\nb\na\nb\n c').classes('species')
  expect(classes).toEqual(['a', 'b', 'c'])
  expect(codes).toEqual(Int32Array.of(1, 0, 1, 2))
})

test('what is no table is refused with the reason', () => {
  for (const text of [undefined, null, 3, {}, new Uint8Array(2)]) {
    expect(() => parseCsv(text as string)).toThrow(ValueError)
  }
  for (const delimiter of [
    '',
    ',,',
    '"',
    '\n',
    '\r',
    undefined as unknown as string,
    5 as unknown as string,
  ]) {
    if (delimiter === undefined) continue
    expect(() => parseCsv('a,b', { delimiter }), JSON.stringify(delimiter)).toThrow(/delimiter/)
  }
  expect(() => parseCsv('a,b\n1,2').matrix(['a', 'x'])).toThrow(/no column 'x'\. Columns: a, b/)
})
