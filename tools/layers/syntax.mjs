// Two small helpers for reading syntax trees: visiting every node, and turning an offset into a line number.

/** Calls `visit` on every node below and including `node`, parents first. */
export function walk(node, visit) {
  visit(node)
  for (const child of Object.values(node)) {
    if (Array.isArray(child)) {
      for (const item of child) if (isNode(item)) walk(item, visit)
    } else if (isNode(child)) {
      walk(child, visit)
    }
  }
}

/** The line, counted from 1, on which the character at `offset` stands. */
export function lineAt(text, offset) {
  return text.slice(0, offset).split('\n').length
}

function isNode(value) {
  return typeof value === 'object' && value !== null && typeof value.type === 'string'
}
