// Reading from a real file system. Files are written to a folder of their own and removed afterwards.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { ValueError } from '@nabla/engine'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeIdx, readBytes, readCsv, readIdx } from './index.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-data-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Writes a file and gives its path. */
function file(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

const idx = encodeIdx(Uint8Array.from([1, 2, 3, 250, 251, 252]), [2, 3])

test('the same IDX file plain and compressed, by path and by URL', async () => {
  const plain = file('plain.idx', idx)
  const packed = file('packed.idx.gz', gzipSync(idx))
  for (const path of [plain, packed, pathToFileURL(plain), pathToFileURL(packed).href]) {
    const { shape, data } = await readIdx(path)
    expect(shape).toEqual([2, 3])
    expect(data).toEqual(Uint8Array.from([1, 2, 3, 250, 251, 252]))
    // An array of its own and not a window on a larger one.
    expect(data.buffer.byteLength).toBe(6)
  }
})

test('signed bytes do not begin with the header of the file', async () => {
  const path = file('signed.idx', Uint8Array.from([0, 0, 9, 1, 0, 0, 0, 3, 255, 254, 7]))
  expect((await readIdx(path)).data).toEqual(Int8Array.from([-1, -2, 7]))
})

test('a compressed file cut anywhere, or changed, is an error that names it', async () => {
  const packed = gzipSync(idx)
  for (let length = 2; length < packed.length; length += 3) {
    const path = file('cut.gz', packed.subarray(0, length))
    await expect(readIdx(path)).rejects.toThrow(`${path}: damaged gzip data (${length} bytes)`)
  }
  const changed = Uint8Array.from(packed)
  changed[packed.length - 6]! ^= 0x40
  await expect(readIdx(file('changed.gz', changed))).rejects.toThrow(ValueError)
})

test('what cannot be read is an error that names it', async () => {
  const missing = join(folder, 'missing.csv')
  await expect(readCsv(missing)).rejects.toThrow(`${missing}: cannot be read`)
  await expect(readBytes(folder)).rejects.toThrow(ValueError)
  for (const path of ['', null, undefined, 3, {}]) {
    await expect(readBytes(path as string)).rejects.toThrow(/a path or URL is needed/)
  }
})

test('CSV files must be UTF-8; errors name the path', async () => {
  const table = await readCsv(file('good.csv.gz', gzipSync('\ufeffsize;länge\n1;2,5\n')), { delimiter: ';' })
  expect(table.columns).toEqual(['size', 'länge'])
  expect(() => table.numbers('länge')).toThrow(/good\.csv\.gz, line 2, column 'länge': '2,5' is no number/)
  await expect(readCsv(file('latin.csv', Uint8Array.of(0x61, 0x0a, 0xe4)))).rejects.toThrow(
    /latin\.csv: no UTF-8 text/,
  )
})
