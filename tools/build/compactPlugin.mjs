// A rollup plugin that leaves comments out of what is published: Node reads all of a file before it runs a line of it. Names
// and lines stay, since error messages and stack traces show them: so nobody needs source maps, which would weigh as much
// as the code. The sources, with their comments, lie beside the output.
import { minify } from 'oxc-minify'

/** @returns {import('rollup').Plugin} */
export function compactPlugin() {
  return {
    name: 'compact',
    async renderChunk(text, { fileName }) {
      const { code, errors } = await minify(fileName, text, {
        module: true,
        compress: false,
        mangle: false,
        codegen: { removeWhitespace: false },
      })
      if (errors.length > 0) this.error(errors.map((error) => error.codeframe ?? error.message).join('\n'))
      return { code, map: null }
    },
  }
}
