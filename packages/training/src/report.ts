// Precision, recall and F1 of each class, as a table: what a classifier is good at, and at what it is not.
import { ValueError } from '@nabla/engine'
import { ConfusionMatrix, type LabelOptions, type MetricInput } from '@nabla/metrics'

/** How good a classifier is at one class. */
export interface ClassScores {
  readonly name: string
  /** Of the answers that name the class, the share that are right. */
  readonly precision: number
  /** Of the examples of the class, the share that were found. */
  readonly recall: number
  /** Harmonic mean of both. */
  readonly f1: number
  /** Examples of the class. */
  readonly support: number
}

/** The scores of all classes. `String(report)` is the table. */
export interface ClassificationReport {
  readonly classes: readonly ClassScores[]
  /** The share of all answers that are right. */
  readonly accuracy: number
  /** The mean over classes, all counting the same. */
  readonly macro: ClassScores
  /** The mean over classes, weighted by their examples. */
  readonly weighted: ClassScores
  toString(): string
}

/** Settings of {@link classificationReport}. */
export interface ReportOptions extends LabelOptions {
  /** Names of the classes. Default: their numbers. */
  names?: readonly string[]
  /** Decimals in the table. Default: 4. */
  digits?: number
}

/**
 * Precision, recall and F1 per class.
 *
 * Shape: predictions (scores [N, C], or labels [N] with `classes` given) beside targets (labels [N]).
 * @throws ShapeError, ValueError as the metrics do, and when there are not as many names as classes
 */
export async function classificationReport(
  predictions: MetricInput,
  targets: MetricInput,
  { names, digits = 4, ...options }: ReportOptions = {},
): Promise<ClassificationReport> {
  const matrix = new ConfusionMatrix(options)
  matrix.update(predictions, targets)
  const counts = await matrix.compute()
  matrix.reset()
  if (names !== undefined && names.length !== counts.length) {
    throw new ValueError(`classificationReport: ${names.length} names for ${counts.length} classes`)
  }
  const classes = counts.map((row, i) => scoresOf(names?.[i] ?? String(i), counts, row, i))
  const right = counts.reduce((sum, row, i) => sum + row[i]!, 0)
  const total = sumOf(classes.map(({ support }) => support))
  const report = {
    classes,
    accuracy: ratio(right, total),
    macro: average('macro average', classes, () => 1),
    weighted: average('weighted average', classes, ({ support }) => support),
  }
  return { ...report, toString: () => formatReport(report, digits) }
}

function scoresOf(
  name: string,
  counts: readonly (readonly number[])[],
  row: readonly number[],
  i: number,
): ClassScores {
  const hits = row[i]!
  const support = sumOf(row)
  const named = sumOf(counts.map((other) => other[i]!))
  return {
    name,
    precision: ratio(hits, named),
    recall: ratio(hits, support),
    f1: ratio(2 * hits, named + support),
    support,
  }
}

function average(
  name: string,
  classes: readonly ClassScores[],
  weightOf: (scores: ClassScores) => number,
): ClassScores {
  const weights = classes.map(weightOf)
  const mean = (value: (scores: ClassScores) => number): number =>
    ratio(sumOf(classes.map((scores, i) => value(scores) * weights[i]!)), sumOf(weights))
  return {
    name,
    precision: mean(({ precision }) => precision),
    recall: mean(({ recall }) => recall),
    f1: mean(({ f1 }) => f1),
    support: sumOf(classes.map(({ support }) => support)),
  }
}

type Table = Pick<ClassificationReport, 'classes' | 'accuracy' | 'macro' | 'weighted'>

function formatReport({ classes, accuracy, macro, weighted }: Table, digits: number): string {
  const number = (value: number): string => value.toFixed(digits)
  const cells = ({ name, precision, recall, f1, support }: ClassScores): string[] => [
    name,
    number(precision),
    number(recall),
    number(f1),
    String(support),
  ]
  const rows = [
    ['', 'precision', 'recall', 'f1', 'support'],
    ...classes.map(cells),
    ['accuracy', '', '', number(accuracy), String(macro.support)],
    cells(macro),
    cells(weighted),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) => row.map((cell, column) => cell.padStart(widths[column]!)).join('  '))
  const [head, ...body] = lines
  return [head, ...body.slice(0, classes.length), '', ...body.slice(classes.length)].join('\n')
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
