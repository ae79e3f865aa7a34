// The routines of this backend by name. Each factory takes a specification and gives an executable, or null where another
// has to do the work. Read next: ../contract/contract.ts for the one that most time is spent in.
import type { Backend } from '@nabla/engine'
import { createAttention } from '../attention/attention.ts'
import { createContract } from '../contract/contract.ts'
import type { DeviceMemory } from '../memory.ts'
import type { Threads } from '../pool/threads.ts'
import { createArgsort } from './argsort.ts'
import { createIndexed } from './indexed.ts'
import { createRandom } from './random.ts'
import { createScan } from './scan.ts'
import { createTiles } from './tiles.ts'
import { createSliceScatter } from './slice-scatter.ts'

/** All routines, working in one memory. Code, tables and scratch space are made when first needed. */
export function wasmRoutines(
  memory: DeviceMemory,
  threads: Threads,
  kernel: Backend['kernel'],
): Backend['routines'] {
  return {
    contract: createContract(memory, threads, kernel),
    ...createAttention(memory, threads),
    ...createIndexed(memory, threads),
    argsort: createArgsort(memory),
    random: createRandom(memory, threads),
    scan: createScan(memory, threads),
    tiles: createTiles(memory, threads),
    sliceScatter: createSliceScatter(memory),
  }
}
