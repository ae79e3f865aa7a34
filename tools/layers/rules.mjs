// The rules about who may import whom, as pure functions over a workspace folder, so that they can be tested on planted mistakes.
// They are:
//   - a package imports workspace packages of lower floors only, never of a higher one and never of its own;
//   - what it imports is declared in its package.json: sources need `dependencies`, `peerDependencies` or
//     `optionalDependencies`; tests may use `devDependencies` and the workspace's own `vitest` too;
//   - tests keep to the same floors as sources. A test that needs more packages belongs in the conformance package;
//     a dependency upwards for tests alone would still be a cycle for the type checker and the builds;
//   - `node:` modules are imported by packages marked `"node": true` and by `*.node.test.ts` files, nowhere else;
//   - a relative import names its file with the extension and stays inside its package;
//   - floors.json, the folders, the package.json files and the tsconfig references tell the same story.
// Read next: check.mjs (the command), imports.mjs (how imports are found).
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { isNodeTest, isTest, sourceFiles } from './files.mjs'
import { findImports } from './imports.mjs'
import { floorsFile, readFloors, readManifest } from './workspace.mjs'

const builtins = new Set(builtinModules)
const packagesForEveryTest = new Set(['vitest'])

/** Every broken rule of the workspace as one line of text: `file:line: what is wrong. What to do.` */
export function checkFloors(workspace) {
  const rows = readFloors(workspace)
  const problems = checkList(workspace, rows)
  for (const row of rows) {
    if (!existsSync(join(workspace, row.folder, 'package.json'))) continue
    problems.push(...checkManifest(workspace, row, rows))
    for (const file of sourceFiles(workspace, row.folder)) {
      problems.push(...checkFile(workspace, row, rows, file))
    }
  }
  return problems
}

function checkList(workspace, rows) {
  const problems = []
  for (const [index, row] of rows.entries()) {
    if (index > 0 && rows[index - 1].floor > row.floor) {
      problems.push(`${floorsFile}: ${row.name} stands after a higher floor. List packages low to high.`)
    }
    if (!existsSync(join(workspace, row.folder, 'package.json'))) {
      problems.push(`${floorsFile}: ${row.folder} has no package.json. Remove the row or create the package.`)
    }
  }
  for (const name of readdirSync(join(workspace, 'packages'))) {
    const folder = `packages/${name}`
    if (existsSync(join(workspace, folder, 'package.json')) && !rows.some((row) => row.folder === folder)) {
      problems.push(`${floorsFile}: ${folder} has no row. Give it a floor.`)
    }
  }
  return problems
}

function checkManifest(workspace, row, rows) {
  const problems = []
  const manifest = readManifest(row.folder, workspace)
  const where = `${row.folder}/package.json`
  if (manifest.name !== row.name) {
    problems.push(`${where}: is named ${manifest.name}, but ${floorsFile} says ${row.name}.`)
  }
  const declared = declaredWorkspacePackages(manifest, rows)
  for (const target of declared) {
    const broken = floorProblem(row, target)
    if (broken) problems.push(`${where}: ${broken}`)
  }
  const tsconfig = JSON.parse(readFileSync(join(workspace, row.folder, 'tsconfig.json'), 'utf8'))
  const references = new Set((tsconfig.references ?? []).map(({ path }) => join(row.folder, path)))
  for (const target of declared) {
    if (!references.delete(target.folder)) {
      const path = relative(row.folder, target.folder)
      problems.push(
        `${row.folder}/tsconfig.json: has no reference to ${target.name}. Add { "path": "${path}" }.`,
      )
    }
  }
  for (const folder of references) {
    problems.push(
      `${row.folder}/tsconfig.json: refers to ${folder}, which package.json does not depend on. Remove it.`,
    )
  }
  return problems
}

function declaredWorkspacePackages(manifest, rows) {
  const names = new Set(
    ['dependencies', 'peerDependencies', 'optionalDependencies', 'devDependencies'].flatMap((kind) =>
      Object.keys(manifest[kind] ?? {}),
    ),
  )
  return rows.filter((row) => names.has(row.name))
}

function checkFile(workspace, row, rows, file) {
  const problems = []
  const manifest = readManifest(row.folder, workspace)
  const text = readFileSync(join(workspace, file), 'utf8')
  for (const { specifier, line } of findImports(file, text)) {
    const broken = specifier.startsWith('.')
      ? relativeProblem(row, file, specifier)
      : bareProblem(row, rows, manifest, file, specifier)
    if (broken) problems.push(`${file}:${line}: ${broken}`)
  }
  return problems
}

function relativeProblem(row, file, specifier) {
  if (!/\.(ts|js|mjs|json)$/.test(specifier)) {
    return `'${specifier}' names no file. Write the extension: '${specifier}.ts'.`
  }
  const target = join(dirname(file), specifier)
  if (!target.startsWith(`${row.folder}/`)) {
    return `'${specifier}' leaves ${row.folder}. Import the other package by its name.`
  }
  return null
}

function bareProblem(row, rows, manifest, file, specifier) {
  const name = packageName(specifier)
  if (specifier.startsWith('node:') || builtins.has(name)) {
    if (row.node === true || isNodeTest(file)) return null
    return (
      `'${specifier}' exists in Node alone, and ${row.name} runs in browsers too. Use ` +
      `globalThis.process?.getBuiltinModule?.('${specifier}'), or name a test that needs Node *.node.test.ts.`
    )
  }
  if (name === row.name) return `imports its own package by name. Use a relative path.`
  const target = rows.find((other) => other.name === name)
  const broken = target && floorProblem(row, target)
  if (broken) return broken
  const kinds = ['dependencies', 'peerDependencies', 'optionalDependencies']
  if (isTest(file)) kinds.push('devDependencies')
  if (kinds.some((kind) => manifest[kind]?.[name] !== undefined)) return null
  if (isTest(file) && packagesForEveryTest.has(name)) return null
  return `imports ${name}, which ${row.folder}/package.json does not declare in ${kinds.join(', ')}.`
}

function floorProblem(row, target) {
  if (target.floor < row.floor) return null
  const direction = target.floor > row.floor ? 'upwards' : 'sideways'
  return (
    `${row.name} (floor ${row.floor}) reaches ${direction} to ${target.name} (floor ${target.floor}). ` +
    `Move what is shared to a lower floor, or the caller to a higher one.`
  )
}

function packageName(specifier) {
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? `${parts[0]}/${parts[1]}` : parts[0]
}
