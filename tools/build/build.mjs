// `npm run build [-- <package> ...]`: builds packages, those below them first, through nx, which skips those whose sources
// have not changed. nx starts package scripts with pnpm, so it runs inside `pnpm exec`, which the pinned pnpm provides on
// machines that have none.
import { pnpm } from '../run/pnpm.mjs'

const names = process.argv.slice(2)
const selection = names.length > 0 ? ['-p', names.join(',')] : []
process.exitCode = pnpm(['exec', 'nx', 'run-many', '-t', 'build', ...selection, '--output-style=static'])
