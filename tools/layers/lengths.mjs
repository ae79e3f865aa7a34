// Long files are hard to enter: a warning above 400 lines, an error above 600. Split by meaning, not by length.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sourceFiles } from './files.mjs'

export const warnAbove = 400
export const failAbove = 600

/** @returns {{ warnings: string[], problems: string[] }} */
export function checkLengths(workspace, folders = ['packages', 'tools', 'docs']) {
  const warnings = []
  const problems = []
  for (const folder of folders.filter((name) => existsSync(join(workspace, name)))) {
    for (const file of sourceFiles(workspace, folder)) {
      const lines = readFileSync(join(workspace, file), 'utf8').trimEnd().split('\n').length
      if (lines > failAbove)
        problems.push(`${file}: ${lines} lines, more than ${failAbove}. Split it by meaning.`)
      else if (lines > warnAbove) warnings.push(`${file}: ${lines} lines, more than ${warnAbove}.`)
    }
  }
  return { warnings, problems }
}
