// Einstein summation: products and sums over named dimensions in one line. An expression is read into labels; each pair
// of operands becomes one contraction (contract.ts), or a product that fuses when nothing is summed between them.
import { DTypeError, formatShape, promote, ShapeError, ValueError } from '@nabla/engine'
import { defineFree, toTensor, type FreeFunction, type TensorLike } from '../op.ts'
import type { Tensor } from '../tensor.ts'
import { alignTo, contract, multiplyAndSum, type Labels } from './contract.ts'

/** An operand and the labels of its dimensions. */
interface Term {
  readonly x: Tensor
  readonly labels: Labels
}

/**
 * Sums of products by Einstein's convention, as in NumPy: each operand lists a letter per dimension, letters that the
 * result lacks are summed over, `...` stands for leading dimensions that broadcast, a letter twice in one operand takes
 * its diagonal. Without `->` the result has the letters that occur once, in alphabetic order.
 *
 * `einsum('bij,bjk->bik', a, b)` is a batched matrix product. Several operands are multiplied in pairs, the pair with the
 * smallest intermediate result first.
 * @throws ValueError for an expression that cannot be read, ShapeError for sizes that do not fit it
 */
export const einsum: FreeFunction<(expression: string, ...operands: TensorLike[]) => Tensor> = defineFree({
  name: 'einsum',
  call: (expression: string, ...operands: TensorLike[]) => {
    const tensors = promoteAll(operands.map((operand) => toTensor('einsum', operand)))
    const { inputs, output } = readExpression(expression, tensors)
    let terms = inputs.map((labels, i) => takeDiagonals({ x: tensors[i]!, labels }, expression))
    checkSizes(terms, expression)
    terms = terms.map((term, i) => dropSize1(term, terms, i))
    terms = terms.map((term, i) => sumAlone(term, terms, i, output))
    while (terms.length > 1) terms = multiplyCheapestPair(terms, output)
    const [last] = terms as [Term]
    const sizes = sizesOf(terms)
    // Letters of size 1 have been dropped on the way.
    return alignTo(last.x, last.labels, output).expand(output.map((label) => sizes.get(label) ?? 1))
  },
  samples: (make) => [
    ['ij,jk->ik', make.real([3, 4]), make.real([4, 5])],
    ['bij,bjk->bik', make.real([2, 3, 4]), make.real([2, 4, 2])],
    ['i,j->ij', make.real([3]), make.real([4])],
    ['ii->i', make.real([3, 3])],
    ['ii', make.real([3, 3])],
    ['ij->ji', make.strided([3, 4])],
    ['...ij,...j->...i', make.real([2, 3, 4]), make.real([4])],
    ['bhqd,bhkd->bhqk', make.real([2, 2, 3, 4]), make.real([2, 2, 5, 4])],
    ['ij,jk,kl->il', make.real([2, 3]), make.real([3, 4]), make.real([4, 2])],
    ['bi,oij,bj->bo', make.real([2, 3]), make.real([4, 3, 2]), make.real([2, 2])],
    ['ij,j->i', make.real([3, 1]), make.real([4])],
    ['i,i', make.real([0]), make.real([0])],
    ['ij,ij->i', make.real([3, 4]), make.real([3, 4])],
  ],
  wrong: [
    {
      args: (make) => ['ij,jk->ik', make.real([3, 4])],
      error: 'ValueError',
      message: /einsum: 'ij,jk->ik' names 2 operands; got 1/,
    },
    { args: (make) => ['ij->ik', make.real([3, 4])], error: 'ValueError', message: /einsum: .*'k'/ },
    {
      args: (make) => ['ijk->i', make.real([3, 4])],
      error: 'ShapeError',
      message: /einsum: .*3 letters.*\[3, 4\]/,
    },
    {
      args: (make) => ['ij,jk->ik', make.real([3, 4]), make.real([5, 6])],
      error: 'ShapeError',
      message: /einsum: .*'j'/,
    },
    { args: (make) => ['i1->i', make.real([3, 4])], error: 'ValueError', message: /einsum: .*letters/ },
  ],
})

