// Samples that keep their promises pass; each broken promise fails with the line it stands on.
import { expect, test } from 'vitest'
import * as assertions from './sample-assert.mjs'
import { findSamples, instrument } from './samples.mjs'

const AsyncFunction = (async () => {}).constructor as FunctionConstructor

async function run(code: string, firstLine = 1): Promise<void> {
  await new AsyncFunction('__sample', instrument(code, firstLine))(assertions)
}

test('only ts blocks are samples, and they know their line', () => {
  const markdown = [
    '# Title',
    '```ts',
    'one()',
    '```',
    '',
    '```sh',
    'npm test',
    '```',
    '````ts',
    '```',
    'two',
    '````',
  ]
  expect(findSamples(markdown.join('\n'))).toEqual([
    { code: 'one()', line: 3 },
    { code: '```\ntwo', line: 10 },
  ])
})

test('a block that is never closed is an error', () => {
  expect(() => findSamples('text\n```ts\none()')).toThrow('line 2: this code block is never closed')
})

test.each([
  '1 + 2 // => 3',
  'const three = 1 + 2 // => 3',
  'console.log([1, 2].concat(3)) // => [1, 2, 3]',
  'new Float32Array([0.1, 2]) // => [0.1, 2]',
  'Math.log(2) // => 0.693',
  '[Math.LN2, -Math.LN2] // => [0.693, -0.693]',
  '({ loss: Math.LN2, name: "x", done: true }) // => { loss: 0.6931, name: "x", done: true }',
  'NaN // => NaN',
  'undefined // => undefined',
  '"text" // => text',
  '({ toString: () => "tensor([1, 2])" }) // => tensor([1, 2])',
  '"[[1 2]\\n [3 4]]" // => [[1 2]\n//     [3 4]]',
  'await Promise.resolve(4) // => 4',
  'for (const x of [1, 1]) {\n  x // => 1\n}',
  'JSON.parse("{") // throws SyntaxError: Expected',
  'Promise.reject(new RangeError("far")) // throws RangeError: far',
])('passes: %s', async (code) => {
  await expect(run(code)).resolves.toBeUndefined()
})

test.each([
  '1 + 2 // => 4',
  'const three = 1 + 2 // => 4',
  'console.log([1, 2]) // => [1, 3]',
  'new Float32Array([0.1, 2]) // => [0.1]',
  'Math.log(2) // => 0.694',
  '0.14 // => 0.1',
  '"text" // => other',
  '[1] // => [1, undefined]',
  'for (const x of [1, 2]) {\n  x // => 1\n}',
  'JSON.parse("1") // throws SyntaxError: Unexpected',
  'JSON.parse("{") // throws TypeError',
])('fails: %s', async (code) => {
  await expect(run(code, 11)).rejects.toThrow(/line 1[12]: /)
})

test('an expectation without a statement is an error, as is broken code', () => {
  expect(() => instrument('const x = 1\n\n// => 1', 20)).toThrow("line 22: no statement before this '// =>'")
  expect(() => instrument('const = 1', 20)).toThrow('line 20: ')
})
