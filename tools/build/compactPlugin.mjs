// A rollup plugin that leaves comments and spacing out of what is published: Node reads all of a file before it runs a line
// of it. Names stay as they are, since error messages and stack traces show them; the sources lie beside the output.
import { minify } from 'oxc-minify'

/** @returns {import('rollup').Plugin} */
export function compactPlugin() {
  return {
    name: 'compact',
    async renderChunk(text, { fileName }) {
      const { code, map, errors } = await minify(fileName, text, {
        module: true,
        compress: false,
        mangle: false,
        codegen: { removeWhitespace: true },
        sourcemap: true,
      })
      if (errors.length > 0) this.error(errors.map((error) => error.codeframe ?? error.message).join('\n'))
      return { code, map }
    },
  }
}