function promoteAll(tensors: readonly Tensor[]): Tensor[] {
  if (tensors.length === 0)
    throw new ValueError("einsum: needs operands, for example einsum('ij,jk->ik', a, b)")
  const dtype = tensors.map((x) => x.dtype).reduce(promote)
  if (dtype === 'bool')
    throw new DTypeError("einsum: bools have no sums of products; convert with .to('int32')")
  return tensors.map((x) => x.to(dtype))
}

// Letters are labelled by their character codes; dimensions under `...` by negative numbers counted from the last.
const ellipsis = '...'

interface Expression {
  readonly inputs: readonly Labels[]
  readonly output: Labels
}

function readExpression(expression: string, tensors: readonly Tensor[]): Expression {
  if (typeof expression !== 'string') {
    throw new ValueError(
      `einsum: the expression comes first and is text such as 'ij,jk->ik'; got ${String(expression)}`,
    )
  }
  const [left, right, ...more] = expression.replaceAll(' ', '').split('->')
  const parts = left!.split(',')
  if (more.length > 0) throw new ValueError(`einsum: '${expression}' has more than one '->'`)
  if (parts.length !== tensors.length) {
    throw new ValueError(`einsum: '${expression}' names ${parts.length} operands; got ${tensors.length}`)
  }
  const inputs = parts.map((part, i) => readPart(part, expression, tensors[i]!))
  const broadcastRank = Math.max(...inputs.map((labels) => -Math.min(0, ...labels)))
  if (right === undefined) return { inputs, output: implicitOutput(inputs, broadcastRank) }
  return { inputs, output: readOutput(right, expression, inputs, broadcastRank) }
}

function readPart(part: string, expression: string, x: Tensor): Labels {
  const [before, after, ...more] = part.split(ellipsis)
  if (more.length > 0) throw new ValueError(`einsum: '${part}' in '${expression}' has more than one '...'`)
  const letters = [...lettersOf(before!, expression), ...lettersOf(after ?? '', expression)]
  const hidden = x.rank - letters.length
  if (hidden < 0 || (hidden > 0 && after === undefined)) {
    throw new ShapeError(
      `einsum: '${part}' in '${expression}' has ${letters.length} letters for an operand of shape ${formatShape(x.shape)}`,
    )
  }
  return [...letters.slice(0, before!.length), ...broadcastLabels(hidden), ...letters.slice(before!.length)]
}

function readOutput(
  text: string,
  expression: string,
  inputs: readonly Labels[],
  broadcastRank: number,
): Labels {
  const [before, after, ...more] = text.split(ellipsis)
  if (more.length > 0) throw new ValueError(`einsum: the result of '${expression}' has more than one '...'`)
  const first = lettersOf(before!, expression)
  const last = lettersOf(after ?? '', expression)
  for (const [i, label] of [...first, ...last].entries()) {
    const letter = String.fromCharCode(label)
    if (!inputs.some((labels) => labels.includes(label))) {
      throw new ValueError(`einsum: '${letter}' in the result of '${expression}' is in no operand`)
    }
    if ([...first, ...last].indexOf(label) !== i) {
      throw new ValueError(`einsum: '${letter}' appears twice in the result of '${expression}'`)
    }
  }
  return after === undefined ? first : [...first, ...broadcastLabels(broadcastRank), ...last]
}

function implicitOutput(inputs: readonly Labels[], broadcastRank: number): Labels {
  const all = inputs.flat().filter((label) => label >= 0)
  const once = all.filter((label) => all.indexOf(label) === all.lastIndexOf(label))
  return [...broadcastLabels(broadcastRank), ...once.sort((a, b) => a - b)]
}

function lettersOf(text: string, expression: string): number[] {
  if (!/^[A-Za-z]*$/.test(text)) {
    throw new ValueError(`einsum: dimensions are named by letters; got '${text}' in '${expression}'`)
  }
  return [...text].map((letter) => letter.charCodeAt(0))
}

function broadcastLabels(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i - count)
}

function nameOf(label: number): string {
  return label < 0 ? ellipsis : String.fromCharCode(label)
}

