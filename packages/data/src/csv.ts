// Comma-separated values by RFC 4180, with the liberties that real files take: other delimiters, runs of blanks, a missing
// last line end. Numbers become columns of float64; what is missing is NaN or an error, as asked.
// Not here: making tensors of it (dataset.ts) and scaling (scaler.ts).
import { ValueError } from '@nabla/engine'
import { readBytes } from './files.ts'

/** How a table is written. */
export interface CsvOptions {
  /** What separates fields; `whitespace` means any run of blanks or tabs. Default: a comma. */
  delimiter?: string
  /** Whether the first line holds names (the default). Otherwise columns are called c0, c1, ... */
  header?: boolean
  /** Fields that mean "missing". Default: empty, NA, N/A, NaN, null and a question mark. */
  missing?: readonly string[]
  /** What errors call the table. */
  name?: string
}

/** A table of text. */
export class CsvTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly #name: string
  readonly #missing: ReadonlySet<string>
  /** Line of the file on which each row begins, for messages. */
  readonly #lines: readonly number[]

  constructor(
    columns: readonly string[],
    rows: readonly (readonly string[])[],
    lines: readonly number[],
    missing: readonly string[],
    name: string,
  ) {
    this.columns = columns
    this.rows = rows
    this.#lines = lines
    this.#missing = new Set(missing)
    this.#name = name
  }

  /** Number of rows. */
  get length(): number {
    return this.rows.length
  }

  /** The fields of one column. @throws ValueError listing the columns */
  text(column: string): string[] {
    const index = this.#indexOf(column)
    return this.rows.map((row) => row[index]!)
  }

  /**
   * One column as numbers.
   * @param missing what to do with missing fields: `nan` (the default) or `error`
   * @throws ValueError naming file, line and column of what is no number
   */
  numbers(column: string, missing: 'nan' | 'error' = 'nan'): Float64Array {
    const index = this.#indexOf(column)
    return Float64Array.from(this.rows, (row, r) => {
      const field = row[index]!.trim()
      if (this.#missing.has(field)) {
        if (missing === 'nan') return NaN
        throw this.#error(r, column, 'the value is missing')
      }
      const value = toNumber(field)
      if (value === undefined) throw this.#error(r, column, `'${field}' is no number`)
      return value
    })
  }

  /**
   * One column of names as class numbers: the distinct texts in alphabetical order, and which one each row holds.
   * @throws ValueError where a value is missing
   */
  classes(column: string): { classes: string[]; codes: Int32Array } {
    const texts = this.text(column).map((field, r) => {
      const text = field.trim()
      if (this.#missing.has(text)) throw this.#error(r, column, 'the value is missing')
      return text
    })
    const classes = [...new Set(texts)].sort()
    const codeOf = new Map(classes.map((text, code) => [text, code]))
    return { classes, codes: Int32Array.from(texts, (text) => codeOf.get(text)!) }
  }

  /**
   * Several columns as the rows of a matrix.
   * @param columns which, in order; default: all
   * @returns row-major values of shape [rows, columns]
   */
  matrix(
    columns: readonly string[] = this.columns,
    missing: 'nan' | 'error' = 'error',
  ): { data: Float32Array; shape: [number, number] } {
    const data = new Float32Array(this.length * columns.length)
    columns.forEach((column, c) => {
      const values = this.numbers(column, missing)
      for (let r = 0; r < values.length; r++) data[r * columns.length + c] = values[r]!
    })
    return { data, shape: [this.length, columns.length] }
  }

  #indexOf(column: string): number {
    const index = this.columns.indexOf(column)
    if (index < 0)
      throw new ValueError(`${this.#name}: no column '${column}'. Columns: ${this.columns.join(', ')}`)
    return index
  }

  #error(row: number, column: string, problem: string): ValueError {
    return new ValueError(`${this.#name}, line ${this.#lines[row]}, column '${column}': ${problem}`)
  }
}

// Number() alone would take '0x10' and '' for numbers as well.
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const infinite = /^([+-]?)inf(inity)?$/i

function toNumber(field: string): number | undefined {
  if (decimal.test(field)) return Number(field)
  const sign = infinite.exec(field)?.[1]
  if (sign !== undefined) return sign === '-' ? -Infinity : Infinity
  return undefined
}

