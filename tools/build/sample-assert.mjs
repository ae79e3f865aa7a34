// Runs inside a documentation sample: compares a value with what its comment promises. Written into samples by samples.mjs.
import { expect } from 'vitest'

/** Checks the value before `// => text`, and passes it on. */
export function equals(value, text, line) {
  const literal = readLiteral(text)
  const message = `line ${line}: // => ${text}`
  if (literal === undefined) expect(String(value), message).toBe(text)
  else expect(plain(value, literal.value), message).toEqual(literal.value)
  return value
}

/** Checks that what stands before `// throws text` throws an error whose `Name: message` begins with the text. */
export async function throws(run, text, line) {
  let thrown = null
  try {
    await run()
  } catch (error) {
    thrown = error
  }
  if (thrown === null) throw new Error(`line ${line}: did not throw ${text}`)
  const said = `${thrown.name}: ${thrown.message}`
  expect(said.slice(0, text.length), `line ${line}: threw ${said}`).toBe(text)
}

/** The value that `text` writes down, or undefined if it is no literal of numbers, strings, booleans, arrays and objects. */
function readLiteral(text) {
  const tokens =
    /'[^'\n]*'|"[^"\n]*"|-?\b(?:\d[\d_.]*(?:e[+-]?\d+)?|Infinity)\b|\b(?:NaN|true|false|null|undefined)\b|\w+\s*:|[[\]{},\s]/gi
  if (text.replace(tokens, '') !== '') return undefined
  try {
    const marked = text.replace(/'[^'\n]*'|"[^"\n]*"|-?\b\d[\d_]*\.\d{3,}\b(?!e)/gi, (token) =>
      /^['"]/.test(token) ? token : `decimals(${JSON.stringify(token)})`,
    )
    const read = new Function('decimals', `return (${marked})`)
    return { value: read(closeTo) }
  } catch {
    return undefined
  }
}

/** A number written with three or more decimals stands for all numbers that round to it. */
function closeTo(token) {
  const decimals = token.split('.')[1].length
  return {
    asymmetricMatch: (value) => Math.abs(value - Number(token)) <= 0.5000001 * 10 ** -decimals,
    toString: () => token,
    toAsymmetricMatcher: () => token,
    $$typeof: Symbol.for('jest.asymmetricMatcher'),
  }
}

/** Typed arrays read like arrays, and float32 values like the short decimals they were made from. */
function plain(value, expected) {
  if (
    typeof value === 'number' &&
    typeof expected === 'number' &&
    Math.abs(value - expected) <= 1e-6 * Math.abs(expected)
  ) {
    return expected
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return plain(Array.from(value), expected)
  if (Array.isArray(value) && Array.isArray(expected))
    return value.map((item, index) => plain(item, expected[index]))
  if (isRecord(value) && isRecord(expected)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, expected[key])]))
  }
  return value
}

function isRecord(value) {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
