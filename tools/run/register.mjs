// Lets plain Node (20.19 and later) run TypeScript programs of this workspace:
//   node --conditions=@nabla/source --import ./tools/run/register.mjs docs/examples/mnist.ts
// It is not a type checker (see typecheck.mjs); types are simply removed. Read next: strip-types.mjs.
import { register } from 'node:module'

register('./strip-types.mjs', import.meta.url)
