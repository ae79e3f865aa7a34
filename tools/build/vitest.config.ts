// How tests run, for the whole workspace. Four projects:
//   node      `*.test.ts` of all packages and tools, in Node                       npm run unit -- packages/tensor
//   blas      the conformance tests again, products by a native library            npm run blas
//   samples   each ```ts block of the READMEs and of docs/*.md                     npm run samples
//   browser   `*.browser.test.ts`, and the tests of browserPackages, in Chromium   npm run browser
// Packages are read from source through the `@nabla/source` condition: nothing has to be built first.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { readFloors, readManifest, root, sourceEntries } from '../layers/workspace.mjs'
import { chromiumPath } from '../run/chromium.mjs'
import { findSamples } from './samples.mjs'
import { samplesPlugin } from './samplesPlugin.mjs'

/** Packages whose ordinary tests run in the browser too: those that touch the platform. */
const browserPackages = ['engine', 'backend-wasm', 'tensor']

const browserTests = '{packages/*/src,tools}/**/*.browser.test.ts'
const nodeTests = '**/*.node.test.ts'

/** The README of every published package, which has to have a sample, and all other pages that have one. */
function pagesWithSamples(): string[] {
  const published = readFloors().filter(({ folder }) => readManifest(folder).private !== true)
  const readmes = published.map(({ folder }) => `${folder}/README.md`)
  const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
  const others = ['README.md', ...pages.map((name) => `docs/${name}`)]
  return [
    ...readmes,
    ...others.filter((page) => findSamples(readFileSync(join(root, page), 'utf8')).length > 0),
  ]
}

/** Samples import packages from Markdown files, which belong to no package: names are mapped to sources here. */
function packageAliases(): { find: RegExp; replacement: string }[] {
  return sourceEntries().map(([name, file]) => ({ find: new RegExp(`^${name}$`), replacement: file }))
}

export default defineConfig({
  root,
  test: {
    projects: [
      {
        root,
        ssr: { resolve: { conditions: ['@nabla/source', 'module', 'node', 'development|production'] } },
        test: {
          name: 'node',
          environment: 'node',
          include: ['{packages/*/src,tools}/**/*.test.ts'],
          exclude: [browserTests, '**/node_modules/**'],
          testTimeout: 60_000,
          // Leak tests collect garbage before they measure.
          execArgv: ['--expose-gc'],
        },
      },
      {
        root,
        ssr: { resolve: { conditions: ['@nabla/source', 'module', 'node', 'development|production'] } },
        test: {
          name: 'blas',
          environment: 'node',
          include: ['packages/conformance/src/**/*.test.ts'],
          exclude: [browserTests, '**/node_modules/**'],
          setupFiles: ['packages/conformance/src/blas.setup.ts'],
          env: { NABLA_TEST_BLAS: '1' },
          testTimeout: 60_000,
          execArgv: ['--expose-gc'],
        },
      },
      {
        root,
        plugins: [samplesPlugin()],
        resolve: { alias: packageAliases() },
        ssr: { resolve: { conditions: ['@nabla/source', 'module', 'node', 'development|production'] } },
        test: {
          name: 'samples',
          environment: 'node',
          include: pagesWithSamples(),
          testTimeout: 60_000,
        },
      },
      {
        root,
        resolve: { conditions: ['@nabla/source', 'module', 'browser', 'development|production'] },
        // Dependencies of all packages are found before the first page loads: found later, they would make vite reload
        // the page under a running test.
        optimizeDeps: { entries: ['packages/*/src/index.ts'] },
        // With these two headers a page is isolated and may share memory between threads.
        server: {
          headers: {
            'Cross-Origin-Opener-Policy': 'same-origin',
            'Cross-Origin-Embedder-Policy': 'require-corp',
          },
        },
        test: {
          name: 'browser',
          include: [browserTests, ...browserPackages.map((name) => `packages/${name}/src/**/*.test.ts`)],
          exclude: [nodeTests, '**/node_modules/**'],
          testTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                ...(chromiumPath() === null ? {} : { executablePath: chromiumPath() as string }),
                // Chromium refuses its sandbox to root, which is who runs in most containers.
                args: ['--no-sandbox', '--disable-dev-shm-usage'],
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
})