function takeDiagonals({ x, labels }: Term, expression: string): Term {
  const twice = labels.findIndex((label, axis) => labels.indexOf(label) < axis)
  if (twice < 0) return { x, labels }
  const label = labels[twice]!
  const first = labels.indexOf(label)
  if (x.shape[first] !== x.shape[twice]) {
    throw new ShapeError(
      `einsum: '${nameOf(label)}' in '${expression}' stands for sizes ${x.shape[first]} and ${x.shape[twice]} of one operand`,
    )
  }
  // A diagonal comes last.
  const rest = labels.filter((_, axis) => axis !== first && axis !== twice)
  return takeDiagonals({ x: x.diagonal(0, first, twice), labels: [...rest, label] }, expression)
}

function sizesOf(terms: readonly Term[]): Map<number, number> {
  const sizes = new Map<number, number>()
  for (const { x, labels } of terms) {
    labels.forEach((label, axis) => {
      const known = sizes.get(label)
      if (known === undefined || known === 1) sizes.set(label, x.shape[axis]!)
    })
  }
  return sizes
}

function checkSizes(terms: readonly Term[], expression: string): void {
  const sizes = sizesOf(terms)
  for (const { x, labels } of terms) {
    labels.forEach((label, axis) => {
      const size = x.shape[axis]!
      if (size === 1 || size === sizes.get(label)) return
      throw new ShapeError(
        `einsum: '${nameOf(label)}' in '${expression}' stands for sizes ${sizes.get(label)} and ${size}; they must be equal or 1`,
      )
    })
  }
}

/** Without dimensions of size 1 that others have in full: what is broadcast need not be named. */
function dropSize1({ x, labels }: Term, terms: readonly Term[], index: number): Term {
  const stays = labels.map(
    (label, axis) =>
      x.shape[axis] !== 1 || !terms.some((term, i) => i !== index && term.labels.includes(label)),
  )
  if (stays.every(Boolean)) return { x, labels }
  return {
    x: x.reshape(x.shape.filter((_, axis) => stays[axis])),
    labels: labels.filter((_, axis) => stays[axis]),
  }
}

/** Sums over letters that nothing else has. */
function sumAlone({ x, labels }: Term, terms: readonly Term[], index: number, output: Labels): Term {
  const alone = labels.filter(
    (label) =>
      !output.includes(label) && !terms.some((term, i) => i !== index && term.labels.includes(label)),
  )
  if (alone.length === 0) return { x, labels }
  return {
    x: x.sum(alone.map((label) => labels.indexOf(label))),
    labels: labels.filter((label) => !alone.includes(label)),
  }
}

function multiplyCheapestPair(terms: readonly Term[], output: Labels): Term[] {
  const sizes = sizesOf(terms)
  let best: { i: number; j: number; labels: Labels; cost: number } | null = null
  for (let j = 1; j < terms.length; j++) {
    for (let i = 0; i < j; i++) {
      const others = terms.filter((_, index) => index !== i && index !== j)
      const all = [...new Set([...terms[i]!.labels, ...terms[j]!.labels])]
      const labels = all.filter(
        (label) => output.includes(label) || others.some((term) => term.labels.includes(label)),
      )
      const cost = product(labels, sizes)
      if (best === null || cost < best.cost) best = { i, j, labels, cost }
    }
  }
  const { i, j, labels } = best!
  const order = terms.length === 2 ? output.filter((label) => labels.includes(label)) : labels
  const combined = { x: multiply(terms[i]!, terms[j]!, order, sizes), labels: order }
  return [...terms.filter((_, index) => index !== i && index !== j), combined]
}

/** One pair. A contraction where sums are shared by many results; products and sums of few terms fuse better. */
function multiply(a: Term, b: Term, order: Labels, sizes: ReadonlyMap<number, number>): Tensor {
  const summed = a.labels.filter((label) => !order.includes(label))
  const rows = product(
    a.labels.filter((label) => !b.labels.includes(label)),
    sizes,
  )
  const columns = product(
    b.labels.filter((label) => !a.labels.includes(label)),
    sizes,
  )
  const combine = summed.length === 0 || (rows === 1 && columns === 1) ? multiplyAndSum : contract
  return combine(a.x, b.x, a.labels, b.labels, order)
}

function product(labels: Labels, sizes: ReadonlyMap<number, number>): number {
  return labels.reduce((total, label) => total * sizes.get(label)!, 1)
}
