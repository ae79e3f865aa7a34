// Tables as lists of lines of cells, the first line being the header: for terminals and for Markdown. Nothing here knows
// what is in them. Read next: report.mjs.

/** Columns side by side. */
export function plainTable(cells) {
  const widths = widthsOf(cells)
  return cells
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A Markdown table with its columns padded, which is how the formatter wants it. */
export function pipeTable(cells) {
  const lines = cells.map((line) => line.map((cell) => cell.replaceAll('|', '/')))
  const widths = widthsOf(lines).map((width) => Math.max(3, width))
  const row = (line) => `| ${line.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
  const [header, ...rest] = lines
  return [row(header), row(widths.map((width) => '-'.repeat(width))), ...rest.map(row)].join('\n')
}

function widthsOf(cells) {
  return cells[0].map((_, column) => Math.max(...cells.map((line) => line[column].length)))
}
