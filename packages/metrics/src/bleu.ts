// BLEU: how many runs of one to four words a translation shares with references. A function of strings; counts are added
// over the whole corpus before precisions are taken. Read before: text.ts.
import { lookUp, ValueError } from '@nabla/engine'
import { checkTexts, wordsOf } from './text.ts'

/** How texts are split: at blanks, or as the shared tasks of the Workshop on Machine Translation do (mteval-v13a). */
export type BleuTokenizer = 'whitespace' | '13a'

/**
 * What becomes of precisions where few runs agree. `none`: nothing, so that one without agreement makes the whole 0.
 * `addOne`: one more hit and one more run, from two words on (Lin and Och 2004). `exp`: half as much for each length
 * without agreement, from one hit on (Chen and Cherry 2014, method 3).
 */
export type BleuSmoothing = 'none' | 'addOne' | 'exp'

/** Settings of {@link bleu}. */
export interface BleuOptions {
  /** The longest runs. Default 4. */
  maxOrder?: number
  /** Default `none`. */
  smoothing?: BleuSmoothing
  /** Default `whitespace`. */
  tokenizer?: BleuTokenizer
}

interface Counts {
  readonly hits: number[]
  readonly runs: number[]
  predictedLength: number
  referenceLength: number
}

/**
 * BLEU of a corpus, 0 to 1 (Papineni et al. 2002).
 * @param references for each prediction one text, or several
 * @throws ValueError for lists of different length and settings out of range
 */
export function bleu(
  predictions: readonly string[],
  references: readonly (string | readonly string[])[],
  { maxOrder = 4, smoothing = 'none', tokenizer = 'whitespace' }: BleuOptions = {},
): number {
  if (!Number.isInteger(maxOrder) || maxOrder < 1) {
    throw new ValueError(`bleu: maxOrder must be a positive integer; got ${String(maxOrder)}`)
  }
  checkTexts('bleu', predictions, references)
  const split = lookUp<(text: string) => string[]>('tokenizer', tokenizer, {
    whitespace: wordsOf,
    '13a': tokenize13a,
  })
  const smooth = lookUp('smoothing', smoothing, { none: plain, addOne, exp: halving })
  const counts = countRuns(predictions, references, maxOrder, split)
  // Smoothing must not make something of nothing.
  if (counts.hits.every((hits) => hits === 0)) return 0
  const precisions = smooth(counts)
  if (precisions.some((precision) => precision === 0)) return 0
  const mean = precisions.reduce((sum, precision) => sum + Math.log(precision), 0) / maxOrder
  const { predictedLength, referenceLength } = counts
  const brevity = predictedLength >= referenceLength ? 1 : Math.exp(1 - referenceLength / predictedLength)
  return brevity * Math.exp(mean)
}

/** BLEU as it is reported, 0 to 100: tokens of mteval-v13a, smoothing `exp` (Post 2018). @throws ValueError */
export function sacreBleu(
  predictions: readonly string[],
  references: readonly (string | readonly string[])[],
): number {
  return 100 * bleu(predictions, references, { tokenizer: '13a', smoothing: 'exp' })
}

/** Splits off punctuation, but not within numbers, as the script mteval-v13a does. */
export function tokenize13a(text: string): string[] {
  const line = text
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
  const separated = ` ${line} `
    .replaceAll(/([{-~[-` -&(-+:-@/])/g, ' $1 ')
    .replaceAll(/([^0-9])([.,])/g, '$1 $2 ')
    .replaceAll(/([.,])([^0-9])/g, ' $1 $2')
    .replaceAll(/([0-9])(-)/g, '$1 $2 ')
  return wordsOf(separated)
}

function countRuns(
  predictions: readonly string[],
  references: readonly (string | readonly string[])[],
  maxOrder: number,
  split: (text: string) => string[],
): Counts {
  const counts: Counts = {
    hits: Array.from({ length: maxOrder }, () => 0),
    runs: Array.from({ length: maxOrder }, () => 0),
    predictedLength: 0,
    referenceLength: 0,
  }
  for (const [i, prediction] of predictions.entries()) {
    const words = split(prediction)
    const given = references[i]!
    const targets = (typeof given === 'string' ? [given] : given).map(split)
    if (targets.length === 0) throw new ValueError(`bleu: prediction ${i} has no reference`)
    counts.predictedLength += words.length
    counts.referenceLength += closestLength(words.length, targets)
    for (let order = 1; order <= maxOrder; order++) {
      const wanted = targets.map((target) => runsOf(target, order))
      for (const [run, times] of runsOf(words, order)) {
        const most = Math.max(...wanted.map((found) => found.get(run) ?? 0))
        counts.hits[order - 1]! += Math.min(times, most)
        counts.runs[order - 1]! += times
      }
    }
  }
  return counts
}

/** The length of the reference that is closest to the prediction; of two as close, the shorter. */
function closestLength(length: number, targets: readonly string[][]): number {
  const lengths = targets.map((target) => target.length).sort((a, b) => a - b)
  return lengths.reduce((best, other) => (Math.abs(other - length) < Math.abs(best - length) ? other : best))
}

/** How often each run of so many words occurs. */
function runsOf(words: readonly string[], order: number): Map<string, number> {
  const found = new Map<string, number>()
  for (let begin = 0; begin + order <= words.length; begin++) {
    const run = words.slice(begin, begin + order).join(' ')
    found.set(run, (found.get(run) ?? 0) + 1)
  }
  return found
}

function plain({ hits, runs }: Counts): number[] {
  return hits.map((count, i) => (runs[i] === 0 ? 0 : count / runs[i]!))
}

function addOne({ hits, runs }: Counts): number[] {
  return hits.map((count, i) => {
    if (i === 0) return runs[i] === 0 ? 0 : count / runs[i]!
    return (count + 1) / (runs[i]! + 1)
  })
}

function halving({ hits, runs }: Counts): number[] {
  let share = 1
  return hits.map((count, i) => {
    if (runs[i] === 0) return 0
    if (count > 0) return count / runs[i]!
    share /= 2
    return share / runs[i]!
  })
}
