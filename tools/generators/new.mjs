// `pnpm new package <name> --floor <n> [--description <sentence>]`: a new package that passes every check, ready to be filled.
import { parseArgs } from 'node:util'
import { root } from '../layers/workspace.mjs'
import { pnpm } from '../run/pnpm.mjs'
import { newPackage } from './newPackage.mjs'

const usage = 'Usage: pnpm new package <name> --floor <n> [--description <sentence>]'

function readRequest() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { floor: { type: 'string' }, description: { type: 'string' } },
  })
  const [kind, name] = positionals
  if (kind !== 'package' || positionals.length !== 2 || !/^\d+$/.test(values.floor ?? ''))
    throw new Error(usage)
  return { name, floor: Number(values.floor), description: values.description }
}

function main() {
  let written
  try {
    written = newPackage(root, readRequest())
  } catch (error) {
    console.error(error.message)
    return 1
  }
  for (const file of written) console.log(`written  ${file}`)
  // Formatting last: a long description widens tables and wraps comments.
  const installed = pnpm(['install', '--no-frozen-lockfile'])
  const formatted = pnpm(['exec', 'oxfmt', ...written])
  console.log(
    `\nDependencies on lower floors go into package.json and tsconfig.json; \`npm run floors\` tells what is missing.`,
  )
  return installed || formatted
}

process.exitCode = main()
