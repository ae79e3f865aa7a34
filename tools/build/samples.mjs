// Turns the ```ts blocks of a Markdown file into modules that check themselves: what a reader copies is what has run.
// In a block, a comment after a statement says what its value is:
//   add(1, 2)          // => 3
//   const x = exp(1)   // => 2.718          a number of three or more decimals is compared to that many
//   console.log(x.shape)  // => [2, 3]      the logged value is meant
//   zeros([-1])        // throws ShapeError: zeros
//   print(x)           // => [[1 2]
//                      //     [3 4]]        more lines, indented under the first
// A value that is no literal is compared with what String() gives. How values are compared is sample-assert.mjs;
// samplesPlugin.mjs feeds the modules to the test runner.
import { parseSync } from 'oxc-parser'
import { lineAt, walk } from '../layers/syntax.mjs'

/**
 * The ```ts blocks of a Markdown text, each with the line of its first code line.
 * @returns {{ code: string, line: number }[]}
 */
export function findSamples(markdown) {
  const samples = []
  let block = null
  for (const [index, text] of markdown.split('\n').entries()) {
    const fence = /^\s*(`{3,})\s*(.*?)\s*$/.exec(text)
    if (block === null) {
      if (fence) block = { fence: fence[1], isSample: fence[2] === 'ts', lines: [], line: index + 2 }
    } else if (fence && fence[1].length >= block.fence.length && fence[2] === '') {
      if (block.isSample) samples.push({ code: block.lines.join('\n'), line: block.line })
      block = null
    } else {
      block.lines.push(text)
    }
  }
  if (block !== null) throw new Error(`line ${block.line - 1}: this code block is never closed`)
  return samples
}

/**
 * The sample as a module that throws when an expected value is not met. Line numbers stay as they are in the sample.
 * @param {string} code the block
 * @param {number} firstLine line of the Markdown file on which the block's code begins, for messages
 */
export function instrument(code, firstLine) {
  const { program, comments, errors } = parseSync('sample.ts', code)
  if (errors.length > 0) throw new SyntaxError(`line ${firstLine}: ${errors[0].message}`)
  const statements = []
  walk(program, (node) => {
    if (node.type === 'ExpressionStatement' || node.type === 'VariableDeclaration') statements.push(node)
  })
  const edits = []
  for (const expectation of findExpectations(code, comments)) {
    const line = firstLine - 1 + lineAt(code, expectation.start)
    const statement = statements.findLast((node) => isJustBefore(code, node, expectation.start))
    if (statement === undefined)
      throw new SyntaxError(`line ${line}: no statement before this '// ${expectation.kind}'`)
    edits.push(...assertion(statement, expectation, line))
  }
  return applyEdits(code, edits)
}

/** `// => text` and `// throws text`, each with the comment lines that continue it. */
function findExpectations(code, comments) {
  const found = []
  let last = null
  for (const comment of comments.filter(({ type }) => type === 'Line')) {
    const line = lineAt(code, comment.start)
    const start = /^ (=>|throws) /.exec(comment.value)
    const standsAlone = /^[ \t]*$/.test(
      code.slice(code.lastIndexOf('\n', comment.start - 1) + 1, comment.start),
    )
    if (start) {
      last = {
        kind: start[1],
        start: comment.start,
        text: comment.value.slice(start[0].length).trimEnd(),
        line,
      }
      found.push(last)
    } else if (last !== null && standsAlone && line === last.line + 1 && comment.value.startsWith('    ')) {
      last.text += `\n${comment.value.slice(4).trimEnd()}`
      last.line = line
    } else {
      last = null
    }
  }
  return found
}

/** The comment belongs to the statement that ends last before it, on the same line. */
function isJustBefore(code, node, comment) {
  return node.end <= comment && /^[ \t;]*$/.test(code.slice(node.end, comment))
}

function assertion(statement, { kind, text }, line) {
  const expected = JSON.stringify(text)
  if (kind === 'throws') {
    if (statement.type !== 'ExpressionStatement')
      throw new SyntaxError(`line ${line}: only an expression can be said to throw`)
    const { start, end } = statement.expression
    return [
      { at: start, insert: `await __sample.throws(async () => (` },
      { at: end, insert: `), ${expected}, ${line})` },
    ]
  }
  if (statement.type === 'VariableDeclaration') {
    const name = statement.declarations.at(-1).id
    if (name.type !== 'Identifier')
      throw new SyntaxError(`line ${line}: '// =>' needs a single name or an expression`)
    return [{ at: statement.end, insert: `; __sample.equals(${name.name}, ${expected}, ${line})` }]
  }
  const { start, end } = loggedValue(statement.expression)
  return [
    { at: start, insert: `__sample.equals((` },
    { at: end, insert: `), ${expected}, ${line})` },
  ]
}

/** In `console.log(value) // => ...` it is the value that is spoken of. */
function loggedValue(expression) {
  const { type, callee, arguments: given } = expression
  const isLog =
    type === 'CallExpression' && callee.type === 'MemberExpression' && callee.object.name === 'console'
  return isLog && given.length === 1 ? given[0] : expression
}

function applyEdits(code, edits) {
  let text = code
  for (const { at, insert } of edits.toSorted((a, b) => b.at - a.at))
    text = text.slice(0, at) + insert + text.slice(at)
  return text
}
