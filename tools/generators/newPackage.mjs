// Adds a package to a workspace: its files, its row in floors.json and its row in the README's table. Writes nothing if the
// request makes no sense. The command line is new.mjs; the files' contents are template.mjs.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { floorsFile, readFloors } from '../layers/workspace.mjs'
import { packageFiles } from './template.mjs'

/**
 * @param {string} workspace folder of the workspace
 * @param {{ name: string, floor: number, description?: string }} request `name` without scope, such as `text`
 * @returns {string[]} the files written, relative to the workspace
 */
export function newPackage(workspace, { name, floor, description }) {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name ?? '')) {
    throw new Error(
      `'${name}' is no package name. Use lower-case words joined by dashes, without a scope: vision-models`,
    )
  }
  if (!Number.isInteger(floor) || floor < 0) {
    throw new Error(`'${floor}' is no floor. Floors are whole numbers from 0; see ${floorsFile}`)
  }
  const folder = `packages/${name}`
  const rows = readFloors(workspace)
  if (rows.some((row) => row.folder === folder) || existsSync(join(workspace, folder))) {
    throw new Error(`${folder} exists already`)
  }
  const row = {
    name: `@nabla/${name}`,
    folder,
    floor,
    description: description ?? `Package ${name} of Nabla.`,
  }
  const files = packageFiles(row)
  const written = Object.keys(files).map((file) => `${folder}/${file}`)
  // Computed before anything is written, so that a README without a table changes nothing.
  const readme = withTableRow(readFileSync(join(workspace, 'README.md'), 'utf8'), row)
  for (const [file, text] of Object.entries(files)) {
    const path = join(workspace, folder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  writeFileSync(join(workspace, floorsFile), formatFloors(withRow(rows, { name: row.name, folder, floor })))
  writeFileSync(join(workspace, 'README.md'), readme)
  return [...written, floorsFile, 'README.md']
}

/** The new row goes after all rows of its floor and below. */
function withRow(rows, row) {
  const after = rows.filter((other) => other.floor > row.floor)
  return [...rows.filter((other) => other.floor <= row.floor), row, ...after]
}

function formatFloors(rows) {
  const lines = rows.map((row) => {
    const fields = Object.entries(row).map(
      ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`,
    )
    return `  { ${fields.join(', ')} }`
  })
  return `[\n${lines.join(',\n')}\n]\n`
}

/** The table's rows begin with `| floor |`; the new one stands where its floor belongs. */
export function withTableRow(readme, { name, folder, floor, description }) {
  const lines = readme.split('\n')
  const header = lines.findIndex((line) => /^\|\s*floor\s*\|/.test(line))
  if (header === -1) throw new Error(`README.md has no package table (a line that begins with '| floor |')`)
  let at = header + 2
  while (at < lines.length && lines[at].startsWith('|') && floorOf(lines[at]) <= floor) at += 1
  lines.splice(at, 0, `| ${floor} | [\`${name}\`](${folder}) | ${description} |`)
  return lines.join('\n')
}

/** A row without a number (the private packages at the end) stands above all floors. */
function floorOf(line) {
  const text = line.split('|')[1].trim()
  return /^\d+$/.test(text) ? Number(text) : Infinity
}
