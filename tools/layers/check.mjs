// The floor check: `npm run floors`. Prints every broken rule and exits with 1 if there is one.
// The rules stand at the top of rules.mjs; file lengths in lengths.mjs; who stands where in floors.json.
import { checkLengths } from './lengths.mjs'
import { checkFloors } from './rules.mjs'
import { readFloors, root } from './workspace.mjs'

const floors = checkFloors(root)
const { warnings, problems: tooLong } = checkLengths(root)
const problems = [...floors, ...tooLong]

for (const warning of warnings) console.log(`warning: ${warning}`)
for (const problem of problems) console.error(problem)
console.log(`${readFloors().length} packages, ${problems.length} problems, ${warnings.length} warnings`)
process.exitCode = problems.length > 0 ? 1 : 0
