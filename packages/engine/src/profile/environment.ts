// NABLA_PROFILE: a profile of the whole program, written when it ends. Node alone; browsers call `startProfile`.
import type { Profile } from './events.ts'

const usualFile = 'nabla-profile.json'

/**
 * Takes a profile if `NABLA_PROFILE` asks for one: `1` for a file `nabla-profile.json` in the working directory, or the path
 * of a file. It is written when the program ends by itself or by `process.exit`.
 */
export function profileAsAsked(start: () => Profile): void {
  const { process } = globalThis
  const asked = process?.env?.['NABLA_PROFILE']
  const files = process?.getBuiltinModule?.('node:fs')
  if (asked === undefined || asked === '' || asked === '0' || files === undefined) return
  const file = asked === '1' ? usualFile : asked
  const profile = start()
  process.once('exit', () => {
    const lines = profile.stop().map((event) => JSON.stringify(event))
    files.writeFileSync(file, `[\n${lines.join(',\n')}\n]\n`)
    process.stderr.write(
      `profile written to ${file}: open it in chrome://tracing or https://ui.perfetto.dev\n`,
    )
  })
}
