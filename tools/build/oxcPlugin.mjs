// A rollup plugin that removes types from `.ts` files with oxc. It checks nothing (that is `npm run typecheck`) and
// writes no declarations (declarations.mjs does).
import { transform } from 'oxc-transform'

/** @returns {import('rollup').Plugin} */
export function oxcPlugin() {
  return {
    name: 'oxc',
    async transform(text, id) {
      if (!id.endsWith('.ts')) return null
      const { code, errors } = await transform(id, text, {
        target: 'es2022',
        typescript: { onlyRemoveTypeImports: true },
      })
      if (errors.length > 0) this.error(errors.map((error) => error.codeframe ?? error.message).join('\n'))
      return { code, map: null }
    },
  }
}
