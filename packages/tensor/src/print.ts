// Text of a tensor, laid out as NumPy's `print` does it: columns aligned over the whole tensor, as few digits as tell the
// numbers apart (at most 4 behind the point), scientific notation where sizes differ too much, and the middle of large
// tensors left out.
import type { DType, Shape } from '@nabla/engine'

/** How {@link formatArray} writes. */
export interface FormatOptions {
  /** Most digits behind the point. Default 4. */
  precision?: number
  /** With more elements than this, only the edges are shown. Default 1000. */
  threshold?: number
  /** How many elements are shown at each edge. Default 3. */
  edge?: number
  /** Width of a line in characters. Default 75. */
  lineWidth?: number
}

/** Row-major elements as text. */
export function formatArray(
  data: ArrayLike<number>,
  shape: Shape,
  dtype: DType,
  options: FormatOptions = {},
): string {
  const { precision = 4, threshold = 1000, edge = 3, lineWidth = 75 } = options
  if (data.length === 0) return '[]'
  if (shape.length === 0) return scalarText(data[0]!, dtype)
  const cut = data.length > threshold
  const shown = shape.map((size) => (cut && size > 2 * edge ? edge : -1))
  const write = writerOf(visibleElements(data, shape, shown), dtype, precision)
  return block(data, shape, shown, 0, 0, write, lineWidth, '')
}

// Indices along a dimension that are shown; -1 stands for what is left out.
function indicesOf(size: number, edge: number): number[] {
  const all = Array.from({ length: size }, (_, i) => i)
  return edge < 0 ? all : [...all.slice(0, edge), -1, ...all.slice(-edge)]
}

function visibleElements(data: ArrayLike<number>, shape: Shape, shown: readonly number[]): number[] {
  let offsets = [0]
  shape.forEach((size, dim) => {
    const indices = indicesOf(size, shown[dim]!).filter((index) => index >= 0)
    offsets = offsets.flatMap((offset) => indices.map((index) => offset * size + index))
  })
  return offsets.map((offset) => data[offset]!)
}

function block(
  data: ArrayLike<number>,
  shape: Shape,
  shown: readonly number[],
  dim: number,
  offset: number,
  write: (value: number) => string,
  lineWidth: number,
  indent: string,
): string {
  const size = shape[dim]!
  const indices = indicesOf(size, shown[dim]!)
  const inner = indent + ' '
  if (dim === shape.length - 1) {
    const words = indices.map((index) => (index < 0 ? '...' : write(data[offset * size + index]!)))
    return '[' + wrap(words, inner, lineWidth - shape.length) + ']'
  }
  const parts = indices.map((index) =>
    index < 0 ? '...' : block(data, shape, shown, dim + 1, offset * size + index, write, lineWidth, inner),
  )
  // One empty line more between blocks for every dimension below.
  return '[' + parts.join('\n'.repeat(shape.length - dim - 1) + inner) + ']'
}

function wrap(words: readonly string[], indent: string, lineWidth: number): string {
  let text = ''
  let column = indent.length
  words.forEach((word, i) => {
    if (i > 0) {
      if (column + 1 + word.length > lineWidth) {
        text += '\n' + indent
        column = indent.length
      } else {
        text += ' '
        column += 1
      }
    }
    text += word
    column += word.length
  })
  return text
}

/** A function that writes any of the given values in one width. */
function writerOf(values: readonly number[], dtype: DType, precision: number): (value: number) => string {
  const text = textOf(values, dtype, precision)
  const width = values.reduce((widest, value) => Math.max(widest, text(value).length), 0)
  return (value) => text(value).padStart(width)
}

function textOf(values: readonly number[], dtype: DType, precision: number): (value: number) => string {
  if (dtype === 'bool') return boolText
  if (dtype === 'int32') return String
  const exact = dtype === 'float32' ? shortest : (value: number) => value
  const text = realText(values.map(exact), precision)
  return (value) => text(exact(value))
}

// A single number is written in full.
function scalarText(value: number, dtype: DType): string {
  if (dtype === 'bool') return boolText(value)
  if (dtype === 'int32') return String(value)
  const text = special(value) ?? String(dtype === 'float32' ? shortest(value) : value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}

// The number with the fewest digits that is the same float32: 0.1 rather than 0.10000000149.
function shortest(value: number): number {
  if (value === 0) return value
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits))
    if (Math.fround(candidate) === value) return candidate
  }
  return value
}

function boolText(value: number): string {
  return value === 0 ? 'False' : 'True'
}

// NumPy's rule: scientific where the largest is at least 1e8, the smallest (not 0) below 1e-4, or their ratio above 1000
// (that with the largest); else fixed, with the digits the neediest value takes.
function realText(values: readonly number[], precision: number): (value: number) => string {
  const magnitudes = values.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs)
  const largest = Math.max(0, ...magnitudes)
  const smallest = Math.min(Infinity, ...magnitudes)
  const scientific = magnitudes.length > 0 && (largest >= 1e8 || smallest < 1e-4 || largest / smallest > 1000)
  if (scientific) {
    const digits = magnitudes.reduce(
      (most, value) => Math.max(most, digitsBehindPoint(value.toExponential(precision))),
      0,
    )
    return (value) => special(value) ?? pointed(exponential(value, digits))
  }
  const digits = magnitudes.reduce(
    (most, value) => Math.max(most, digitsBehindPoint(value.toFixed(precision))),
    0,
  )
  return (value) => special(value) ?? padded(value, digits)
}

function special(value: number): string | null {
  if (Number.isNaN(value)) return 'nan'
  if (value === Infinity) return 'inf'
  return value === -Infinity ? '-inf' : null
}

// Fixed digits: trailing zeros become spaces, so that points stand in one column.
function padded(value: number, digits: number): string {
  const [whole, fraction = ''] = (Object.is(value, -0) ? '-0' : value.toFixed(digits)).split('.')
  const kept = fraction.replace(/0+$/, '')
  return `${whole}.${kept.padEnd(digits)}`
}

function exponential(value: number, digits: number): string {
  const [mantissa, exponent = '+0'] = value.toExponential(digits).split('e')
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`
}

function pointed(text: string): string {
  return text.includes('.') ? text : text.replace('e', '.e')
}

function digitsBehindPoint(text: string): number {
  const [mantissa] = text.split('e')
  const fraction = mantissa!.split('.')[1] ?? ''
  return fraction.replace(/0+$/, '').length
}
