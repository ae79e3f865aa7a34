// Comparing texts word by word: word error rate and its relatives. Functions of strings. Read next: bleu.ts.
import { ValueError } from '@nabla/engine'

/** Amounts from which all error rates follow, summed over pairs of texts. */
interface Edits {
  /** Insertions, deletions and substitutions. */
  readonly edits: number
  readonly predicted: number
  readonly reference: number
  /** The length of the longer of each pair. */
  readonly longer: number
}

/** Edits per word of the references: insertions, deletions and substitutions. @throws ValueError */
export function wordErrorRate(predictions: readonly string[], references: readonly string[]): number {
  const { edits, reference } = count('wordErrorRate', predictions, references, wordsOf)
  return edits / reference
}

/** Edits per character of the references. @throws ValueError */
export function characterErrorRate(predictions: readonly string[], references: readonly string[]): number {
  const { edits, reference } = count('characterErrorRate', predictions, references, (text) => [...text])
  return edits / reference
}

/** Edits per word, each pair counted by its longer text: 0 to 1 (Morris et al. 2004). @throws ValueError */
export function matchErrorRate(predictions: readonly string[], references: readonly string[]): number {
  const { edits, longer } = count('matchErrorRate', predictions, references, wordsOf)
  return edits / longer
}

/**
 * The share of words that agree, of the references times that of the predictions (Morris et al. 2004).
 * @throws ValueError
 */
export function wordInformationPreserved(
  predictions: readonly string[],
  references: readonly string[],
): number {
  const counts = count('wordInformationPreserved', predictions, references, wordsOf)
  const hits = counts.longer - counts.edits
  return counts.predicted === 0 ? 0 : (hits / counts.reference) * (hits / counts.predicted)
}

/** 1 - {@link wordInformationPreserved}. @throws ValueError */
export function wordInformationLost(predictions: readonly string[], references: readonly string[]): number {
  return 1 - wordInformationPreserved(predictions, references)
}

/** The fewest insertions, deletions and substitutions that make one list of the other (Levenshtein 1966). */
export function editDistance<T>(from: readonly T[], to: readonly T[]): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j)
  for (const [i, item] of from.entries()) {
    const next = [i + 1]
    for (const [j, other] of to.entries()) {
      const substituted = row[j]! + (item === other ? 0 : 1)
      next.push(Math.min(substituted, row[j + 1]! + 1, next[j]! + 1))
    }
    row = next
  }
  return row.at(-1)!
}

/** The parts of a text between blanks. */
export function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

/** Throws ValueError unless there are as many texts in both lists, and any at all. */
export function checkTexts(
  metric: string,
  predictions: readonly unknown[],
  references: readonly unknown[],
): void {
  if (!Array.isArray(predictions) || !Array.isArray(references)) {
    throw new ValueError(`${metric}: expected two lists of texts`)
  }
  if (predictions.length !== references.length) {
    throw new ValueError(
      `${metric}: there are ${predictions.length} predictions and ${references.length} references`,
    )
  }
  if (predictions.length === 0)
    throw new ValueError(`${metric}: there is nothing to compute: the lists are empty`)
}

function count(
  metric: string,
  predictions: readonly string[],
  references: readonly string[],
  split: (text: string) => string[],
): Edits {
  checkTexts(metric, predictions, references)
  let [edits, predicted, reference, longer] = [0, 0, 0, 0]
  for (const [i, text] of predictions.entries()) {
    const a = split(text)
    const b = split(references[i]!)
    edits += editDistance(a, b)
    predicted += a.length
    reference += b.length
    longer += Math.max(a.length, b.length)
  }
  if (reference === 0) throw new ValueError(`${metric}: the references are empty`)
  return { edits, predicted, reference, longer }
}