/** Reads a table from a file or URL, gzip or not. @throws ValueError naming the file, line and column */
export async function readCsv(path: string | URL, options: CsvOptions = {}): Promise<CsvTable> {
  const name = String(path)
  const bytes = await readBytes(path)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new ValueError(`${name}: no UTF-8 text`, { cause })
  }
  return parseCsv(text, { name, ...options })
}

const usuallyMissing = ['', 'NA', 'N/A', 'NaN', 'nan', 'null', '?']

/** Parses the text of a table. @throws ValueError for open quotes, rows of unequal length, doubled names */
export function parseCsv(text: string, options: CsvOptions = {}): CsvTable {
  const { delimiter = ',', header = true, missing = usuallyMissing, name = 'CSV' } = options
  if (typeof text !== 'string')
    throw new ValueError(`${name}: a table is parsed from text; got a ${typeof text}`)
  if (delimiter !== 'whitespace' && (typeof delimiter !== 'string' || !/^[^"\r\n]$/.test(delimiter))) {
    throw new ValueError(
      `${name}: a delimiter is 'whitespace' or one character other than quotes and line ends; got '${String(delimiter)}'`,
    )
  }
  const { rows, lines } = delimiter === 'whitespace' ? splitBlanks(text) : splitQuoted(text, delimiter, name)
  const first = header ? rows.shift() : undefined
  if (header) lines.shift()
  if (header && first === undefined) throw new ValueError(`${name}: empty, not even a header`)
  const width = first?.length ?? rows[0]?.length ?? 0
  const columns = first?.map((column) => column.trim()) ?? Array.from({ length: width }, (_, c) => `c${c}`)
  const doubled = columns.find((column, c) => columns.indexOf(column) !== c)
  if (doubled !== undefined) throw new ValueError(`${name}: column '${doubled}' appears twice`)
  rows.forEach((row, r) => {
    if (row.length !== width)
      throw new ValueError(`${name}, line ${lines[r]}: ${row.length} fields instead of ${width}`)
  })
  return new CsvTable(columns, rows, lines, missing, name)
}

interface Lines {
  readonly rows: string[][]
  readonly lines: number[]
}

function splitBlanks(text: string): Lines {
  const result: Lines = { rows: [], lines: [] }
  text.split(/\r\n|\n|\r/).forEach((line, i) => {
    if (line.trim() === '') return
    result.rows.push(line.trim().split(/\s+/))
    result.lines.push(i + 1)
  })
  return result
}

/** One pass over the characters; quotes may hold delimiters, line ends and doubled quotes. */
function splitQuoted(text: string, delimiter: string, name: string): Lines {
  const rows: string[][] = []
  const lines: number[] = []
  let row: string[] = []
  let line = 1
  let rowLine = 1
  let position = text.charCodeAt(0) === 0xfeff ? 1 : 0
  const endRow = (): void => {
    // A line without anything on it is no row.
    if (row.length > 1 || row[0] !== '') {
      rows.push(row)
      lines.push(rowLine)
    }
    row = []
    rowLine = line
  }
  while (position < text.length) {
    let field = ''
    if (text[position] === '"') {
      const opened = line
      position += 1
      for (;;) {
        const character = text[position]
        if (character === undefined)
          throw new ValueError(`${name}, line ${opened}: a quoted field is never closed`)
        position += 1
        if (character === '\n') line += 1
        if (character !== '"') field += character
        else if (text[position] === '"') field += text[position++]
        else break
      }
      const next = text[position]
      if (next !== undefined && next !== delimiter && next !== '\n' && next !== '\r') {
        throw new ValueError(`${name}, line ${line}: '${next}' follows a closing quote`)
      }
    } else {
      const start = position
      while (
        position < text.length &&
        text[position] !== delimiter &&
        text[position] !== '\n' &&
        text[position] !== '\r'
      )
        position += 1
      field = text.slice(start, position)
    }
    row.push(field)
    const end = text[position]
    if (end === delimiter) {
      position += 1
      if (position === text.length) row.push('')
      continue
    }
    if (end === '\r' && text[position + 1] === '\n') position += 1
    position += 1
    line += 1
    endRow()
  }
  if (row.length > 0) endRow()
  return { rows, lines }
}
