// The files of a new package, as text. It starts with one small function, documented, sampled and tested, so that the package
// passes every check from its first minute and shows where things go. Read next: new.mjs (the command).

/**
 * @param {{ name: string, folder: string, floor: number, description: string }} row
 * @returns {Record<string, string>} contents by path relative to the package
 */
export function packageFiles(row) {
  return {
    'package.json': `${JSON.stringify(manifest(row), null, 2)}\n`,
    'tsconfig.json': `${JSON.stringify({ extends: '../../tsconfig.base.json', include: ['src'] }, null, 2)}\n`,
    'README.md': readme(row),
    'src/index.ts': index(row),
    'src/describe.ts': source(row),
    'src/describe.test.ts': test(row),
  }
}

function manifest({ name, folder, description }) {
  return {
    name,
    version: '0.0.0',
    description,
    license: 'Apache-2.0',
    files: ['dist', 'src', '!src/**/*.test.ts', '!src/**/testing.ts', '!src/**/testing'],
    type: 'module',
    sideEffects: false,
    exports: {
      '.': {
        '@nabla/source': './src/index.ts',
        types: './dist/index.d.ts',
        default: './dist/index.js',
      },
      './package.json': './package.json',
    },
    publishConfig: { access: 'public' },
    scripts: {
      build: 'rollup -c ../../tools/build/rollup.config.mjs',
      test: `vitest run --config ../../tools/build/vitest.config.ts --project node ${folder}/src`,
    },
    engines: { node: '>=20.19' },
  }
}

function readme({ name, description }) {
  return `# ${name}

${description}

\`\`\`ts
import { describe } from '${name}'

describe([2, 3]) // => shape [2, 3], 6 elements
\`\`\`
`
}

function index({ name }) {
  return `// The public face of ${name}: what is exported here is API, and nothing else is.
export { describe } from './describe.ts'
`
}

function source({ name }) {
  return `// A first function, so that ${name} has something to build, to document and to test. Put the package's own work in its place.

/**
 * Says a shape in words.
 *
 * @param shape lengths of all axes
 */
export function describe(shape: readonly number[]): string {
  const size = shape.reduce((product, length) => product * length, 1)
  return \`shape [\${shape.join(', ')}], \${size} elements\`
}
`
}

function test() {
  return `import { expect, test } from 'vitest'
import { describe } from './describe.ts'

test('a scalar has one element', () => {
  expect(describe([])).toBe('shape [], 1 elements')
})

test('an empty axis leaves no elements', () => {
  expect(describe([4, 0])).toBe('shape [4, 0], 0 elements')
})
`
}
