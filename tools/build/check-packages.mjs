// `npm run check:packages`: asks publint whether what would be published can be used: every file that `exports` names
// exists and is what it claims to be. Build first.
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { readFloors, readManifest, root } from '../layers/workspace.mjs'

const manifests = readFloors().map((row) => ({ ...row, manifest: readManifest(row.folder) }))
const published = manifests.filter(({ manifest }) => manifest.private !== true)

const counts = await Promise.all(
  published.map(async ({ name, folder, manifest }) => {
    const { messages } = await publint({ pkgDir: join(root, folder), strict: true, pack: 'npm' })
    for (const message of messages) console.error(`${name}: ${formatMessage(message, manifest)}`)
    return messages.length
  }),
)

const problems = counts.reduce((sum, count) => sum + count, 0)
console.log(`${published.length} packages, ${problems} problems`)
process.exitCode = problems > 0 ? 1 : 0
