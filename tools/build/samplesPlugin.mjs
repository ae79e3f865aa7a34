// A vitest plugin: a Markdown file is a test file, each of its ```ts blocks one test. Blocks are separate modules, so they
// share nothing and may use top-level await. Which files take part is said in vitest.config.ts; the syntax in samples.mjs.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findSamples, instrument } from './samples.mjs'

const assertions = fileURLToPath(new URL('./sample-assert.mjs', import.meta.url))
const sampleId = /^(.*\.md)\.(\d+)\.sample\.ts$/

/** @returns {import('vite').Plugin} */
export function samplesPlugin() {
  return {
    name: 'documentation-samples',
    enforce: 'pre',
    resolveId(id) {
      return sampleId.test(id) ? id : null
    },
    load(id) {
      const match = sampleId.exec(id)
      if (match) return sampleModule(match[1], Number(match[2]))
      return id.endsWith('.md') ? testFile(id, readFileSync(id, 'utf8')) : null
    },
  }
}

function testFile(file, markdown) {
  const tests = findSamples(markdown).map(({ line }, index) => {
    const id = JSON.stringify(`${file}.${index}.sample.ts`)
    return `test('sample at line ${line}', async () => { await import(${id}) })`
  })
  if (tests.length === 0) {
    tests.push(`test('has a sample', () => { throw new Error('no \`\`\`ts block in this page') })`)
  }
  return [`import { test } from 'vitest'`, ...tests].join('\n')
}

function sampleModule(file, index) {
  const { code, line } = findSamples(readFileSync(file, 'utf8'))[index]
  // One line, so that the sample's own lines keep their numbers but for this one.
  return `import * as __sample from ${JSON.stringify(assertions)}\n${instrument(code, line)}`
}
