// Whether this machine has a native library for products, as the package itself finds it.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const register = new URL('register.mjs', import.meta.url).href
const library = new URL('../../packages/backend-wasm/src/blas/library.ts', import.meta.url).href

/** Why there is none, in one line, or null. */
export function blasProblem() {
  const program =
    `const { openLibrary } = await import('${library}')\n` +
    `try { openLibrary() } catch (error) { console.log(error.message); process.exit(1) }`
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@nabla/source', '--import', register, '--input-type=module', '-e', program],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('../..', import.meta.url)) },
  )
  return status === 0
    ? null
    : (stdout || stderr)
        .trim()
        .split(/\s*\n\s*/)
        .join(' ')
}
