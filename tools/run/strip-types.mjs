// A module loader hook that turns `.ts` files into JavaScript while Node loads them. Packages are found from source
// through the `@nabla/source` condition, so nothing has to be built first. Registered by register.mjs.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { transform } from 'oxc-transform'

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context)
  const filename = fileURLToPath(url)
  const { code, map, errors } = await transform(filename, await readFile(filename, 'utf8'), {
    sourcemap: true,
    typescript: { onlyRemoveTypeImports: true },
  })
  if (errors.length > 0) {
    const said = errors.map((error) => error.codeframe ?? error.message)
    throw new SyntaxError(`${filename}: ${said.join('\n')}`)
  }
  // The map travels inside the module, so that `--enable-source-maps` shows TypeScript lines in stack traces.
  const encoded = Buffer.from(JSON.stringify(map)).toString('base64')
  const source = `${code}\n//# sourceMappingURL=data:application/json;base64,${encoded}`
  return { format: 'module', source, shortCircuit: true }
}
